#pragma once
// PopularityTable: a copy in memory of the popularity that Redis holds, with what changed for its readers.
//
// Thread safety: put() and erase(), and what the writer reads, by one thread at a time; changes_since() and size() by any,
// concurrently. One lock, held for one item by the writer and for a few hundred items at a time by readers.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/item_record.hpp"
#include "ports/feature_store.hpp"

namespace scalestyle::adapters::redis {

class PopularityTable {
 public:
  // Least recently active first, then by id.
  using Order = std::set<std::pair<events::EpochMs, std::string_view>>;

  void put(const std::string& item_id, const events::ItemRecord& record);
  // Readers that knew the item learn of it by a complete answer.
  void erase(const std::string& item_id);
  void clear();

  [[nodiscard]] const events::ItemRecord* find(const std::string& item_id) const;  // until the next change
  [[nodiscard]] const Order& by_activity() const { return order_; }
  [[nodiscard]] std::vector<std::string> item_ids() const;
  [[nodiscard]] std::size_t size() const;

  // What FeatureStore::popularity() says.
  [[nodiscard]] ports::PopularityChanges changes_since(std::uint64_t since, events::EpochMs now_ms) const;

 private:
  static constexpr std::size_t kSlice = 256;           // items read under one hold of the lock
  static constexpr std::size_t kMostChanges = 65'536;  // remembered; readers further behind get everything
  static constexpr unsigned kCounterBits = 40;         // of a version; the bits above are the bucket it was read in

  struct Slot {
    std::string item_id{};
    events::ItemRecord record{};
    std::uint64_t counter = 0;  // of the newest change; 0: free
  };
  struct Change {
    std::uint64_t counter;
    std::uint32_t slot;
  };

  void free_slot(std::uint32_t slot);
  [[nodiscard]] std::vector<std::uint32_t> slots_since(std::uint64_t since, std::uint64_t bucket, ports::PopularityChanges& changes) const;

  mutable std::mutex mutex_;
  std::deque<Slot> slots_;          // guarded by mutex_, which the writer may do without when reading
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string_view, std::uint32_t> index_;  // by the slot's own text
  Order order_;
  std::deque<Change> log_;          // guarded by mutex_
  std::uint64_t counter_ = 1;       // guarded by mutex_
  std::uint64_t complete_from_ = 1;   // guarded by mutex_: versions from before this counter get everything
};

}  // namespace scalestyle::adapters::redis
