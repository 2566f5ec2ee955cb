#include "adapters/redis/popularity_table.hpp"

#include <algorithm>

namespace scalestyle::adapters::redis {

namespace {

// The window that turns over most often decides when sums change by time alone.
std::uint64_t bucket_now(events::EpochMs now_ms) {
  constexpr std::int64_t kMost = (std::int64_t{1} << 24) - 1;
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(events::bucket_of(now_ms, shape(events::Window::k1h)), 0, kMost));
}

}  // namespace

void PopularityTable::put(const std::string& item_id, const events::ItemRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(item_id);
  std::uint32_t at = 0;
  if (known != index_.end()) {
    at = known->second;
    order_.erase({slots_[at].record.last_event_ms(), slots_[at].item_id});
  } else {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    at = free_.back();
    free_.pop_back();
    slots_[at].item_id = item_id;
    index_.emplace(slots_[at].item_id, at);
  }
  Slot& slot = slots_[at];
  slot.record = record;
  slot.counter = ++counter_;
  order_.emplace(record.last_event_ms(), slot.item_id);
  log_.push_back({slot.counter, at});
  if (log_.size() <= kMostChanges) return;
  complete_from_ = std::max(complete_from_, log_.front().counter);
  log_.pop_front();
}

void PopularityTable::free_slot(std::uint32_t at) {
  Slot& slot = slots_[at];
  index_.erase(slot.item_id);
  slot = Slot();
  free_.push_back(at);
}

void PopularityTable::erase(const std::string& item_id) {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(item_id);
  if (known == index_.end()) return;
  const std::uint32_t at = known->second;
  order_.erase({slots_[at].record.last_event_ms(), slots_[at].item_id});
  free_slot(at);
  complete_from_ = ++counter_;
}

void PopularityTable::clear() {
  const std::lock_guard lock(mutex_);
  if (index_.empty()) return;
  order_.clear();
  for (std::uint32_t at = 0; at < slots_.size(); ++at) {
    if (slots_[at].counter != 0) free_slot(at);
  }
  complete_from_ = ++counter_;
}

const events::ItemRecord* PopularityTable::find(const std::string& item_id) const {
  const auto known = index_.find(item_id);
  return known == index_.end() ? nullptr : &slots_[known->second].record;
}

std::vector<std::string> PopularityTable::item_ids() const {
  std::vector<std::string> ids;
  ids.reserve(index_.size());
  for (const auto& [id, slot] : index_) ids.emplace_back(id);
  return ids;
}

std::size_t PopularityTable::size() const {
  const std::lock_guard lock(mutex_);
  return index_.size();
}

// With the lock held. A reader that has seen this bucket needs only what events changed since.
std::vector<std::uint32_t> PopularityTable::slots_since(std::uint64_t since, std::uint64_t bucket, ports::PopularityChanges& changes) const {
  const std::uint64_t seen = since & ((std::uint64_t{1} << kCounterBits) - 1);
  changes.version = bucket << kCounterBits | counter_;
  changes.complete = since == 0 || since >> kCounterBits != bucket || seen < complete_from_ || seen > counter_;
  std::vector<std::uint32_t> slots;
  if (changes.complete) {
    slots.reserve(index_.size());
    for (const auto& [id, slot] : index_) slots.push_back(slot);
    return slots;
  }
  for (auto change = log_.rbegin(); change != log_.rend() && change->counter > seen; ++change) {
    if (slots_[change->slot].counter == change->counter) slots.push_back(change->slot);
  }
  return slots;
}

ports::PopularityChanges PopularityTable::changes_since(std::uint64_t since, events::EpochMs now_ms) const {
  ports::PopularityChanges changes;
  std::vector<std::uint32_t> slots;
  {
    const std::lock_guard lock(mutex_);
    slots = slots_since(since, bucket_now(now_ms), changes);
  }
  // What changes between slices is reported with its newer state, and again by the next call.
  changes.items.reserve(slots.size());
  for (std::size_t begin = 0; begin < slots.size(); begin += kSlice) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = begin; i < std::min(slots.size(), begin + kSlice); ++i) {
      const Slot& slot = slots_[slots[i]];
      if (slot.counter == 0) continue;
      changes.items.push_back({slot.item_id, slot.record.windows(now_ms), slot.record.global()});
    }
  }
  return changes;
}

}  // namespace scalestyle::adapters::redis
