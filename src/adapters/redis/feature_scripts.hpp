#pragma once
// The Lua scripts of the feature store. Each touches keys of one slot, checks their types before it writes anything, and
// answers "CONFLICT" when what the caller read has changed meanwhile: it then changed nothing.
//
// Thread safety: immutable.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/redis_client.hpp"

namespace scalestyle::adapters::redis {

inline constexpr std::string_view kConflict = "CONFLICT";
inline constexpr std::string_view kStreamFull = "STREAMFULL";  // a shard's contributions wait to be merged; nothing was changed

struct FeatureScripts {
  FeatureScripts();

  std::shared_ptr<const RedisScript> write_subject;
  std::shared_ptr<const RedisScript> take_session;
  std::shared_ptr<const RedisScript> advance_positions;
  std::shared_ptr<const RedisScript> hold_lease;
  std::shared_ptr<const RedisScript> merge_popularity;
};

// A call of `script` on `keys` (of one slot).
[[nodiscard]] RedisCommand script_call(const std::shared_ptr<const RedisScript>& script, std::vector<std::string> keys,
                                       std::vector<std::string> arguments);
// A plain command; the second argument is its key.
[[nodiscard]] RedisCommand key_command(std::vector<std::string> arguments);

}  // namespace scalestyle::adapters::redis
