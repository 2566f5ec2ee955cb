#include "consumer/partition_book.hpp"

#include <algorithm>
#include <set>

namespace scalestyle::consumer {

namespace {

void raise(std::optional<std::int64_t>& offset, std::int64_t to) { offset = offset ? std::max(*offset, to) : to; }

}  // namespace

void PartitionBook::resume(const events::EventPosition& position) {
  partitions_[position.partition] = {.stream = position.stream, .settled = position.offset, .durable = position.offset,
                                     .seek_to = position.offset};
}

void PartitionBook::hold(std::int32_t partition) { partitions_.try_emplace(partition); }

void PartitionBook::drop(std::int32_t partition) { partitions_.erase(partition); }

std::vector<events::EventPosition> PartitionBook::to_seek() const {
  std::vector<events::EventPosition> positions;
  for (const auto& [number, partition] : partitions_) {
    if (partition.seek_to) positions.push_back({partition.stream, number, *partition.seek_to});
  }
  return positions;
}

void PartitionBook::sought(const events::EventPosition& position) {
  const auto found = partitions_.find(position.partition);
  if (found != partitions_.end()) found->second.seek_to.reset();
}

void PartitionBook::settle(const ports::StreamBatch& batch) {
  const auto raise_settled = [this](const events::EventPosition& position) {
    Partition& partition = partitions_[position.partition];
    partition.stream = position.stream;
    raise(partition.settled, position.offset);
  };
  for (const auto& event : batch.events) raise_settled(event.position);
  for (const auto& record : batch.undecodable) raise_settled(record.position);
}

std::vector<std::int32_t> PartitionBook::go_back(const ports::StreamBatch& batch) {
  std::set<std::int32_t> touched;
  const auto lower = [&](const events::EventPosition& position) {
    Partition& partition = partitions_[position.partition];
    partition.stream = position.stream;
    const std::int64_t before = position.offset - 1;
    partition.seek_to = partition.seek_to ? std::min(*partition.seek_to, before) : before;
    touched.insert(position.partition);
  };
  for (const auto& event : batch.events) lower(event.position);
  for (const auto& record : batch.undecodable) lower(record.position);
  return {touched.begin(), touched.end()};
}

void PartitionBook::note_durable(const events::EventPosition& position) {
  const auto found = partitions_.find(position.partition);
  if (found != partitions_.end() && found->second.stream == position.stream) raise(found->second.durable, position.offset);
}

std::vector<events::EventPosition> PartitionBook::to_commit() const {
  std::vector<events::EventPosition> positions;
  for (const auto& [number, partition] : partitions_) {
    if (!partition.durable || !partition.settled) continue;
    const std::int64_t offset = std::min(*partition.durable, *partition.settled);
    if (!partition.committed || offset > *partition.committed) positions.push_back({partition.stream, number, offset});
  }
  return positions;
}

void PartitionBook::committed(const events::EventPosition& position) {
  const auto found = partitions_.find(position.partition);
  if (found != partitions_.end()) raise(found->second.committed, position.offset);
}

}  // namespace scalestyle::consumer
