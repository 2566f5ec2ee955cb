#include "adapters/redis/store_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::adapters::redis {

core::Error write_error(core::Error error, std::string_view key) {
  error.message = fmt::format("{}: {}", key, error.message);
  return error;
}

core::Error read_error(core::Error error, std::string_view key) {
  if (error.code == core::ErrorCode::kFailedPrecondition) error.code = core::ErrorCode::kDataLoss;
  if (error.code == core::ErrorCode::kPermissionDenied || error.code == core::ErrorCode::kResourceExhausted) {
    error.code = core::ErrorCode::kUnavailable;
  }
  error.retryable = error.code == core::ErrorCode::kUnavailable || error.code == core::ErrorCode::kDeadlineExceeded;
  return write_error(std::move(error), key);
}

std::unexpected<core::Error> damaged_key(std::string_view key, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; it is damaged, ingest again", key, what));
}

core::Status first_error(const std::vector<core::Result<RedisValue>>& results, const std::vector<std::string>& keys) {
  const auto failed = std::ranges::find_if(results, [](const auto& result) { return !result.has_value(); });
  if (failed == results.end()) return {};
  const auto at = static_cast<std::size_t>(failed - results.begin());
  return std::unexpected(write_error(failed->error(), keys[std::min(at, keys.size() - 1)]));
}

}  // namespace scalestyle::adapters::redis
