#pragma once
// The inside of KafkaProducer.
//
// A Ticket is one message at librdkafka, its opaque; a Send is all messages of one send(), kept in memory until each has
// its delivery report, since librdkafka does not copy them. Reports come on run()'s thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/kafka/broker_watch.hpp"
#include "adapters/kafka/kafka_producer.hpp"
#include "adapters/kafka/rdkafka_impl.hpp"
#include "core/waiter.hpp"

namespace scalestyle::adapters::kafka {

struct KafkaProducer::Impl {
  // What is certain of a message's failure.
  enum class Fate : std::uint8_t { kNotSent, kMaybeSent };

  struct Send {
    std::vector<KafkaMessage> messages;
    std::size_t bytes = 0;
    bool posted = false;                   // nobody waits for it
    std::atomic<bool> late{false};         // its time is over: what comes back is not sent again
    // Guarded by Impl::mutex.
    std::vector<KafkaPlace> places;
    std::size_t open = 0;                  // messages without an end
    std::size_t delivered = 0;
    bool maybe = false;                    // one that failed may be in the cluster
    std::optional<core::Error> error;      // the first
    core::Waiter<KafkaSent> waiter;
  };
  struct Ticket {
    std::shared_ptr<Send> send;
    std::size_t index;
  };

  Impl(Options chosen, Services given, std::string brokers_text);
  core::Status start(const KafkaOptions& kafka);

  // Reserves room; the refusal when there is none. `share`: of the bounds that may be used, 1 or 2 halves.
  core::Status reserve(const Send& send, std::size_t halves);
  void produce_all(const std::shared_ptr<Send>& send);
  // Gives the message to librdkafka; on failure its ticket is gone.
  [[nodiscard]] rd_kafka_resp_err_t produce(std::unique_ptr<Ticket> ticket);
  void delivered(const Ticket& ticket, const rd_kafka_message_t& report);
  void failed(const Ticket& ticket, Fate fate, core::Error error);
  void report(const rd_kafka_message_t& message);
  void close(const std::shared_ptr<Send>& send, bool last);
  void be_late(Send& send);
  void take_back_when_due();
  void drain();
  [[nodiscard]] std::string refusal() const;
  [[nodiscard]] std::uint64_t outstanding() const;

  const Options options;
  Services use;
  const std::string brokers;
  BrokerWatch watch;
  telemetry::Counter acknowledged_count;
  telemetry::Counter refused_count;
  telemetry::Counter unknown_count;
  telemetry::Gauge held;  // messages_held, as shown
  std::atomic<bool> stopping{false};
  std::atomic<bool> take_back_wanted{false};
  std::atomic<std::uint64_t> lost_posts{0};
  core::SteadyTime last_taken_back = core::SteadyTime::min();  // run()'s thread alone

  mutable std::mutex mutex;
  std::size_t messages_held = 0;  // guarded by mutex, as all below
  std::size_t bytes_held = 0;
  std::string fatal;

  rdkafka::Owned<rd_kafka_t> client;  // last: its threads call into the members above
};

}  // namespace scalestyle::adapters::kafka
