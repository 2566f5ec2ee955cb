#pragma once
// ItemTable: item code → popularity, with what changed for readers (versions) and since the last freeze (checkpoints).
//
// Thread safety: as SubjectTable: one writer; changes_since() and take_frozen() from any thread. One lock, held for one
// item by the writer and for a few hundred items at a time by readers.

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/item_record.hpp"
#include "events/name_table.hpp"
#include "ports/feature_store.hpp"

namespace scalestyle::adapters::embedded {

class ItemTable {
 public:
  using Code = events::NameCode;
  // Of one item: record, slot, place in the queue for eviction.
  static constexpr std::size_t kItemBytes = (sizeof(events::ItemRecord) + 8 + 15) / 16 * 16 + 48;

  explicit ItemTable(const events::NameTable& names) : names_(names) {}

  // For the writer. A record holds one reference to its name, which the caller acquires and releases.
  [[nodiscard]] bool has(Code code) const { return code < slots_.size() && slots_[code].record != nullptr; }
  [[nodiscard]] events::EpochMs time(Code code) const { return slots_[code].record->last_event_ms(); }
  [[nodiscard]] std::string_view key(Code code) const { return names_.name(code); }
  [[nodiscard]] std::uint32_t place(Code code) const { return slots_[code].place; }
  void set_place(Code code, std::uint32_t place) { slots_[code].place = place; }
  [[nodiscard]] std::size_t size() const { return size_; }
  void apply(Code code, const events::Event& event, double global_half_life_seconds);
  void restore(Code code, const events::ItemRecord& record);
  // Readers that knew the item learn of it by a complete answer.
  void erase(Code code);

  // For readers: what FeatureStore::popularity() says.
  [[nodiscard]] ports::PopularityChanges changes_since(std::uint64_t since, events::EpochMs now_ms) const;
  [[nodiscard]] std::optional<events::ItemPopularity> popularity(Code code, events::EpochMs now_ms) const;

  [[nodiscard]] std::vector<Code> freeze();
  enum class Taken : std::uint8_t { kNothing, kRecord, kRemoved };
  // What `code` had at the freeze; kNothing when it was taken already. Not by the writer.
  [[nodiscard]] Taken take_frozen(Code code, events::ItemRecord& record);
  void thaw();
  void put_back(std::span<const Code> changed);

 private:
  static constexpr std::size_t kSlice = 256;         // items read under one hold of the lock
  static constexpr std::size_t kMostChanges = 65'536;  // remembered; readers further behind get everything
  static constexpr unsigned kCounterBits = 40;       // of a version; the bits above are the bucket it was read in

  struct Slot {
    std::unique_ptr<events::ItemRecord> record{};
    std::uint64_t counter = 0;   // of the newest change
    std::uint32_t place = 0;     // writer only
    std::uint8_t mark = 0;       // as in SubjectTable
  };
  struct Change {
    std::uint64_t counter;
    Code code;
  };

  void before_change(Code code, Slot& slot);
  void note_change(Code code, Slot& slot);
  [[nodiscard]] std::vector<Code> codes_since(std::uint64_t since, std::uint64_t bucket, ports::PopularityChanges& changes) const;

  const events::NameTable& names_;
  mutable std::mutex mutex_;
  std::deque<Slot> slots_;         // by code; guarded by mutex_, which the writer may do without when reading
  std::deque<Change> log_;         // guarded by mutex_
  std::uint64_t counter_ = 1;      // guarded by mutex_
  std::uint64_t complete_from_ = 1;  // guarded by mutex_: versions from before this counter get everything
  std::unordered_map<Code, std::unique_ptr<events::ItemRecord>> kept_;  // guarded by mutex_; null: there was none
  std::size_t size_ = 0;
  std::vector<Code> changed_;
  std::uint8_t current_ = 1;
  std::uint8_t frozen_ = 0;
};

}  // namespace scalestyle::adapters::embedded
