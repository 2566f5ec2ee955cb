#pragma once
// What masters say of themselves: the questions, and RedisFacts from the answers.

#include <string>
#include <vector>

#include "adapters/redis/redis_client.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::redis {

// Of one master.
[[nodiscard]] const std::vector<std::vector<std::string>>& facts_questions();

// `answers`: to all questions of the first master, then of the next. The first answer that no fact can do without and that is
// an error is the error; what a user may not ask stays empty.
[[nodiscard]] core::Result<RedisFacts> facts_of(const std::vector<core::Result<RedisValue>>& answers);

// "name:value" of an answer to INFO; empty where it is not in it.
[[nodiscard]] std::string info_field(std::string_view info, std::string_view name);

}  // namespace scalestyle::adapters::redis
