#pragma once
// Error replies of Redis: what the client does about them, and which core::Error they are.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/redis/endpoint.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::redis {

struct ErrorReply {
  enum class Kind : std::uint8_t {
    kOther,
    kMoved,        // the slot has another master for good
    kAsk,          // this key alone is on its way to another node
    kTryLater,     // CLUSTERDOWN, TRYAGAIN: nothing was done, and that will pass
    kReadOnly,     // a replica, a demoted master
    kNoScript,
    kAuthentication,  // NOAUTH, WRONGPASS
  };
  Kind kind = Kind::kOther;
  core::ErrorCode code = core::ErrorCode::kFailedPrecondition;
  std::uint16_t slot = 0;                // kMoved, kAsk
  std::optional<Endpoint> target{};      // kMoved, kAsk; an empty host means that of the node that answered
};

// `text` without "-". A MOVED or ASK that cannot be read is kOther with kDataLoss.
[[nodiscard]] ErrorReply parse_error_reply(std::string_view text);

// "redis 127.0.0.1:6379: WRONGTYPE …"
[[nodiscard]] core::Error error_of(const std::string& node, std::string_view text, core::ErrorCode code);

}  // namespace scalestyle::adapters::redis
