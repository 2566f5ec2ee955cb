#include "adapters/redis/redis_catalog_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/redis/catalog_change_codec.hpp"
#include "adapters/redis/catalog_change_scripts.hpp"
#include "adapters/redis/store_errors.hpp"
#include "events/event_id.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr std::size_t kMaxRead = 100'000;
constexpr std::size_t kReadSlice = 1'000;
constexpr const char* kSettleSlice = "1000";
constexpr const char* kBatchLifetimeMs = "600000";
constexpr std::array<std::string_view, 5> kParts{"sequence", "log", "articles", "vectors", "vector_sequences"};
constexpr std::size_t kLog = 1;
constexpr std::size_t kVectors = 3;

std::optional<std::int64_t> integer_of(const RedisValue& value) {
  if (value.kind == RedisValue::Kind::kInteger) return value.integer;
  std::int64_t number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto parsed = std::from_chars(value.text.data(), end, number);
  if (value.kind != RedisValue::Kind::kText || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return number;
}

// An answer that never came may be of a batch that was kept.
ports::AppendFailure failure_of(core::Error error, const std::string& key) {
  const bool answered = error.code == core::ErrorCode::kFailedPrecondition || error.code == core::ErrorCode::kPermissionDenied ||
                        error.code == core::ErrorCode::kResourceExhausted;
  const auto outcome = answered ? ports::AppendOutcome::kNotKept : ports::AppendOutcome::kUnknown;
  return {outcome, write_error(std::move(error), key)};
}

std::unexpected<ports::AppendFailure> not_kept(core::ErrorCode code, std::string message, std::string field = {}) {
  return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept,
                                              core::fail(code, std::move(message), std::move(field)).error()});
}

}  // namespace

RedisCommand RedisCatalogChanges::script_command(std::size_t keys) const {
  RedisCommand command;
  command.key = keys_.change(kParts[kLog]);
  command.arguments.push_back(std::to_string(keys));
  for (const std::string_view part : kParts) command.arguments.push_back(keys_.change(part));
  return command;
}

core::Task<std::expected<std::int64_t, ports::AppendFailure>> RedisCatalogChanges::append(ports::ChangeBatch batch,
                                                                                         core::Deadline deadline) {
  RedisCommand command = script_command(kParts.size() + 1);
  const std::string log = command.key;
  command.script = append_changes_script();
  auto& arguments = command.arguments;
  arguments.push_back(keys_.change("batch:" + events::make_event_id()));
  arguments.push_back(std::to_string(max_changes_));
  arguments.push_back(std::to_string(batch.only_after.value_or(-1)));
  arguments.push_back(std::to_string(batch.time_ms));
  arguments.emplace_back(kBatchLifetimeMs);
  arguments.push_back(std::to_string(batch.changes.size()));
  for (const catalog::ArticleChange& change : batch.changes) {
    arguments.push_back(change.id.text());
    arguments.push_back(std::to_string(static_cast<unsigned>(change.kind)));
    arguments.push_back(std::to_string(change.columns()));
    arguments.push_back(pack_change(change));
  }
  for (const ports::ArticleVector& vector : batch.vectors) {
    arguments.push_back(vector.article.text());
    arguments.push_back(pack_vector(vector, batch.encoder));
  }
  auto reply = co_await client_.call(std::move(command), deadline);
  if (!reply) co_return std::unexpected(failure_of(std::move(reply).error(), log));
  const auto outcome = reply->elements.size() == 2 ? integer_of(reply->elements[0]) : std::nullopt;
  const auto number = outcome ? integer_of(reply->elements[1]) : std::nullopt;
  if (number && *outcome == 0) co_return *number;
  if (number && *outcome == 1) {
    co_return not_kept(core::ErrorCode::kResourceExhausted,
                       fmt::format("{}: {} changes are kept since the last ingest, at most {} may be: ingest the catalogue anew",
                                   log, *number, max_changes_));
  }
  if (number && *outcome == 2) {
    co_return not_kept(core::ErrorCode::kFailedPrecondition,
                       fmt::format("{}: {} changes were made after change {}", log, *number, batch.only_after.value_or(0)),
                       std::string(ports::kOnlyAfterField));
  }
  core::Error strange = damaged_key(log, "the script's answer is none").error();
  co_return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kUnknown, std::move(strange)});
}

core::Task<core::Result<std::vector<ports::LoggedChange>>> RedisCatalogChanges::read(std::int64_t after, std::size_t limit,
                                                                                    core::Deadline deadline) {
  if (limit == 0 || limit > kMaxRead) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "a read gives 1 to 100,000 changes", "limit");
  }
  const std::string log = keys_.change(kParts[kLog]);
  std::vector<ports::LoggedChange> found;
  while (found.size() < limit) {
    const std::size_t slice = std::min(kReadSlice, limit - found.size());
    RedisCommand command;
    command.key = log;
    command.arguments = {"ZRANGEBYSCORE", log, fmt::format("({}", after), "+inf", "LIMIT", "0", std::to_string(slice)};
    auto reply = co_await client_.call(std::move(command), deadline);
    if (!reply) co_return std::unexpected(read_error(std::move(reply).error(), log));
    for (const RedisValue& member : reply->elements) {
      CORE_CO_TRY(auto change, unpack_change(member.text, log));
      if (change.sequence <= after) co_return damaged_key(log, fmt::format("change {} is out of order", change.sequence));
      after = change.sequence;
      found.push_back(std::move(change));
    }
    if (reply->elements.size() < slice) break;
  }
  co_return found;
}

core::Task<core::Result<std::vector<ports::ArticleVector>>> RedisCatalogChanges::vectors(ports::EncoderInfo encoder,
                                                                                        core::Deadline deadline) {
  const std::string key = keys_.change(kParts[kVectors]);
  std::vector<ports::ArticleVector> found;
  std::string cursor = "0";
  do {
    RedisCommand command;
    command.key = key;
    command.arguments = {"HSCAN", key, cursor, "COUNT", "1000"};
    auto reply = co_await client_.call(std::move(command), deadline);
    if (!reply) co_return std::unexpected(read_error(std::move(reply).error(), key));
    if (reply->elements.size() != 2) co_return damaged_key(key, "the answer of HSCAN is none");
    cursor = reply->elements[0].text;
    const auto& pairs = reply->elements[1].elements;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      CORE_CO_TRY(auto vector, unpack_vector(pairs[i].text, pairs[i + 1].text, encoder, key));
      if (vector) found.push_back(std::move(*vector));
    }
  } while (cursor != "0");
  // A hash that grows meanwhile may give some twice.
  std::ranges::stable_sort(found, {}, &ports::ArticleVector::article);
  const auto repeated = std::ranges::unique(found, {}, &ports::ArticleVector::article);
  found.erase(repeated.begin(), repeated.end());
  co_return found;
}

core::Task<core::Status> RedisCatalogChanges::settle(std::int64_t sequence, std::int64_t until_ms, core::Deadline deadline) {
  std::string from = "0";
  while (true) {
    RedisCommand command = script_command(kParts.size());
    const std::string log = command.key;
    command.script = settle_changes_script();
    command.arguments.push_back(std::to_string(sequence));
    command.arguments.push_back(std::to_string(until_ms));
    command.arguments.push_back(from);
    command.arguments.emplace_back(kSettleSlice);
    auto reply = co_await client_.call(std::move(command), deadline);
    if (!reply) co_return std::unexpected(read_error(std::move(reply).error(), log));
    if (reply->elements.size() != 3) co_return damaged_key(log, "the script's answer is none");
    from = reply->elements[0].text;
    const bool more = std::to_string(reply->elements[1].integer) == kSettleSlice ||
                      std::to_string(reply->elements[2].integer) == kSettleSlice;
    if (!more) co_return core::Status();
  }
}

}  // namespace scalestyle::adapters::redis
