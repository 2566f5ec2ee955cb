# Milvus::proto: Milvus' gRPC interface, generated from the files that scripts/milvus_proto.sh installs (or of the
# folder MILVUS_PROTO_ROOT). Only with SCALESTYLE_MILVUS, and only the Milvus adapter links it: 83,000 generated lines.
#
# SCALESTYLE_MILVUS (ON or OFF) is ON by default where gRPC, protobuf, their compilers and the files are found.
# `if(TARGET scalestyle_adapters_milvus)` tells later folders whether the adapter is part of the build.
find_library(GRPCPP_LIBRARY grpc++)
find_library(GRPC_LIBRARY grpc)
find_library(GPR_LIBRARY gpr)
find_library(PROTOBUF_LIBRARY protobuf)
find_library(ABSL_SYNCHRONIZATION_LIBRARY absl_synchronization)  # gRPC's headers call it
find_path(GRPCPP_INCLUDE_DIR grpcpp/grpcpp.h)
find_program(PROTOC_PROGRAM protoc)
find_program(GRPC_CPP_PLUGIN_PROGRAM grpc_cpp_plugin)

set(milvus_proto_root ${CMAKE_SOURCE_DIR}/build/third_party/milvus_proto)
if(MILVUS_PROTO_ROOT)
  set(milvus_proto_root ${MILVUS_PROTO_ROOT})
elseif(DEFINED ENV{MILVUS_PROTO_ROOT} AND NOT "$ENV{MILVUS_PROTO_ROOT}" STREQUAL "")
  set(milvus_proto_root $ENV{MILVUS_PROTO_ROOT})
endif()

set(milvus_missing "")
foreach(needed GRPCPP_LIBRARY GRPC_LIBRARY GPR_LIBRARY PROTOBUF_LIBRARY ABSL_SYNCHRONIZATION_LIBRARY GRPCPP_INCLUDE_DIR
        PROTOC_PROGRAM GRPC_CPP_PLUGIN_PROGRAM)
  if(NOT ${needed})
    string(APPEND milvus_missing " ${needed}")
  endif()
endforeach()
if(NOT EXISTS ${milvus_proto_root}/milvus.proto)
  string(APPEND milvus_missing " ${milvus_proto_root}/milvus.proto")
endif()

# Not a cached option: what is installed later is found by the next configuration.
if(NOT DEFINED SCALESTYLE_MILVUS)
  set(SCALESTYLE_MILVUS ON)
  if(milvus_missing)
    set(SCALESTYLE_MILVUS OFF)
  endif()
endif()
if(SCALESTYLE_MILVUS AND milvus_missing)
  message(FATAL_ERROR "The Milvus adapter needs:${milvus_missing}\n"
    "Run scripts/setup.sh, or leave the adapter out with -DSCALESTYLE_MILVUS=OFF.")
elseif(NOT SCALESTYLE_MILVUS)
  message(STATUS "The Milvus adapter is left out of this build (missing:${milvus_missing})")
  return()
endif()

set(milvus_generated ${CMAKE_BINARY_DIR}/milvus_proto)
file(MAKE_DIRECTORY ${milvus_generated})
set(milvus_sources "")
foreach(name common schema rg feder msg milvus)
  add_custom_command(
    OUTPUT ${milvus_generated}/${name}.pb.cc ${milvus_generated}/${name}.pb.h
    COMMAND ${PROTOC_PROGRAM} -I${milvus_proto_root} --cpp_out=${milvus_generated} ${milvus_proto_root}/${name}.proto
    DEPENDS ${milvus_proto_root}/${name}.proto
    COMMENT "Generating ${name}.pb.cc" VERBATIM)
  list(APPEND milvus_sources ${milvus_generated}/${name}.pb.cc)
endforeach()
add_custom_command(
  OUTPUT ${milvus_generated}/milvus.grpc.pb.cc ${milvus_generated}/milvus.grpc.pb.h
  COMMAND ${PROTOC_PROGRAM} -I${milvus_proto_root} --grpc_out=${milvus_generated}
    --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN_PROGRAM} ${milvus_proto_root}/milvus.proto
  DEPENDS ${milvus_proto_root}/milvus.proto
  COMMENT "Generating milvus.grpc.pb.cc" VERBATIM)
list(APPEND milvus_sources ${milvus_generated}/milvus.grpc.pb.cc)

add_library(scalestyle_milvus_proto STATIC EXCLUDE_FROM_ALL ${milvus_sources})
add_library(Milvus::proto ALIAS scalestyle_milvus_proto)
# Never hot, never ours to mend: little optimisation, no warnings, none from its headers either.
target_compile_options(scalestyle_milvus_proto PRIVATE -w $<$<CONFIG:Release>:-O1>)
target_include_directories(scalestyle_milvus_proto SYSTEM PUBLIC ${milvus_generated} ${GRPCPP_INCLUDE_DIR})
target_link_libraries(scalestyle_milvus_proto PUBLIC ${GRPCPP_LIBRARY} ${GRPC_LIBRARY} ${GPR_LIBRARY} ${PROTOBUF_LIBRARY}
  ${ABSL_SYNCHRONIZATION_LIBRARY} Threads::Threads)
