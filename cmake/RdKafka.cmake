# RdKafka::rdkafka and the option SCALESTYLE_KAFKA: librdkafka below LIBRDKAFKA_ROOT (a CMake or environment variable), a
# system one of at least 2.6.1 (older ones cannot log in by SCRAM to a broker of today), or the one that
# scripts/librdkafka.sh builds. Without any the Kafka adapter is left out of the build.
set(rdkafka_root ${CMAKE_SOURCE_DIR}/build/third_party/librdkafka)
if(LIBRDKAFKA_ROOT)
  set(rdkafka_root ${LIBRDKAFKA_ROOT})
elseif(DEFINED ENV{LIBRDKAFKA_ROOT} AND NOT "$ENV{LIBRDKAFKA_ROOT}" STREQUAL "")
  set(rdkafka_root $ENV{LIBRDKAFKA_ROOT})
else()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(SYSTEM_RDKAFKA QUIET IMPORTED_TARGET rdkafka>=2.6.1)
  endif()
endif()

if(SYSTEM_RDKAFKA_FOUND)
  add_library(RdKafka::rdkafka ALIAS PkgConfig::SYSTEM_RDKAFKA)
  set(rdkafka_found ON)
else()
  find_library(rdkafka_library NAMES librdkafka.a rdkafka PATHS ${rdkafka_root}/lib NO_DEFAULT_PATH NO_CACHE)
  find_library(rdkafka_zstd zstd NO_CACHE)
  if(rdkafka_library AND rdkafka_zstd AND EXISTS ${rdkafka_root}/include/librdkafka/rdkafka.h)
    add_library(RdKafka::rdkafka UNKNOWN IMPORTED GLOBAL)
    set_target_properties(RdKafka::rdkafka PROPERTIES
      IMPORTED_LOCATION ${rdkafka_library}
      INTERFACE_INCLUDE_DIRECTORIES ${rdkafka_root}/include
      INTERFACE_LINK_LIBRARIES "OpenSSL::SSL;OpenSSL::Crypto;ZLIB::ZLIB;${rdkafka_zstd};Threads::Threads;${CMAKE_DL_LIBS};rt;m")
    set(rdkafka_found ON)
  else()
    set(rdkafka_found OFF)
  endif()
endif()

option(SCALESTYLE_KAFKA "Build the Kafka adapter (needs librdkafka 2.6.1; scripts/librdkafka.sh builds it)" ${rdkafka_found})
if(SCALESTYLE_KAFKA AND NOT rdkafka_found)
  message(FATAL_ERROR "SCALESTYLE_KAFKA is ON, but there is no librdkafka of at least 2.6.1: run scripts/librdkafka.sh, or set LIBRDKAFKA_ROOT")
elseif(NOT SCALESTYLE_KAFKA)
  message(STATUS "The Kafka adapter is left out: run scripts/librdkafka.sh and set SCALESTYLE_KAFKA=ON for it")
endif()
