#include "adapters/redis/popularity_keeper.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

namespace scalestyle::adapters::redis {

namespace {

constexpr std::size_t kItemsAtOnce = 5'000;      // of one HMGET
constexpr std::size_t kMostFollowed = 50'000;    // changes; more are read as a whole
constexpr std::string_view kScanCount = "2000";  // fields of a step

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<std::string> texts_of(const RedisValue& array) {
  std::vector<std::string> texts;
  for (const RedisValue& element : array.elements) texts.push_back(element.text);
  return texts;
}

}  // namespace

core::Task<core::Result<RedisValue>> PopularityKeeper::call(RedisCommand command, core::Deadline deadline) {
  auto reply = co_await context_.client.call(std::move(command), deadline);
  if (!reply) co_return std::unexpected(as_store_error(reply.error()));
  co_return reply;
}

core::Task<core::Result<PopularityKeeper::State>> PopularityKeeper::read_state(core::Deadline deadline) {
  RedisCommand read = key_command({"HGETALL", context_.keys.state()});
  CORE_CO_TRY(const RedisValue fields, co_await call(std::move(read), deadline));
  State state;
  for (std::size_t i = 0; i + 1 < fields.elements.size(); i += 2) {
    const std::string& name = fields.elements[i].text;
    const std::string& value = fields.elements[i + 1].text;
    if (name == "version") {
      state.version = number_of<std::uint64_t>(value);
    } else if (name == "complete_from") {
      state.complete_from = number_of<std::uint64_t>(value);
    } else if (name == "newest") {
      state.newest_ms = number_of<events::EpochMs>(value);
    } else {
      state.merged.emplace(name, value);
    }
  }
  co_return state;
}

core::Task<core::Status> PopularityKeeper::refresh(core::Deadline deadline) {
  CORE_CO_TRY(State state, co_await read_state(deadline));
  if (state.version != state_.version) {
    const bool can_follow = state_.version != 0 && state_.version < state.version && state_.version >= state.complete_from;
    bool followed = false;
    if (can_follow) {
      CORE_CO_TRY(followed, co_await follow(deadline));
    }
    if (!followed) {
      CORE_CO_CHECK(co_await load(deadline));
    }
  }
  newest_ms_.store(state.newest_ms, std::memory_order_relaxed);
  state_ = std::move(state);
  loaded_.store(true, std::memory_order_release);
  co_return core::Status{};
}

// A scan gives every item that is there from its beginning to its end; what changes meanwhile has a later version than the one
// that was read before, and is read again then.
core::Task<core::Status> PopularityKeeper::load(core::Deadline deadline) {
  std::unordered_set<std::string> found;
  std::string cursor = "0";
  do {
    RedisCommand scan = key_command({"HSCAN", context_.keys.items(), cursor, "COUNT", std::string(kScanCount)});
    CORE_CO_TRY(const RedisValue step, co_await call(std::move(scan), deadline));
    if (step.elements.size() != 2) co_return core::fail(core::ErrorCode::kUnavailable, "HSCAN of " + context_.keys.items() + " gave no step");
    cursor = step.elements[0].text;
    const auto& fields = step.elements[1].elements;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      put(fields[i].text, fields[i + 1].text);
      found.insert(fields[i].text);
    }
  } while (cursor != "0");
  for (const std::string& id : table_.item_ids()) {
    if (!found.contains(id)) table_.erase(id);
  }
  co_return core::Status{};
}

core::Task<core::Result<bool>> PopularityKeeper::follow(core::Deadline deadline) {
  const std::string after = "(" + std::to_string(state_.version);
  const std::string most = std::to_string(kMostFollowed + 1);
  std::vector<RedisCommand> reads;
  for (const std::string& key : {context_.keys.changes(), context_.keys.removed()}) {
    reads.push_back(key_command({"ZRANGEBYSCORE", key, after, "+inf", "LIMIT", "0", most}));
  }
  auto replies = co_await context_.client.pipeline(std::move(reads), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (const auto& reply : *replies) {
    if (!reply) co_return std::unexpected(as_store_error(reply.error()));
    if (reply->elements.size() > kMostFollowed) co_return false;
  }
  for (const std::string& id : texts_of(*(*replies)[1])) table_.erase(id);
  std::vector<std::string> changed = texts_of(*(*replies)[0]);
  CORE_CO_CHECK(co_await read_items(std::move(changed), deadline));
  co_return true;
}

core::Task<core::Status> PopularityKeeper::read_items(std::vector<std::string> ids, core::Deadline deadline) {
  std::vector<RedisCommand> reads;
  for (std::size_t begin = 0; begin < ids.size(); begin += kItemsAtOnce) {
    std::vector<std::string> arguments{"HMGET", context_.keys.items()};
    for (std::size_t i = begin; i < std::min(ids.size(), begin + kItemsAtOnce); ++i) arguments.push_back(ids[i]);
    reads.push_back(key_command(std::move(arguments)));
  }
  if (reads.empty()) co_return core::Status{};
  auto replies = co_await context_.client.pipeline(std::move(reads), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (std::size_t part = 0; part < replies->size(); ++part) {
    const auto& reply = (*replies)[part];
    if (!reply) co_return std::unexpected(as_store_error(reply.error()));
    for (std::size_t i = 0; i < reply->elements.size(); ++i) {
      const std::string& id = ids[part * kItemsAtOnce + i];
      if (reply->elements[i].is_null()) {
        table_.erase(id);  // removed since
      } else {
        put(id, reply->elements[i].text);
      }
    }
  }
  co_return core::Status{};
}

void PopularityKeeper::put(const std::string& item_id, const std::string& bytes) {
  events::ItemRecord record;
  if (record.decode(bytes)) {
    table_.put(item_id, record);
    return;
  }
  log_.warning("popularity of an item cannot be read and counts as none", {{"key", context_.keys.items()}, {"item", item_id}});
  table_.erase(item_id);
}

}  // namespace scalestyle::adapters::redis
