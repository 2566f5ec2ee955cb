# scalestyle_module(<name> SOURCES … DEPENDS …): one static library a folder of src/.
# scalestyle_test(<name> SOURCES … DEPENDS … [LABELS …] [TIMEOUT seconds]): one GoogleTest program a folder of tests/.
# scalestyle_server_test(the same): its tests share servers that the program starts (tests/support/real_server.hpp), so it is one
# test to CTest, and one of them runs at a time.

# scalestyle_fuzz(<name> SOURCES … DEPENDS …): the program fuzz_<name> of one fuzz target (tests/fuzz/README.md). With
# SCALESTYLE_FUZZ it is part of the build; a test runs it for a moment where it has our own driver, while clang's programs are for
# libFuzzer.

add_library(scalestyle_options INTERFACE)
target_compile_options(scalestyle_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Werror -fno-math-errno -ffp-contract=off
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # GCC 12 warns of string concatenation that is right (GCC bug 105651)
if(SCALESTYLE_FUZZ AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(scalestyle_options INTERFACE -Wno-error)  # warnings are judged with GCC
endif()
target_include_directories(scalestyle_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(scalestyle_options INTERFACE Threads::Threads)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

function(scalestyle_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  if(arg_SOURCES)
    add_library(scalestyle_${name} STATIC ${arg_SOURCES})
    target_link_libraries(scalestyle_${name} PUBLIC scalestyle_options ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
  else()
    add_library(scalestyle_${name} INTERFACE)
    target_link_libraries(scalestyle_${name} INTERFACE scalestyle_options ${arg_DEPENDS})
  endif()
endfunction()

function(scalestyle_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)  # seconds, of each test
  endif()
  add_executable(${name}_tests ${arg_SOURCES})
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_tests PRIVATE scalestyle_options scalestyle_test_support ${arg_DEPENDS} GTest::gmock_main)
  # Tests run once: what they spend is spent compiling.
  target_compile_options(${name}_tests PRIVATE $<$<CONFIG:Release>:-O1>)
  gtest_discover_tests(${name}_tests TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

function(scalestyle_server_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)  # seconds, of the whole program
  endif()
  add_executable(${name}_tests ${arg_SOURCES})
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_tests PRIVATE scalestyle_options scalestyle_test_support ${arg_DEPENDS} GTest::gmock_main)
  target_compile_options(${name}_tests PRIVATE $<$<CONFIG:Release>:-O1>)
  add_test(NAME ${name}.servers COMMAND ${name}_tests)
  set_tests_properties(${name}.servers PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" RESOURCE_LOCK servers
    SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()

function(scalestyle_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(fuzz_${name} ${arg_SOURCES})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_${name} PRIVATE scalestyle_options scalestyle_fuzz_main ${arg_DEPENDS})
  add_dependencies(fuzz_targets fuzz_${name})
  if(NOT SCALESTYLE_FUZZ)
    set_target_properties(fuzz_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(folder ${CMAKE_BINARY_DIR}/fuzz/${name})
    file(MAKE_DIRECTORY ${folder})
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} --seconds 3 WORKING_DIRECTORY ${folder})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
endfunction()
