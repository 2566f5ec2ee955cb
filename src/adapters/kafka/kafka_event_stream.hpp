#pragma once
// KafkaEventStream: one topic of events (the main one or a retry tier) as one consumer reads it.
//
// With a group, its members share the partitions (cooperative rebalances: what does not move is not interrupted), and
// positions that were committed are kept by the brokers. Without a group it reads all partitions, from the first record that
// is kept until it is sought elsewhere: for a feature store that keeps its positions itself; commit() then does nothing.
//
// One thread, given to run(), reads into a bounded buffer, from which poll() is served. Bytes are read as they are and decoded
// here (kafka_record.hpp): a record that is no event is given as such, and stops nothing. A record of a tier is given when its
// time has come; until then its partition alone is kept back.
//
// commit() notes; the thread sends what is noted every commit_interval, before a partition is given up, and at the end. A
// commit that fails is repeated, or dropped with its partition; its effect then is that records are given again.
// Thread safety: as ports::EventStream; run() by one thread; the rest by any. Destroy it after run() has returned.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_record.hpp"
#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "ports/event_stream.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::adapters::kafka {

class KafkaEventStream final : public ports::EventStream {
 public:
  struct Options {
    std::string topic = "scalestyle.clicks";
    std::string group{};                                       // empty: all partitions, no commits
    std::size_t max_buffered_records = 20'000;                 // read and not yet given
    std::size_t max_buffered_bytes = 32u << 20;
    std::chrono::milliseconds session_timeout{45'000};         // a member that is not heard of for so long has left
    std::chrono::milliseconds max_poll_interval{300'000};      // nor is one that stands still for so long
    std::chrono::milliseconds commit_interval{200};
    KafkaReadOptions read{};

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Services {
    const core::Clock& clock;
    core::TimerQueue& timers;
    telemetry::Logger* log = nullptr;
  };

  // Needs no broker yet. kInvalidArgument for options.
  [[nodiscard]] static core::Result<std::unique_ptr<KafkaEventStream>> open(const KafkaOptions& kafka, Options options,
                                                                            Services services);
  ~KafkaEventStream() override;

  // Reads on the calling thread until stop(); then commits what is noted, leaves the group, and returns.
  void run();
  void stop();

  // Tasks complete on run()'s thread, or on the timers'. kUnavailable when the client is beyond repair; while no broker is
  // reachable there is merely nothing to give (trouble() says so).
  [[nodiscard]] core::Task<core::Result<ports::StreamBatch>> poll(std::size_t max_events, core::Deadline deadline) override;
  // Of a partition that a group has not assigned to this member: noted, for when it is. kUnavailable when the broker cannot
  // be asked; kDataLoss when the topic ends before the position.
  [[nodiscard]] core::Task<core::Status> seek(events::EventPosition position, core::Deadline deadline) override;
  [[nodiscard]] core::Status pause(std::int32_t partition, std::chrono::milliseconds duration) override;
  [[nodiscard]] core::Task<core::Status> commit(events::EventPosition position, core::Deadline deadline) override;
  // From what brokers said last (renewed about every 100 ms, every second for what is kept back). kLagNotKnown until
  // partitions are assigned for the first time.
  [[nodiscard]] std::uint64_t lag() const override;
  static constexpr std::uint64_t kLagNotKnown = 1'000'000'000;

  // Empty while all goes well; else what keeps records away, for readiness and people.
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::vector<std::int32_t> assigned() const;

 private:
  struct Impl;
  explicit KafkaEventStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::kafka
