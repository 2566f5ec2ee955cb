// What a merge turn does beyond reading: see popularity_keeper.hpp.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <numbers>
#include <tuple>

#include "adapters/redis/popularity_keeper.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr std::size_t kMostExpired = 1'000;    // items that go in one turn because they are old
constexpr std::size_t kGlobalAtOnce = 1'000;   // members of one ZADD
constexpr std::string_view kFenceMs = "60000";

std::uint64_t wall_ms(const core::Clock& clock) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count());
}

// The smallest entry id after `id`.
std::string next_entry(const std::string& id) {
  const std::size_t dash = id.find('-');
  std::uint64_t sequence = 0;
  if (dash != std::string::npos) std::from_chars(id.data() + dash + 1, id.data() + id.size(), sequence);
  return id.substr(0, dash) + "-" + std::to_string(sequence + 1);
}

events::Event event_of(const Contribution& one) {
  events::Event event;
  event.type = events::EventType::kClick;
  event.item_id = one.item_id;
  event.weight = one.weight;
  event.event_time_ms = one.time_ms;
  event.received_time_ms = one.received_ms;
  return event;
}

}  // namespace

core::Task<core::Result<bool>> PopularityKeeper::merge(core::Deadline deadline) {
  CORE_CO_CHECK(co_await refresh(deadline));
  if (!trimmed_) {
    // What a merger before left undone: entries that are merged and still there, items that are not among the popular ones.
    CORE_CO_CHECK(co_await trim(state_.merged, deadline));
    Fold all;
    for (const std::string& id : table_.item_ids()) all.items.emplace(id, *table_.find(id));
    CORE_CO_CHECK(co_await publish_global(all, deadline));
    trimmed_ = true;
  }
  Fold fold;
  std::vector<Contribution> contributions;
  const core::Status read = co_await read_shards(fold, contributions, deadline);
  if (fold.merged.empty()) {
    if (!read) co_return std::unexpected(read.error());
    co_return false;
  }
  fold_items(std::move(contributions), fold);
  choose_removals(fold);
  core::crash_point("redis.popularity.read");
  CORE_CO_TRY(const bool written, co_await write(fold, deadline));
  if (!written) co_return true;  // another merged meanwhile
  core::crash_point("redis.popularity.merged");
  CORE_CO_CHECK(co_await trim(fold.merged, deadline));
  core::crash_point("redis.popularity.trimmed");
  CORE_CO_CHECK(co_await publish_global(fold, deadline));
  if (!read) co_return std::unexpected(read.error());
  co_return fold.more;
}

core::Task<core::Status> PopularityKeeper::read_shards(Fold& fold, std::vector<Contribution>& contributions, core::Deadline deadline) {
  const std::string count = std::to_string(options_.max_entries);
  std::vector<RedisCommand> reads;
  for (std::size_t shard = 0; shard < context_.keys.shards(); ++shard) {
    const auto merged = state_.merged.find(std::to_string(shard));
    const std::string first = merged == state_.merged.end() ? "-" : "(" + merged->second;
    reads.push_back(key_command({"XRANGE", context_.keys.contributions(shard), first, "+", "COUNT", count}));
  }
  auto replies = co_await context_.client.pipeline(std::move(reads), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  CORE_CO_CHECK(co_await fence(*replies, deadline));
  core::Status status;
  for (std::size_t shard = 0; shard < replies->size(); ++shard) {
    const auto& reply = (*replies)[shard];
    if (reply) {
      take_entries(shard, *reply, fold, contributions);
    } else if (status) {
      status = std::unexpected(as_store_error(reply.error()));
      status.error().message = context_.keys.contributions(shard) + ": " + status.error().message;
    }
  }
  co_return status;
}

core::Task<core::Status> PopularityKeeper::fence(std::vector<core::Result<RedisValue>>& replies, core::Deadline deadline) {
  if (context_.replicas == 0) co_return core::Status{};
  std::vector<RedisCommand> writes;
  std::vector<std::size_t> shards;
  for (std::size_t shard = 0; shard < replies.size(); ++shard) {
    if (!replies[shard] || replies[shard]->elements.empty()) continue;
    writes.push_back(key_command({"SET", context_.keys.fence(shard), "", "PX", std::string(kFenceMs)}));
    shards.push_back(shard);
  }
  if (writes.empty()) co_return core::Status{};
  auto written = co_await context_.client.pipeline_replicated(std::move(writes), context_.replicas, deadline);
  if (!written) co_return std::unexpected(as_store_error(written.error()));
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (!(*written)[i]) replies[shards[i]] = std::unexpected((*written)[i].error());
  }
  co_return core::Status{};
}

// An entry: its id, and [field, value, …].
void PopularityKeeper::take_entries(std::size_t shard, const RedisValue& entries, Fold& fold, std::vector<Contribution>& contributions) {
  if (entries.elements.empty()) return;
  for (const RedisValue& entry : entries.elements) {
    const bool shaped = entry.elements.size() == 2 && entry.elements[1].elements.size() == 2;
    const std::size_t before = contributions.size();
    if (!shaped || !decode_contributions(entry.elements[1].elements[1].text, contributions)) {
      contributions.resize(before);
      log_.error("an entry of contributions to popularity cannot be read and is passed over",
                 {{"key", context_.keys.contributions(shard)}, {"entry", entry.elements.empty() ? "" : entry.elements[0].text}});
    }
  }
  fold.merged[std::to_string(shard)] = entries.elements.back().elements.at(0).text;
  fold.entries += entries.elements.size();
  fold.more = fold.more || entries.elements.size() >= options_.max_entries;
}

void PopularityKeeper::fold_items(std::vector<Contribution> contributions, Fold& fold) const {
  std::ranges::sort(contributions, {}, [](const Contribution& one) {
    return std::tuple(one.received_ms, one.time_ms, std::string_view(one.item_id), one.weight);
  });
  const events::EpochMs ttl = events::item_ttl_ms(context_.features);
  for (const Contribution& one : contributions) {
    const auto [place, is_new] = fold.items.try_emplace(one.item_id);
    events::ItemRecord& record = place->second;
    if (const events::ItemRecord* known = is_new ? table_.find(one.item_id) : nullptr) record = *known;
    if (record.last_event_ms() != 0 && record.last_event_ms() < one.received_ms - ttl) record = events::ItemRecord();
    record.apply(event_of(one), context_.features.global_half_life_seconds);
    fold.newest_ms = std::max(fold.newest_ms, one.received_ms);
  }
  fold.newest_ms = std::max(fold.newest_ms, state_.newest_ms);
}

// What has expired, and beyond the bound what is least recently active, by (last event time, id).
void PopularityKeeper::choose_removals(Fold& fold) const {
  PopularityTable::Order changed;
  std::size_t count = table_.size();
  for (const auto& [id, record] : fold.items) {
    changed.emplace(record.last_event_ms(), id);
    if (table_.find(id) == nullptr) ++count;
  }
  const events::EpochMs expired = fold.newest_ms - events::item_ttl_ms(context_.features);
  for (auto next = table_.by_activity().begin(); next != table_.by_activity().end(); ++next) {
    const bool expires = next->first < expired && fold.removed.size() < kMostExpired;
    if (!expires && count <= options_.max_items) break;
    if (fold.items.contains(std::string(next->second))) continue;
    while (count > options_.max_items && !changed.empty() && *changed.begin() < *next) {
      const std::string id(changed.begin()->second);
      changed.erase(changed.begin());
      fold.items.erase(id);
      if (table_.find(id) != nullptr) fold.removed.push_back(id);
      --count;
    }
    if (!expires && count <= options_.max_items) break;
    fold.removed.emplace_back(next->second);
    --count;
  }
  for (; count > options_.max_items && !changed.empty(); --count) {
    const std::string id(changed.begin()->second);
    changed.erase(changed.begin());
    fold.items.erase(id);
    if (table_.find(id) != nullptr) fold.removed.push_back(id);
  }
}

core::Task<core::Result<bool>> PopularityKeeper::write(const Fold& fold, core::Deadline deadline) {
  // By the clock, so that a version that a failover took back is not given again to something else.
  const std::uint64_t version = std::max(state_.version + 1, wall_ms(context_.clock));
  std::vector<std::string> arguments;
  for (const std::uint64_t number : {state_.version, version, static_cast<std::uint64_t>(fold.newest_ms), std::uint64_t{options_.max_removed},
                                     std::uint64_t{fold.items.size()}, std::uint64_t{fold.removed.size()}, std::uint64_t{fold.merged.size()}}) {
    arguments.push_back(std::to_string(number));
  }
  for (const auto& [id, record] : fold.items) {
    arguments.push_back(id);
    record.encode(arguments.emplace_back());
  }
  arguments.insert(arguments.end(), fold.removed.begin(), fold.removed.end());
  for (const auto& [shard, entry] : fold.merged) {
    arguments.push_back(shard);
    arguments.push_back(entry);
  }
  const FeatureKeys& keys = context_.keys;
  std::vector<RedisCommand> writes;
  writes.push_back(script_call(context_.scripts.merge_popularity, {keys.items(), keys.changes(), keys.removed(), keys.state()},
                               std::move(arguments)));
  auto replies = co_await context_.client.pipeline_replicated(std::move(writes), context_.replicas, deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  const auto& reply = replies->front();
  if (!reply) co_return std::unexpected(as_store_error(reply.error()));
  if (reply->text == kConflict) co_return false;
  for (const auto& [id, record] : fold.items) table_.put(id, record);
  for (const std::string& id : fold.removed) table_.erase(id);
  state_.version = version;
  state_.newest_ms = fold.newest_ms;
  for (const auto& [shard, entry] : fold.merged) state_.merged[shard] = entry;
  newest_ms_.store(fold.newest_ms, std::memory_order_relaxed);
  entries_merged_.fetch_add(fold.entries, std::memory_order_relaxed);
  co_return true;
}

core::Task<core::Status> PopularityKeeper::trim(const std::map<std::string, std::string>& merged, core::Deadline deadline) {
  std::vector<RedisCommand> trims;
  for (const auto& [shard, entry] : merged) {
    std::size_t number = 0;
    std::from_chars(shard.data(), shard.data() + shard.size(), number);
    trims.push_back(key_command({"XTRIM", context_.keys.contributions(number), "MINID", next_entry(entry)}));
  }
  if (trims.empty()) co_return core::Status{};
  const auto replies = co_await context_.client.pipeline(std::move(trims), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  co_return core::Status{};
}

// ln(value) + λ·t orders as the decayed values do at any time, and only grows with events: nothing has to be rewritten, and of
// two writers the later one cannot undo the other (GT).
core::Task<core::Status> PopularityKeeper::publish_global(const Fold& fold, core::Deadline deadline) {
  const std::string key = context_.keys.global_popular();
  const double lambda = std::numbers::ln2 / context_.features.global_half_life_seconds;
  std::vector<RedisCommand> writes;
  std::vector<std::string> members;
  const auto flush = [&](std::vector<std::string> begin) {
    if (members.empty()) return;
    begin.insert(begin.end(), members.begin(), members.end());
    members.clear();
    writes.push_back(key_command(std::move(begin)));
  };
  for (const auto& [id, record] : fold.items) {
    const events::DecayedScore& score = record.global();
    if (score.value <= 0) continue;
    members.push_back(fmt::format("{}", std::log(score.value) + lambda * static_cast<double>(score.time_ms) / 1'000));
    members.push_back(id);
    if (members.size() >= 2 * kGlobalAtOnce) flush({"ZADD", key, "GT"});
  }
  flush({"ZADD", key, "GT"});
  members = fold.removed;
  flush({"ZREM", key});
  if (writes.empty()) co_return core::Status{};
  writes.push_back(key_command({"ZREMRANGEBYRANK", key, "0", std::to_string(-static_cast<std::int64_t>(options_.max_global) - 1)}));
  writes.push_back(key_command({"PEXPIRE", key, std::to_string(events::item_ttl_ms(context_.features))}));
  const auto replies = co_await context_.client.pipeline(std::move(writes), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (const auto& reply : *replies) {
    if (!reply) co_return std::unexpected(as_store_error(reply.error()));
  }
  co_return core::Status{};
}

}  // namespace scalestyle::adapters::redis
