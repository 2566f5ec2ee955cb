#pragma once
// PartitionBook: what an event loop knows of the partitions it holds: how far each is settled, made durable and
// committed, and where its next poll must begin. Pure bookkeeping. Not thread-safe.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "events/event_position.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::consumer {

class PartitionBook {
 public:
  // Holds the partition from here on, with effects durable up to `position`; the next poll must seek there.
  void resume(const events::EventPosition& position);
  // Holds a partition of which nothing is durable: it begins where the stream begins.
  void hold(std::int32_t partition);
  void drop(std::int32_t partition);
  void clear() { partitions_.clear(); }
  [[nodiscard]] bool holds(std::int32_t partition) const { return partitions_.contains(partition); }

  [[nodiscard]] std::vector<events::EventPosition> to_seek() const;
  void sought(const events::EventPosition& position);

  // Everything of the batch has taken effect, or is kept as a dead letter.
  void settle(const ports::StreamBatch& batch);
  // The batch must be given again: its partitions, which seek to before their first record of it.
  std::vector<std::int32_t> go_back(const ports::StreamBatch& batch);

  // Ignored for a partition that is not held, or of another stream.
  void note_durable(const events::EventPosition& position);
  // Where commits should move to: durable as well as settled, and not committed yet.
  [[nodiscard]] std::vector<events::EventPosition> to_commit() const;
  void committed(const events::EventPosition& position);

 private:
  struct Partition {
    std::string stream{};  // empty until a record names it
    std::optional<std::int64_t> settled{};
    std::optional<std::int64_t> durable{};
    std::optional<std::int64_t> committed{};
    std::optional<std::int64_t> seek_to{};
  };
  std::map<std::int32_t, Partition> partitions_;
};

}  // namespace scalestyle::consumer
