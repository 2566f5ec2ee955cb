#pragma once
// The inside of KafkaEventStream. librdkafka is called by run()'s thread alone (but for its wake-up); the rest is shared
// under the mutex.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/broker_watch.hpp"
#include "adapters/kafka/kafka_event_stream.hpp"
#include "adapters/kafka/partition_buffers.hpp"
#include "adapters/kafka/rdkafka_impl.hpp"
#include "core/waiter.hpp"
#include "core/deadline.hpp"

namespace scalestyle::adapters::kafka {

struct KafkaEventStream::Impl {
  enum class Wake : std::uint8_t { kLook, kDeadline, kCancelled };
  using PollWaiter = std::shared_ptr<core::Waiter<Wake>>;
  using SeekWaiter = std::shared_ptr<core::Waiter<core::Status>>;
  struct Seek {
    std::int32_t partition;
    std::int64_t after;
    core::Deadline deadline;
    SeekWaiter waiter;
  };

  Impl(Options chosen, Services given);
  core::Status start(const KafkaOptions& kafka);
  void wake_thread();
  [[nodiscard]] core::Status check(const events::EventPosition& position) const;

  // run()'s thread.
  void run();
  [[nodiscard]] bool join();
  [[nodiscard]] bool assign_all();
  void read();
  [[nodiscard]] std::size_t take_in(rd_kafka_message_t* message);
  [[nodiscard]] PartitionBuffers::Record decode(const rd_kafka_message_t& message) const;
  void wake_poll();
  void seek_all();
  [[nodiscard]] core::Status do_seek(const Seek& seek);
  void follow_holds();
  void refresh_lag();
  void commit_noted(bool wait);
  void commit_ended(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* offsets);
  void rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions);
  void came(rd_kafka_topic_partition_list_t* partitions);
  void went(rd_kafka_topic_partition_list_t* partitions);
  void complain(std::string text);

  const Options options;
  Services use;
  BrokerWatch watch;
  std::atomic<bool> stopping{false};

  // run()'s thread alone.
  bool joined = false;
  std::vector<std::pair<std::int32_t, PartitionBuffers::Record>> reading;  // of one reading, not in the buffers yet
  std::set<std::int32_t> held_back;  // paused in librdkafka
  core::SteadyTime last_commit = core::SteadyTime::min();
  core::SteadyTime last_lag = core::SteadyTime::min();
  core::SteadyTime last_held_lag = core::SteadyTime::min();

  mutable std::mutex mutex;
  std::condition_variable room;               // the buffer was emptied, or there is something to do
  PartitionBuffers buffers;                   // guarded by mutex, as all below
  PollWaiter waiter;
  std::deque<Seek> seeks;
  std::map<std::int32_t, std::int64_t> starts;  // where partitions begin that are not assigned yet
  std::map<std::int32_t, std::int64_t> noted;   // offsets to commit
  bool placed = false;                          // partitions were assigned once
  std::string complaint;
  std::string fatal;

  rdkafka::Owned<rd_kafka_t> client;  // last but for the queue: its threads call into the members above
  rdkafka::Owned<rd_kafka_queue_t> queue;
};

}  // namespace scalestyle::adapters::kafka
