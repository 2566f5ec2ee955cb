#include "adapters/redis/error_reply.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using Kind = ErrorReply::Kind;

struct Known {
  std::string_view word;
  Kind kind;
  ErrorCode code;
};

constexpr std::array kKnown{
    Known{"MOVED", Kind::kMoved, ErrorCode::kUnavailable},
    Known{"ASK", Kind::kAsk, ErrorCode::kUnavailable},
    Known{"CLUSTERDOWN", Kind::kTryLater, ErrorCode::kUnavailable},
    Known{"TRYAGAIN", Kind::kTryLater, ErrorCode::kUnavailable},
    Known{"READONLY", Kind::kReadOnly, ErrorCode::kUnavailable},
    Known{"LOADING", Kind::kOther, ErrorCode::kUnavailable},
    Known{"MASTERDOWN", Kind::kOther, ErrorCode::kUnavailable},
    Known{"BUSY", Kind::kOther, ErrorCode::kUnavailable},
    Known{"MISCONF", Kind::kOther, ErrorCode::kUnavailable},
    Known{"NOREPLICAS", Kind::kOther, ErrorCode::kUnavailable},
    Known{"UNBLOCKED", Kind::kOther, ErrorCode::kUnavailable},
    Known{"OOM", Kind::kOther, ErrorCode::kResourceExhausted},
    Known{"NOSCRIPT", Kind::kNoScript, ErrorCode::kFailedPrecondition},
    Known{"NOAUTH", Kind::kAuthentication, ErrorCode::kPermissionDenied},
    Known{"WRONGPASS", Kind::kAuthentication, ErrorCode::kPermissionDenied},
    Known{"NOPERM", Kind::kOther, ErrorCode::kPermissionDenied},
};

// "3999 127.0.0.1:6381"; of a node that does not know its own name ":6381".
bool read_target(std::string_view text, ErrorReply& reply) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), reply.slot);
  if (error != std::errc() || reply.slot >= 16'384 || end == text.data() + text.size() || *end != ' ') return false;
  std::string where(text.substr(static_cast<std::size_t>(end - text.data()) + 1));
  const bool hostless = where.starts_with(':');
  if (hostless) where.insert(0, "?");
  auto target = Endpoint::parse(where);
  if (!target) return false;
  if (hostless || target->host == "?") target->host.clear();
  reply.target = std::move(*target);
  return true;
}

}  // namespace

ErrorReply parse_error_reply(std::string_view text) {
  ErrorReply reply;
  const auto space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  if (text.starts_with("ERR max number of clients")) reply.code = ErrorCode::kUnavailable;
  for (const auto& known : kKnown) {
    if (known.word != word) continue;
    reply.kind = known.kind;
    reply.code = known.code;
  }
  if (reply.kind == Kind::kMoved || reply.kind == Kind::kAsk) {
    if (space == std::string_view::npos || !read_target(text.substr(space + 1), reply)) {
      reply = {};
      reply.code = ErrorCode::kDataLoss;
    }
  }
  return reply;
}

core::Error error_of(const std::string& node, std::string_view text, core::ErrorCode code) {
  return core::fail(code, fmt::format("redis {}: {}", node, text)).error();
}

}  // namespace scalestyle::adapters::redis
