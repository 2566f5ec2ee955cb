#pragma once
// SubjectTable: subject key → encoded record, in 256 shards, with what changed since the last freeze.
//
// Thread safety: one writer (insert, replace, erase, freeze, thaw, put_back and the plain look-ups), which takes a shard's
// lock only to swap a pointer; readers (read, for_each, take_frozen) from any thread under the same locks.
//
// A freeze fixes the state of that moment for take_frozen(): invariants
//  (1) a slot's mark is 0 (as last frozen and taken), current_ (changed since the freeze: listed in changed_), or
//      frozen_ (changed before it, not taken yet: listed in what freeze() gave);
//  (2) changing a slot marked frozen_ keeps its old bytes in the shard's `kept`.

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/embedded/seeded_hash.hpp"
#include "events/event.hpp"

namespace scalestyle::adapters::embedded {

class SubjectTable {
 public:
  using Ref = std::uint32_t;  // shard and slot

  // For the writer.
  [[nodiscard]] std::optional<Ref> find(std::string_view key) const;
  [[nodiscard]] std::string_view key(Ref ref) const;
  [[nodiscard]] std::string_view record(Ref ref) const;
  [[nodiscard]] events::EpochMs time(Ref ref) const { return slot(ref).activity_ms; }
  [[nodiscard]] std::uint32_t place(Ref ref) const { return slot(ref).place; }
  void set_place(Ref ref, std::uint32_t place) { slot(ref).place = place; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // `changed` is false when loading what is on disk already.
  Ref insert(std::string_view key, std::string_view record, events::EpochMs activity_ms, bool changed = true);
  void replace(Ref ref, std::string_view record, events::EpochMs activity_ms);
  void erase(Ref ref);

  // For readers: calls `use(record bytes)` under the shard's lock; false when there is no such subject.
  bool read(std::string_view key, const std::function<void(std::string_view)>& use) const;
  // Without the lock: the names that a record refers to are safe only while nothing is applied.
  void for_each(const std::function<void(std::string_view key, std::string_view record)>& use) const;

  // The changes to write: first the removals, then what each ref has.
  struct Changes {
    std::vector<std::string> removed{};
    std::vector<Ref> changed{};
  };
  [[nodiscard]] Changes freeze();
  // The refs by the keys that they have now: an order for writing.
  [[nodiscard]] std::vector<Ref> frozen_by_key(std::span<const Ref> changed) const;
  // Key and record of `ref` at the freeze; false when there is nothing (more) to write for it. Not by the writer.
  [[nodiscard]] bool take_frozen(Ref ref, std::string& key, std::string& record);
  // Ends the freeze. After a failure put_back() all of its changes, in any slices.
  void thaw();
  void put_back(std::span<const Ref> changed);
  void put_back(std::vector<std::string> removed);

 private:
  static constexpr std::uint32_t kSlotBits = 24;
  static constexpr std::size_t kShards = 256;
  static constexpr std::size_t kHeader = 8;  // sizes of key and record
  using Blob = std::unique_ptr<char[]>;

  struct Slot {
    Blob blob{};
    events::EpochMs activity_ms = 0;  // writer only, as place
    std::uint32_t place = 0;
    std::uint8_t mark = 0;
  };
  struct Shard {
    mutable std::mutex mutex{};
    std::vector<std::uint32_t> index{};  // open addressing; slot + 1, 0: free
    std::deque<Slot> slots{};
    std::vector<std::uint32_t> free{};
    std::unordered_map<std::uint32_t, Blob> kept{};
    std::size_t used = 0;
  };

  static Blob make_blob(std::string_view key, std::string_view record);
  static std::string_view key_of(const Blob& blob);
  static std::string_view record_of(const Blob& blob);
  static Ref make_ref(std::size_t shard, std::uint32_t slot) { return static_cast<Ref>(shard << kSlotBits | slot); }
  [[nodiscard]] Slot& slot(Ref ref) { return shards_[ref >> kSlotBits].slots[ref & ((1u << kSlotBits) - 1)]; }
  [[nodiscard]] const Slot& slot(Ref ref) const { return shards_[ref >> kSlotBits].slots[ref & ((1u << kSlotBits) - 1)]; }
  [[nodiscard]] std::size_t position(const Shard& shard, std::string_view key, std::uint64_t hash) const;
  void grow(Shard& shard);
  void unlink(Shard& shard, std::size_t at);
  Blob keep_if_frozen(Shard& shard, std::uint32_t local, Blob old);
  void mark_changed(Ref ref, Slot& changed);

  SeededHash hash_;
  std::array<Shard, kShards> shards_;
  std::size_t size_ = 0;
  std::vector<Ref> changed_;
  std::vector<std::string> removed_;
  std::uint8_t current_ = 1;
  std::uint8_t frozen_ = 0;  // 0: no freeze
};

}  // namespace scalestyle::adapters::embedded
