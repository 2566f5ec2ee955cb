#pragma once
// KafkaProducer: sends records to a cluster and tells what became of them. One a process: the event log, the impression log
// and the routing of failed records share it.
//
// Idempotent, acks=all: a record that the cluster acknowledged is on all in-sync replicas, and a repetition inside the
// client makes no second one. Records of one key go to one partition (murmur2, as the Java clients do) and keep their order.
//
// What becomes of a send is certain wherever that can be known. A record that was never handed to a broker is taken back:
// when no broker has been reachable for `down_grace`, and when the send's deadline comes near. Then nothing of it will be
// published (AppendOutcome::kNotKept). A record that went to a broker which does not answer stays unknown (kUnknown).
// While no broker is reachable, sends are refused at once.
//
// Taking back empties the client's queues; records whose time is not over are put in again, behind what is in flight.
// Thread safety: every method may be called from any thread; run() by one. Destroy it after run() has returned.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/kafka_options.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "ports/event_log.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::kafka {

using KafkaHeaders = std::vector<std::pair<std::string, std::string>>;

struct KafkaMessage {
  std::string topic{};
  std::string key{};
  std::string value{};
  KafkaHeaders headers{};
  bool tombstone = false;  // no value at all: what the key named is gone
};

// Where a record is.
struct KafkaPlace {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};
using KafkaSent = std::expected<std::vector<KafkaPlace>, ports::AppendFailure>;

class KafkaProducer {
 public:
  struct Options {
    std::size_t max_messages = 20'000;                        // sent and not acknowledged; more are refused
    std::size_t max_bytes = 32u << 20;
    std::chrono::milliseconds linger{2};                      // for company in a request
    std::chrono::milliseconds delivery_timeout{30'000};       // of one record; longer than a broker takes to be replaced
    std::chrono::milliseconds request_timeout{10'000};        // then its connection is given up
    std::chrono::milliseconds down_grace{2'000};              // without any connection, before sends are refused

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Services {
    const core::Clock& clock;
    core::TimerQueue& timers;
    telemetry::Metrics& metrics;
    telemetry::Logger* log = nullptr;
  };

  // Needs no broker yet. kInvalidArgument for options; kNotFound for a CA file that cannot be read.
  [[nodiscard]] static core::Result<std::unique_ptr<KafkaProducer>> open(const KafkaOptions& kafka, Options options,
                                                                         Services services);
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // Reports on the calling thread until stop(); then gives what is in flight a few seconds to be acknowledged, takes the
  // rest back, and returns.
  void run();
  void stop();

  // Sends all, and completes on run()'s thread when each was acknowledged: one place a message, in order. A failure is of
  // the whole: kNotKept when none of them is or will be in the cluster, else kUnknown. Errors: kResourceExhausted (the
  // bounds above), kUnavailable (no broker; not enough in-sync replicas), kDeadlineExceeded, kPermissionDenied,
  // kNotFound (no such topic), kInvalidArgument (too large), kFailedPrecondition (the client is beyond repair).
  [[nodiscard]] core::Task<KafkaSent> send(std::vector<KafkaMessage> messages, core::Deadline deadline);

  // Takes one message for sending and never waits; nothing tells what became of it. False: dropped, because half of the
  // bounds are used up or no broker is reachable.
  [[nodiscard]] bool post(KafkaMessage message);

  // Posted messages that did not arrive since.
  [[nodiscard]] std::uint64_t lost_posts() const;

  // Empty while sends are accepted; else why not.
  [[nodiscard]] std::string refusal() const;

 private:
  struct Impl;
  explicit KafkaProducer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::kafka
