#include "adapters/kafka/partition_buffers.hpp"

#include <algorithm>
#include <utility>

namespace scalestyle::adapters::kafka {

void PartitionBuffers::assign(std::int32_t partition, std::int64_t next) {
  const auto [place, fresh] = partitions_.try_emplace(partition);
  if (!fresh) return;
  place->second.next = next;
  to_tell_.insert(partition);
}

void PartitionBuffers::revoke(std::int32_t partition) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return;
  drop_records(found->second);
  partitions_.erase(found);
  to_tell_.erase(partition);  // came and went unseen
  if (told_.contains(partition)) to_take_.insert(partition);
}

std::vector<std::int32_t> PartitionBuffers::held() const {
  std::vector<std::int32_t> all;
  for (const auto& [number, partition] : partitions_) all.push_back(number);
  return all;
}

void PartitionBuffers::push(std::int32_t number, Record record) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  Partition& partition = found->second;
  if (partition.next < 0) partition.next = record.offset;
  partition.high = std::max(partition.high, record.offset + 1);
  ++records_;
  bytes_ += record.bytes;
  partition.records.push_back(std::move(record));
}

void PartitionBuffers::note_high(std::int32_t number, std::int64_t high) {
  const auto found = partitions_.find(number);
  if (found != partitions_.end()) found->second.high = std::max(found->second.high, high);
}

void PartitionBuffers::note_next(std::int32_t number, std::int64_t next) {
  const auto found = partitions_.find(number);
  if (found != partitions_.end() && found->second.next < 0) found->second.next = next;
}

void PartitionBuffers::seek(std::int32_t number, std::int64_t next) {
  const auto found = partitions_.find(number);
  if (found == partitions_.end()) return;
  drop_records(found->second);
  found->second.next = next;
}

void PartitionBuffers::pause(std::int32_t number, core::SteadyTime until) {
  const auto found = partitions_.find(number);
  if (found != partitions_.end()) found->second.paused_until = until;
}

void PartitionBuffers::drop_records(Partition& partition) {
  records_ -= partition.records.size();
  for (const Record& record : partition.records) bytes_ -= record.bytes;
  partition.records.clear();
}

core::SteadyTime PartitionBuffers::kept_back_until(const Partition& partition) {
  return partition.records.empty() ? partition.paused_until : std::max(partition.paused_until, partition.records.front().due);
}

void PartitionBuffers::give(Partition& partition, ports::StreamBatch& batch) {
  Record& record = partition.records.front();
  partition.next = record.offset + 1;
  --records_;
  bytes_ -= record.bytes;
  if (auto* event = std::get_if<events::LoggedEvent>(&record.what)) {
    batch.events.push_back(std::move(*event));
  } else {
    batch.undecodable.push_back(std::move(std::get<ports::UndecodableRecord>(record.what)));
  }
  partition.records.pop_front();
}

ports::StreamBatch PartitionBuffers::take(std::size_t max, core::SteadyTime now) {
  ports::StreamBatch batch;
  batch.revoked.assign(to_take_.begin(), to_take_.end());
  batch.assigned.assign(to_tell_.begin(), to_tell_.end());
  for (const auto partition : to_take_) told_.erase(partition);
  told_.insert(to_tell_.begin(), to_tell_.end());
  to_take_.clear();
  to_tell_.clear();
  // From where the last take ended, so that a full partition does not starve those behind it.
  std::vector<std::pair<std::int32_t, Partition*>> order;
  for (auto& [number, partition] : partitions_) order.emplace_back(number, &partition);
  const auto first = std::ranges::find_if(order, [this](const auto& one) { return one.first >= turn_; });
  std::ranges::rotate(order, first);
  std::size_t given = 0;
  for (const auto& [number, partition] : order) {
    while (given < max && !partition->records.empty() && kept_back_until(*partition) <= now) {
      give(*partition, batch);
      ++given;
    }
    turn_ = number + 1;
    if (given == max) break;
  }
  return batch;
}

bool PartitionBuffers::is_kept_back(std::int32_t number, core::SteadyTime now) const {
  const auto found = partitions_.find(number);
  return found != partitions_.end() && kept_back_until(found->second) > now;
}

bool PartitionBuffers::has_next(std::int32_t number) const {
  const auto found = partitions_.find(number);
  return found != partitions_.end() && found->second.next >= 0;
}

std::optional<core::SteadyTime> PartitionBuffers::next_release(core::SteadyTime now) const {
  std::optional<core::SteadyTime> earliest;
  for (const auto& [number, partition] : partitions_) {
    const auto until = kept_back_until(partition);
    if (until > now && (!earliest || until < *earliest)) earliest = until;
  }
  return earliest;
}

bool PartitionBuffers::can_give(core::SteadyTime now) const {
  if (!to_tell_.empty() || !to_take_.empty()) return true;
  return std::ranges::any_of(partitions_, [now](const auto& one) {
    return !one.second.records.empty() && kept_back_until(one.second) <= now;
  });
}

std::uint64_t PartitionBuffers::lag() const {
  std::uint64_t sum = 0;
  for (const auto& [number, partition] : partitions_) {
    const std::int64_t next = std::max<std::int64_t>(partition.next, 0);
    if (partition.high > next) sum += static_cast<std::uint64_t>(partition.high - next);
  }
  return sum;
}

}  // namespace scalestyle::adapters::kafka
