#include "search/ranked_list_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::search {

core::Status ListCacheOptions::validate() const {
  constexpr std::chrono::milliseconds kMost{60'000};
  if (stale_for < std::chrono::milliseconds(0) || stale_for > kMost) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("list_cache_stale_ms must be 0 to {}, not {}", kMost.count(), stale_for.count()), "list_cache_stale_ms");
  }
  return {};
}

bool RankedListCache::is_just_switched(const std::string& generation) {
  const core::SteadyTime now = clock_.steady_now();
  // A request that still holds what was served before asks for an older generation: that is no switch.
  if (newest_ != generation && previous_ != generation) {
    previous_ = std::exchange(newest_, generation);
    newest_since_ = now;
  }
  return newest_ == generation && now - newest_since_ < options_.stale_for;
}

std::optional<RankedListCache::Found> RankedListCache::find(const std::string& key, const ListVersion& version) {
  const std::lock_guard lock(mutex_);
  const bool just_switched = is_just_switched(version.generation);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++misses_;
    return std::nullopt;
  }
  const Entry& entry = *found->second;
  const bool is_current = entry.version == version;
  if (!is_current && !(just_switched && entry.version.generation != version.generation)) {
    ++misses_;
    return std::nullopt;
  }
  ++(is_current ? hits_ : stale_hits_);
  entries_.splice(entries_.begin(), entries_, found->second);
  return Found{entry.list, is_current};
}

std::shared_ptr<const RankedList> RankedListCache::peek(const std::string& key, const ListVersion& version) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  return found == by_key_.end() || found->second->version != version ? nullptr : found->second->list;
}

std::shared_ptr<const RankedList> RankedListCache::last_good(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second->list;
}

void RankedListCache::put(const std::string& key, ListVersion version, std::shared_ptr<const RankedList> list) {
  constexpr std::size_t kPerEntry = sizeof(Entry) + 96;  // with the nodes of list and table
  const std::size_t bytes = kPerEntry + key.size() + version.generation.size() + list->bytes();
  Entries gone;  // freed outside the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    const auto entry = found->second;
    if (entry->version == version && entry->list->depth() > list->depth()) return;
    by_key_.erase(found);
    bytes_ -= entry->bytes;
    gone.splice(gone.begin(), entries_, entry);
  }
  if (bytes > options_.max_bytes) return;
  while (bytes_ + bytes > options_.max_bytes) {
    const auto last = std::prev(entries_.end());
    by_key_.erase(last->key);
    bytes_ -= last->bytes;
    gone.splice(gone.begin(), entries_, last);
    ++evictions_;
  }
  entries_.push_front({key, std::move(version), std::move(list), bytes, clock_.steady_now()});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
}

ListCacheStats RankedListCache::stats() const {
  const std::lock_guard lock(mutex_);
  ListCacheStats stats{.entries = entries_.size(), .bytes = bytes_, .max_bytes = options_.max_bytes, .hits = hits_,
                       .stale_hits = stale_hits_, .misses = misses_, .evictions = evictions_};
  if (entries_.empty()) return stats;
  const auto [oldest, newest] = std::ranges::minmax_element(entries_, {}, &Entry::made);
  const core::SteadyTime now = clock_.steady_now();
  stats.oldest_age = now - oldest->made;
  stats.newest_age = now - newest->made;
  return stats;
}

}  // namespace scalestyle::search
