#include "adapters/milvus/milvus_status.hpp"

#include <fmt/format.h>

#include <array>

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::size_t kMaxReasonBytes = 400;

struct CodeRange {
  std::int32_t first;
  std::int32_t last;
  ErrorCode meaning;
};

// pkg/merr. What is not here is the server's own trouble.
constexpr std::array<CodeRange, 20> kCodes = {{
    {1, 2, ErrorCode::kUnavailable},         // not ready, going away
    {3, 4, ErrorCode::kResourceExhausted},   // memory, requests
    {7, 8, ErrorCode::kResourceExhausted},   // disk, rate
    {100, 100, ErrorCode::kNotFound},        // collection
    {101, 101, ErrorCode::kFailedPrecondition},  // collection not loaded
    {102, 102, ErrorCode::kResourceExhausted},  // too many collections
    {103, 103, ErrorCode::kFailedPrecondition},  // not fully loaded
    {105, 106, ErrorCode::kInvalidArgument},  // schema, illegal name of a collection
    {200, 200, ErrorCode::kNotFound},        // partition
    {201, 202, ErrorCode::kFailedPrecondition},  // partition not loaded
    {700, 700, ErrorCode::kNotFound},        // index
    {701, 701, ErrorCode::kUnsupported},
    {702, 702, ErrorCode::kAlreadyExists},
    {800, 800, ErrorCode::kNotFound},        // database
    {801, 802, ErrorCode::kInvalidArgument},
    {1100, 1102, ErrorCode::kInvalidArgument},
    {1400, 1402, ErrorCode::kPermissionDenied},
    {1600, 1602, ErrorCode::kInvalidArgument},  // aliases
    {1700, 1702, ErrorCode::kInvalidArgument},  // fields
    {1800, 1804, ErrorCode::kInvalidArgument},
}};

// common.proto's ErrorCode.
constexpr std::array<CodeRange, 11> kOlderCodes = {{
    {3, 3, ErrorCode::kPermissionDenied},
    {4, 4, ErrorCode::kNotFound},
    {5, 11, ErrorCode::kInvalidArgument},
    {22, 23, ErrorCode::kInvalidArgument},
    {24, 24, ErrorCode::kResourceExhausted},
    {25, 25, ErrorCode::kNotFound},
    {28, 28, ErrorCode::kNotFound},
    {29, 32, ErrorCode::kPermissionDenied},
    {35, 35, ErrorCode::kAlreadyExists},  // of milvus-lite: an index that is there
    {49, 49, ErrorCode::kResourceExhausted},
    {52, 54, ErrorCode::kResourceExhausted},
}};

template <std::size_t kSize>
ErrorCode look_up(const std::array<CodeRange, kSize>& table, std::int32_t code) {
  for (const CodeRange& range : table) {
    if (code >= range.first && code <= range.last) return range.meaning;
  }
  return ErrorCode::kUnavailable;
}

ErrorCode meaning_of(const MilvusVerdict& verdict) {
  // A server that puts an older number into both fields: those of pkg/merr below 100 come with another one beside them.
  const bool is_older = verdict.code == 0 || (verdict.code == verdict.error_code && verdict.code < 100);
  if (is_older) return look_up(kOlderCodes, verdict.error_code);
  return look_up(kCodes, verdict.code);
}

}  // namespace

std::string short_reason(std::string_view reason) {
  std::string text;
  for (const char c : reason.substr(0, kMaxReasonBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  if (reason.size() > kMaxReasonBytes) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.pop_back();  // no half characters
    text += "...";
  }
  return text;
}

core::Status status_of(const MilvusVerdict& verdict, std::string_view where) {
  if (verdict.ok()) return {};
  return core::fail(meaning_of(verdict), fmt::format("{}: {} (code {}, error_code {})", where, short_reason(verdict.reason),
                                                     verdict.code, verdict.error_code));
}

}  // namespace scalestyle::adapters::milvus
