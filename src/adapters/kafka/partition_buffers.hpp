#pragma once
// PartitionBuffers: what a consumer holds of its partitions between the broker and poll(): records in order, which partitions
// came and went, which are kept back and until when. Pure bookkeeping. Not thread-safe.
//
// A partition is kept back while it is paused, or while its first record's time has not come; no record behind that one is
// given either, so that the order within a partition never changes.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::adapters::kafka {

class PartitionBuffers {
 public:
  struct Record {
    std::variant<events::LoggedEvent, ports::UndecodableRecord> what{};
    std::int64_t offset = 0;
    std::size_t bytes = 0;
    core::SteadyTime due = core::SteadyTime::min();  // not to be given before
  };

  // Holds the partition from here on; `next` is the offset that is read first, negative while that is not known.
  void assign(std::int32_t partition, std::int64_t next);
  // Its records are dropped: they will be given to another consumer, or to this one again.
  void revoke(std::int32_t partition);
  [[nodiscard]] bool holds(std::int32_t partition) const { return partitions_.contains(partition); }
  [[nodiscard]] std::vector<std::int32_t> held() const;

  // Ignored for a partition that is not held. `high`: the offset that the next record appended will have.
  void push(std::int32_t partition, Record record);
  void note_high(std::int32_t partition, std::int64_t high);
  void note_next(std::int32_t partition, std::int64_t next);  // only where it is not known yet
  // Its records are dropped; `next` will be read first.
  void seek(std::int32_t partition, std::int64_t next);
  void pause(std::int32_t partition, core::SteadyTime until);

  // At most `max` records, in turn from the partitions that are not kept back, and who came and went since the last take.
  [[nodiscard]] ports::StreamBatch take(std::size_t max, core::SteadyTime now);

  [[nodiscard]] bool is_kept_back(std::int32_t partition, core::SteadyTime now) const;
  [[nodiscard]] bool has_next(std::int32_t partition) const;  // it is known which offset is given next
  // When a partition that is kept back now may be given from; nothing when none is, or none has a record.
  [[nodiscard]] std::optional<core::SteadyTime> next_release(core::SteadyTime now) const;
  [[nodiscard]] bool can_give(core::SteadyTime now) const;  // take() would give something

  [[nodiscard]] std::size_t records() const { return records_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Appended and not yet given, over all partitions.
  [[nodiscard]] std::uint64_t lag() const;

 private:
  struct Partition {
    std::deque<Record> records{};
    std::int64_t next = -1;  // given next
    std::int64_t high = -1;
    core::SteadyTime paused_until = core::SteadyTime::min();
  };
  [[nodiscard]] static core::SteadyTime kept_back_until(const Partition& partition);
  void drop_records(Partition& partition);
  void give(Partition& partition, ports::StreamBatch& batch);

  std::map<std::int32_t, Partition> partitions_;
  std::set<std::int32_t> told_;     // that the reader believes to hold
  std::set<std::int32_t> to_tell_;  // assigned since
  std::set<std::int32_t> to_take_;  // of told_, revoked since (and perhaps assigned again)
  std::int32_t turn_ = 0;           // the partition that is looked at first
  std::size_t records_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace scalestyle::adapters::kafka
