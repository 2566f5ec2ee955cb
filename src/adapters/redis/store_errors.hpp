#pragma once
// Errors of Redis as a store's callers know them. Pure.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/redis_client.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::redis {

// Of a key that is read: what has another type or is no data of ours is kDataLoss, what this user may not do kUnavailable.
// The message begins with the key.
[[nodiscard]] core::Error read_error(core::Error error, std::string_view key);

// Of a key that is written: the code stays.
[[nodiscard]] core::Error write_error(core::Error error, std::string_view key);

[[nodiscard]] std::unexpected<core::Error> damaged_key(std::string_view key, std::string_view what);

// The first error of a pipeline, by write_error() of its command's key; success where there is none.
[[nodiscard]] core::Status first_error(const std::vector<core::Result<RedisValue>>& results,
                                       const std::vector<std::string>& keys);

}  // namespace scalestyle::adapters::redis
