#pragma once
// What a Milvus server says went wrong, as our errors. Milvus answers with gRPC's OK and puts its own verdict into the reply,
// in two numbers: `code`, and the older `error_code`, which a server may leave at 0 or set to the same. Pure.
// Source: pkg/merr of Milvus 2.3 (code), common.proto (error_code).

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::adapters::milvus {

struct MilvusVerdict {
  std::int32_t code = 0;
  std::int32_t error_code = 0;
  std::string_view reason{};

  [[nodiscard]] bool ok() const { return code == 0 && error_code == 0; }
};

// kNotFound: no such collection or index. kFailedPrecondition: the collection is there, but not (wholly) in memory: not loaded,
// released, or loading, as after a restart. kUnavailable: the server starts, stops or failed for reasons of its own.
// kResourceExhausted: memory, disk or rate limits. kPermissionDenied. kInvalidArgument: what it was asked. kAlreadyExists. The
// message begins with `where` ("milvus 127.0.0.1:19530, Search") and has the server's own words, cut.
[[nodiscard]] core::Status status_of(const MilvusVerdict& verdict, std::string_view where);

// A reason that is too long for a message, or holds control characters, made fit.
[[nodiscard]] std::string short_reason(std::string_view reason);

}  // namespace scalestyle::adapters::milvus
