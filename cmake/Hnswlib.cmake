# Hnswlib::hnswlib: the headers of hnswlib below HNSWLIB_ROOT (a CMake or environment variable), or those that scripts/hnswlib.sh
# fetches. Debian's libhnswlib-dev (0.6) is too old: it has no filters and no condition that ends a walk.
set(hnswlib_root ${CMAKE_SOURCE_DIR}/build/third_party/hnswlib)
if(HNSWLIB_ROOT)
  set(hnswlib_root ${HNSWLIB_ROOT})
elseif(DEFINED ENV{HNSWLIB_ROOT} AND NOT "$ENV{HNSWLIB_ROOT}" STREQUAL "")
  set(hnswlib_root $ENV{HNSWLIB_ROOT})
endif()
if(NOT EXISTS ${hnswlib_root}/include/hnswlib/stop_condition.h)
  message(FATAL_ERROR "there are no headers of hnswlib 0.8 in ${hnswlib_root}/include/hnswlib: run scripts/hnswlib.sh, or set HNSWLIB_ROOT")
endif()
add_library(Hnswlib::hnswlib INTERFACE IMPORTED GLOBAL)
set_target_properties(Hnswlib::hnswlib PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES ${hnswlib_root}/include
  INTERFACE_COMPILE_DEFINITIONS NO_MANUAL_VECTORIZATION)  # its own distances are not used, nor are its prefetches of vectors
