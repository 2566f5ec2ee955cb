#pragma once
// PopularityKeeper: popularity of items out of Redis into memory (every process), and out of the shards' contributions into
// Redis (consumers).
//
// A merge turn reads what the shards' streams have beyond the entries merged last, folds it into the items, and writes items,
// versions and the new last entries by one script that refuses when another merge came between: entries count once whoever
// merges, and however often a turn is repeated or cut short. Only then are the streams trimmed.
//
// Thread safety: refresh() and merge() one at a time; everything else by any thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "adapters/redis/feature_applier.hpp"
#include "adapters/redis/popularity_table.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::adapters::redis {

class PopularityKeeper {
 public:
  struct Options {
    std::size_t max_items = 200'000;
    std::size_t max_global = 50'000;
    std::size_t max_entries = 256;    // of a shard, in one turn
    std::size_t max_removed = 65'536;  // removals that Redis remembers; a reader further behind reads everything
  };

  // All must outlive it.
  PopularityKeeper(const FeatureContext& context, Options options, telemetry::Logger& log)
      : context_(context), options_(options), log_(log) {}

  // One turn of a reader: the table is what Redis held when it was asked.
  // Errors: kUnavailable, kDeadlineExceeded, kResourceExhausted, kCancelled.
  [[nodiscard]] core::Task<core::Status> refresh(core::Deadline deadline);

  // One turn of a merger, refresh() included. True: more waits to be merged. Shards that cannot be read are left for later
  // and told of by an error, once the others are merged.
  [[nodiscard]] core::Task<core::Result<bool>> merge(core::Deadline deadline);

  [[nodiscard]] const PopularityTable& table() const { return table_; }
  [[nodiscard]] bool is_loaded() const { return loaded_.load(std::memory_order_acquire); }
  // Receipt of the newest event that was merged by anyone; 0: none.
  [[nodiscard]] events::EpochMs newest_received_ms() const { return newest_ms_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t entries_merged() const { return entries_merged_.load(std::memory_order_relaxed); }

 private:
  struct State {
    std::uint64_t version = 0;
    std::uint64_t complete_from = 0;
    events::EpochMs newest_ms = 0;
    std::map<std::string, std::string> merged{};  // shard → id of the last entry merged
  };
  struct Fold {
    std::map<std::string, events::ItemRecord> items{};
    std::vector<std::string> removed{};
    std::map<std::string, std::string> merged{};  // shards that go on
    events::EpochMs newest_ms = 0;
    std::size_t entries = 0;
    bool more = false;
  };

  [[nodiscard]] core::Task<core::Result<RedisValue>> call(RedisCommand command, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<State>> read_state(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> load(core::Deadline deadline);
  // False when too much has changed to be followed.
  [[nodiscard]] core::Task<core::Result<bool>> follow(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> read_items(std::vector<std::string> ids, core::Deadline deadline);
  void put(const std::string& item_id, const std::string& bytes);

  // Gives the first error of a shard, and what the others have.
  [[nodiscard]] core::Task<core::Status> read_shards(Fold& fold, std::vector<Contribution>& contributions, core::Deadline deadline);
  void take_entries(std::size_t shard, const RedisValue& entries, Fold& fold, std::vector<Contribution>& contributions);
  // Waits until the replicas have what was read: else a failover could take it back, and its batch would come again.
  [[nodiscard]] core::Task<core::Status> fence(std::vector<core::Result<RedisValue>>& replies, core::Deadline deadline);
  void fold_items(std::vector<Contribution> contributions, Fold& fold) const;
  void choose_removals(Fold& fold) const;
  [[nodiscard]] core::Task<core::Result<bool>> write(const Fold& fold, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> trim(const std::map<std::string, std::string>& merged, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> publish_global(const Fold& fold, core::Deadline deadline);

  const FeatureContext& context_;
  const Options options_;
  telemetry::Logger& log_;
  PopularityTable table_;
  State state_;                  // that the table is of
  bool trimmed_ = false;         // what a merger before this one may have left
  std::atomic<bool> loaded_{false};
  std::atomic<events::EpochMs> newest_ms_{0};
  std::atomic<std::uint64_t> entries_merged_{0};
};

}  // namespace scalestyle::adapters::redis
