#include "adapters/embedded/item_table.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace scalestyle::adapters::embedded {

namespace {

// The window that turns over most often decides when sums change by time alone.
std::uint64_t bucket_now(events::EpochMs now_ms) {
  constexpr std::int64_t kMost = (std::int64_t{1} << 24) - 1;
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(events::bucket_of(now_ms, shape(events::Window::k1h)), 0, kMost));
}

}  // namespace

void ItemTable::before_change(Code code, Slot& slot) {
  if (frozen_ != 0 && slot.mark == frozen_) {
    kept_.emplace(code, slot.record == nullptr ? nullptr : std::make_unique<events::ItemRecord>(*slot.record));
  }
  if (slot.mark != current_) {
    slot.mark = current_;
    changed_.push_back(code);
  }
}

void ItemTable::note_change(Code code, Slot& slot) {
  slot.counter = ++counter_;
  log_.push_back({slot.counter, code});
  if (log_.size() <= kMostChanges) return;
  complete_from_ = std::max(complete_from_, log_.front().counter);
  log_.pop_front();
}

void ItemTable::apply(Code code, const events::Event& event, double global_half_life_seconds) {
  const std::lock_guard lock(mutex_);
  if (slots_.size() <= code) slots_.resize(std::size_t{code} + 1);
  Slot& slot = slots_[code];
  before_change(code, slot);
  if (slot.record == nullptr) {
    slot.record = std::make_unique<events::ItemRecord>();
    ++size_;
  }
  slot.record->apply(event, global_half_life_seconds);
  note_change(code, slot);
}

void ItemTable::restore(Code code, const events::ItemRecord& record) {
  const std::lock_guard lock(mutex_);
  if (slots_.size() <= code) slots_.resize(std::size_t{code} + 1);
  assert(slots_[code].record == nullptr);
  slots_[code].record = std::make_unique<events::ItemRecord>(record);
  ++size_;
}

void ItemTable::erase(Code code) {
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[code];
  before_change(code, slot);
  slot.record.reset();
  slot.counter = 0;
  --size_;
  complete_from_ = ++counter_;
}

// With the lock held. A reader that has seen this bucket needs only what events changed since.
std::vector<ItemTable::Code> ItemTable::codes_since(std::uint64_t since, std::uint64_t bucket, ports::PopularityChanges& changes) const {
  const std::uint64_t seen = since & ((std::uint64_t{1} << kCounterBits) - 1);
  changes.version = bucket << kCounterBits | counter_;
  changes.complete = since == 0 || since >> kCounterBits != bucket || seen < complete_from_ || seen > counter_;
  std::vector<Code> codes;
  if (changes.complete) {
    codes.reserve(size_);
    for (Code code = 0; code < slots_.size(); ++code) {
      if (slots_[code].record != nullptr) codes.push_back(code);
    }
    return codes;
  }
  for (auto change = log_.rbegin(); change != log_.rend() && change->counter > seen; ++change) {
    if (slots_[change->code].counter == change->counter) codes.push_back(change->code);
  }
  return codes;
}

ports::PopularityChanges ItemTable::changes_since(std::uint64_t since, events::EpochMs now_ms) const {
  ports::PopularityChanges changes;
  std::vector<Code> codes;
  {
    const std::lock_guard lock(mutex_);
    codes = codes_since(since, bucket_now(now_ms), changes);
  }
  // What changes between slices is reported with its newer state, and again by the next call.
  changes.items.reserve(codes.size());
  for (std::size_t begin = 0; begin < codes.size(); begin += kSlice) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = begin; i < std::min(codes.size(), begin + kSlice); ++i) {
      const Slot& slot = slots_[codes[i]];
      if (slot.record == nullptr) continue;
      changes.items.push_back({std::string(names_.name(codes[i])), slot.record->windows(now_ms), slot.record->global()});
    }
  }
  return changes;
}

std::optional<events::ItemPopularity> ItemTable::popularity(Code code, events::EpochMs now_ms) const {
  const std::lock_guard lock(mutex_);
  if (!has(code)) return std::nullopt;
  const events::ItemRecord& record = *slots_[code].record;
  return events::ItemPopularity{std::string(names_.name(code)), record.windows(now_ms), record.global()};
}

std::vector<ItemTable::Code> ItemTable::freeze() {
  assert(frozen_ == 0);
  const std::lock_guard lock(mutex_);
  frozen_ = current_;
  current_ = static_cast<std::uint8_t>(current_ % 3 + 1);
  return std::exchange(changed_, {});
}

ItemTable::Taken ItemTable::take_frozen(Code code, events::ItemRecord& record) {
  const std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(code); found != kept_.end()) {
    const std::unique_ptr<events::ItemRecord> kept = std::move(found->second);
    kept_.erase(found);
    if (kept == nullptr) return Taken::kRemoved;
    record = *kept;
    return Taken::kRecord;
  }
  Slot& slot = slots_[code];
  if (slot.mark != frozen_) return Taken::kNothing;
  slot.mark = 0;
  if (slot.record == nullptr) return Taken::kRemoved;
  record = *slot.record;
  return Taken::kRecord;
}

void ItemTable::thaw() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
  frozen_ = 0;
}

void ItemTable::put_back(std::span<const Code> changed) {
  const std::lock_guard lock(mutex_);
  for (const Code code : changed) {
    Slot& slot = slots_[code];
    if (slot.mark == current_) continue;
    slot.mark = current_;
    changed_.push_back(code);
  }
}

}  // namespace scalestyle::adapters::embedded
