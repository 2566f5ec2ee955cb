# DuckDB::duckdb: the C library that scripts/duckdb.sh installs, or the one below DUCKDB_ROOT
# (a CMake or environment variable; include/duckdb.h and lib/libduckdb.so).
#
# A program in the build tree finds the library through CMake's build rpath. An installed one looks
# beside itself, in ../lib, and where the library lay when it was built.
set(duckdb_root ${CMAKE_SOURCE_DIR}/build/third_party/duckdb)
if(DUCKDB_ROOT)
  set(duckdb_root ${DUCKDB_ROOT})
elseif(DEFINED ENV{DUCKDB_ROOT} AND NOT "$ENV{DUCKDB_ROOT}" STREQUAL "")
  set(duckdb_root $ENV{DUCKDB_ROOT})
endif()

foreach(file include/duckdb.h lib/libduckdb.so)
  if(NOT EXISTS ${duckdb_root}/${file})
    message(FATAL_ERROR
      "DuckDB is missing: there is no ${duckdb_root}/${file}\n"
      "Run scripts/duckdb.sh (make setup does), or set DUCKDB_ROOT to a folder with "
      "include/duckdb.h and lib/libduckdb.so of DuckDB 1.4.")
  endif()
endforeach()

add_library(DuckDB::duckdb SHARED IMPORTED GLOBAL)
set_target_properties(DuckDB::duckdb PROPERTIES
  IMPORTED_LOCATION ${duckdb_root}/lib/libduckdb.so
  IMPORTED_SONAME libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${duckdb_root}/include)
set(CMAKE_INSTALL_RPATH $ORIGIN $ORIGIN/../lib ${duckdb_root}/lib)
