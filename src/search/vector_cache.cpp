#include "search/vector_cache.hpp"

#include <utility>

namespace scalestyle::search {

namespace {

constexpr std::size_t kEntryOverhead = 192;  // nodes of list and table, the shared vector's head

}  // namespace

VectorCache::Vector VectorCache::find(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->vector;
}

VectorCache::Vector VectorCache::peek(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : found->second->vector;
}

void VectorCache::put(std::string_view key, Vector vector) {
  const std::size_t bytes = kEntryOverhead + key.size() + vector->size() * sizeof(float);
  if (bytes > max_bytes_) return;
  const std::lock_guard lock(mutex_);
  if (places_.contains(key)) return;  // the same vector
  entries_.push_front({std::string(key), std::move(vector), bytes});
  places_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > max_bytes_) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.bytes;
    places_.erase(oldest.key);
    entries_.pop_back();
    ++evictions_;
  }
}

VectorCache::Statistics VectorCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return {.hits = hits_, .misses = misses_, .evictions = evictions_, .entries = entries_.size(), .bytes = bytes_,
          .max_bytes = max_bytes_};
}

}  // namespace scalestyle::search
