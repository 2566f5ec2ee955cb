#include "adapters/embedded/subject_table.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <iterator>
#include <utility>

namespace scalestyle::adapters::embedded {

SubjectTable::Blob SubjectTable::make_blob(std::string_view key, std::string_view record) {
  Blob blob = std::make_unique_for_overwrite<char[]>(kHeader + key.size() + record.size());
  const auto key_size = static_cast<std::uint32_t>(key.size());
  const auto record_size = static_cast<std::uint32_t>(record.size());
  std::memcpy(blob.get(), &key_size, sizeof key_size);
  std::memcpy(blob.get() + sizeof key_size, &record_size, sizeof record_size);
  std::memcpy(blob.get() + kHeader, key.data(), key.size());
  std::memcpy(blob.get() + kHeader + key.size(), record.data(), record.size());
  return blob;
}

std::string_view SubjectTable::key_of(const Blob& blob) {
  std::uint32_t size = 0;
  std::memcpy(&size, blob.get(), sizeof size);
  return {blob.get() + kHeader, size};
}

std::string_view SubjectTable::record_of(const Blob& blob) {
  std::uint32_t size = 0;
  std::memcpy(&size, blob.get() + sizeof size, sizeof size);
  return {blob.get() + kHeader + key_of(blob).size(), size};
}

std::string_view SubjectTable::key(Ref ref) const { return key_of(slot(ref).blob); }
std::string_view SubjectTable::record(Ref ref) const { return record_of(slot(ref).blob); }

// Where `key` is in the shard's index, or the free place where it would go. The index is never full.
std::size_t SubjectTable::position(const Shard& shard, std::string_view key, std::uint64_t hash) const {
  const std::size_t mask = shard.index.size() - 1;
  std::size_t at = hash & mask;
  while (shard.index[at] != 0 && key_of(shard.slots[shard.index[at] - 1].blob) != key) at = (at + 1) & mask;
  return at;
}

std::optional<SubjectTable::Ref> SubjectTable::find(std::string_view key) const {
  const std::uint64_t hash = hash_(key);
  const std::size_t number = hash >> 56;
  const Shard& shard = shards_[number];
  if (shard.index.empty()) return std::nullopt;
  const std::uint32_t found = shard.index[position(shard, key, hash)];
  if (found == 0) return std::nullopt;
  return make_ref(number, found - 1);
}

void SubjectTable::grow(Shard& shard) {
  const std::size_t size = shard.index.empty() ? 16 : shard.index.size() * 2;
  std::vector<std::uint32_t> old = std::exchange(shard.index, std::vector<std::uint32_t>(size));
  for (const std::uint32_t entry : old) {
    if (entry == 0) continue;
    const std::string_view key = key_of(shard.slots[entry - 1].blob);
    shard.index[position(shard, key, hash_(key))] = entry;
  }
}

void SubjectTable::mark_changed(Ref ref, Slot& changed) {
  if (changed.mark == current_) return;
  changed.mark = current_;
  changed_.push_back(ref);
}

SubjectTable::Blob SubjectTable::keep_if_frozen(Shard& shard, std::uint32_t local, Blob old) {
  if (frozen_ == 0 || shard.slots[local].mark != frozen_) return old;
  shard.kept.emplace(local, std::move(old));
  return nullptr;
}

SubjectTable::Ref SubjectTable::insert(std::string_view key, std::string_view record, events::EpochMs activity_ms, bool changed) {
  Blob blob = make_blob(key, record);
  const std::uint64_t hash = hash_(key);
  const std::size_t number = hash >> 56;
  Shard& shard = shards_[number];
  const std::lock_guard lock(shard.mutex);
  if ((shard.used + 1) * 4 > shard.index.size() * 3) grow(shard);
  std::uint32_t local = 0;
  if (shard.free.empty()) {
    local = static_cast<std::uint32_t>(shard.slots.size());
    assert(local < 1u << kSlotBits);
    shard.slots.emplace_back();
  } else {
    local = shard.free.back();
    shard.free.pop_back();
  }
  const std::size_t at = position(shard, key, hash);
  assert(shard.index[at] == 0);
  shard.index[at] = local + 1;
  ++shard.used;
  ++size_;
  Slot& made = shard.slots[local];
  made.blob = std::move(blob);
  made.activity_ms = activity_ms;
  const Ref ref = make_ref(number, local);
  if (changed) mark_changed(ref, made);
  return ref;
}

void SubjectTable::replace(Ref ref, std::string_view record, events::EpochMs activity_ms) {
  Blob blob = make_blob(key(ref), record);
  Blob old;  // freed outside the lock
  Shard& shard = shards_[ref >> kSlotBits];
  const std::lock_guard lock(shard.mutex);
  Slot& changed = slot(ref);
  std::swap(changed.blob, blob);
  old = keep_if_frozen(shard, ref & ((1u << kSlotBits) - 1), std::move(blob));
  changed.activity_ms = activity_ms;
  mark_changed(ref, changed);
}

// Takes the entry at `at` out and moves back those behind it that a search would no longer reach.
void SubjectTable::unlink(Shard& shard, std::size_t at) {
  const std::size_t mask = shard.index.size() - 1;
  std::size_t hole = at;
  for (std::size_t next = (at + 1) & mask; shard.index[next] != 0; next = (next + 1) & mask) {
    const std::size_t home = hash_(key_of(shard.slots[shard.index[next] - 1].blob)) & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    shard.index[hole] = shard.index[next];
    hole = next;
  }
  shard.index[hole] = 0;
}

void SubjectTable::erase(Ref ref) {
  removed_.emplace_back(key(ref));
  Blob old;
  Shard& shard = shards_[ref >> kSlotBits];
  const std::uint32_t local = ref & ((1u << kSlotBits) - 1);
  const std::lock_guard lock(shard.mutex);
  Slot& erased = shard.slots[local];
  const std::string_view name = key_of(erased.blob);
  unlink(shard, position(shard, name, hash_(name)));
  old = keep_if_frozen(shard, local, std::move(erased.blob));
  erased.mark = 0;
  shard.free.push_back(local);
  --shard.used;
  --size_;
}

bool SubjectTable::read(std::string_view key, const std::function<void(std::string_view)>& use) const {
  const std::uint64_t hash = hash_(key);
  const Shard& shard = shards_[hash >> 56];
  const std::lock_guard lock(shard.mutex);
  if (shard.index.empty()) return false;
  const std::uint32_t found = shard.index[position(shard, key, hash)];
  if (found == 0) return false;
  use(record_of(shard.slots[found - 1].blob));
  return true;
}

void SubjectTable::for_each(const std::function<void(std::string_view, std::string_view)>& use) const {
  std::vector<std::pair<std::string, std::string>> copies;
  for (const Shard& shard : shards_) {
    copies.clear();
    {
      const std::lock_guard lock(shard.mutex);
      for (const std::uint32_t entry : shard.index) {
        if (entry == 0) continue;
        const Blob& blob = shard.slots[entry - 1].blob;
        copies.emplace_back(key_of(blob), record_of(blob));
      }
    }
    for (const auto& [key, record] : copies) use(key, record);
  }
}

SubjectTable::Changes SubjectTable::freeze() {
  assert(frozen_ == 0);
  frozen_ = current_;
  current_ = static_cast<std::uint8_t>(current_ % 3 + 1);
  return {std::exchange(removed_, {}), std::exchange(changed_, {})};
}

std::vector<SubjectTable::Ref> SubjectTable::frozen_by_key(std::span<const Ref> changed) const {
  std::vector<std::pair<std::string, Ref>> keys;
  keys.reserve(changed.size());
  for (const Ref ref : changed) {
    const Shard& shard = shards_[ref >> kSlotBits];
    const std::lock_guard lock(shard.mutex);
    const Blob& blob = slot(ref).blob;
    keys.emplace_back(blob == nullptr ? std::string_view() : key_of(blob), ref);
  }
  std::ranges::sort(keys);
  std::vector<Ref> sorted;
  sorted.reserve(keys.size());
  for (const auto& [key, ref] : keys) sorted.push_back(ref);
  return sorted;
}

bool SubjectTable::take_frozen(Ref ref, std::string& key, std::string& record) {
  Blob kept;
  Shard& shard = shards_[ref >> kSlotBits];
  const std::uint32_t local = ref & ((1u << kSlotBits) - 1);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.kept.find(local); found != shard.kept.end()) {
    kept = std::move(found->second);
    shard.kept.erase(found);
    key = key_of(kept);
    record = record_of(kept);
    return true;
  }
  Slot& taken = shard.slots[local];
  if (taken.mark != frozen_) return false;
  taken.mark = 0;
  key = key_of(taken.blob);
  record = record_of(taken.blob);
  return true;
}

void SubjectTable::thaw() {
  for (Shard& shard : shards_) {
    std::unordered_map<std::uint32_t, Blob> dropped;
    const std::lock_guard lock(shard.mutex);
    dropped.swap(shard.kept);
  }
  frozen_ = 0;
}

void SubjectTable::put_back(std::span<const Ref> changed) {
  for (const Ref ref : changed) {
    Shard& shard = shards_[ref >> kSlotBits];
    const std::lock_guard lock(shard.mutex);
    Slot& slot_again = slot(ref);
    if (slot_again.blob != nullptr) mark_changed(ref, slot_again);
  }
}

void SubjectTable::put_back(std::vector<std::string> removed) {
  removed_.insert(removed_.end(), std::make_move_iterator(removed.begin()), std::make_move_iterator(removed.end()));
}

}  // namespace scalestyle::adapters::embedded
