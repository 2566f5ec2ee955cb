#pragma once
// Brokers that a test program starts once, and clients of them with their threads.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/kafka/kafka_event_log.hpp"
#include "adapters/kafka/kafka_event_stream.hpp"
#include "adapters/kafka/kafka_producer.hpp"
#include "adapters/kafka/kafka_topics.hpp"
#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "events/event_id.hpp"
#include "support/real_server.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::support {

using namespace adapters::kafka;

// Ends with the program; kind as kafka.sh takes it: "1", "3", "sasl".
class KafkaBrokers final : public ::testing::Environment {
 public:
  static core::Result<RealServer*> of(const std::string& kind) {
    auto& known = servers()[kind];
    if (!known) known.emplace(RealServer::start("kafka.sh", {kind}));
    if (!*known) return std::unexpected(known->error());
    return (**known).get();
  }
  static void end(const std::string& kind) { servers().erase(kind); }
  void SetUp() override {
    const auto server = of("1");
    if (!server && server.error().code == core::ErrorCode::kNotFound) GTEST_SKIP() << server.error().message;
    ASSERT_TRUE(server) << server.error().message;
  }
  void TearDown() override { servers().clear(); }

 private:
  static std::map<std::string, std::optional<core::Result<std::unique_ptr<RealServer>>>>& servers() {
    static std::map<std::string, std::optional<core::Result<std::unique_ptr<RealServer>>>> all;
    return all;
  }
};

inline KafkaOptions plain_options(const RealServer& server) {
  KafkaOptions options;
  options.brokers = server.value("bootstrap");
  return options;
}

inline std::string new_topic_name(const std::string& suffix = {}) {
  return "t." + events::make_event_id().substr(0, 8) + suffix;
}

// A clock and its timers, running.
class RunningTimers {
 public:
  RunningTimers() : timers_(clock_), thread_([this] { timers_.run(); }) {}
  ~RunningTimers() {
    timers_.stop();
    thread_.join();
  }
  core::SystemClock& clock() { return clock_; }
  core::TimerQueue& timers() { return timers_; }

 private:
  core::SystemClock clock_;
  core::TimerQueue timers_;
  std::thread thread_;
};

// Something with open(), run() and stop(), running.
template <class Client>
class Running {
 public:
  explicit Running(std::unique_ptr<Client> client) : client_(std::move(client)), thread_([this] { client_->run(); }) {}
  ~Running() {
    client_->stop();
    thread_.join();
  }
  Client& operator*() { return *client_; }
  Client* operator->() { return client_.get(); }

 private:
  std::unique_ptr<Client> client_;
  std::thread thread_;
};

inline std::unique_ptr<Running<KafkaProducer>> running_producer(const KafkaOptions& kafka, RunningTimers& time,
                                                                telemetry::Metrics& metrics,
                                                                KafkaProducer::Options options = {}) {
  auto producer = KafkaProducer::open(kafka, options, {time.clock(), time.timers(), metrics, nullptr});
  if (!producer) throw std::runtime_error(producer.error().message);
  return std::make_unique<Running<KafkaProducer>>(std::move(*producer));
}

inline std::unique_ptr<Running<KafkaEventStream>> running_stream(const KafkaOptions& kafka, RunningTimers& time,
                                                                 KafkaEventStream::Options options) {
  auto stream = KafkaEventStream::open(kafka, std::move(options), {time.clock(), time.timers(), nullptr});
  if (!stream) throw std::runtime_error(stream.error().message);
  return std::make_unique<Running<KafkaEventStream>>(std::move(*stream));
}

inline void make_topic(const KafkaOptions& kafka, const std::string& name, std::int32_t partitions = 1,
                       std::int16_t replication = 1, std::vector<std::pair<std::string, std::string>> settings = {}) {
  const auto made = create_topic(kafka, {name, partitions, replication, std::move(settings)}, std::chrono::seconds(30));
  if (!made) throw std::runtime_error(made.error().message);
}

// Keys and values of a topic as they lie there, at least `count` (kafka_support.cpp, which knows librdkafka).
std::vector<std::pair<std::string, std::string>> read_raw_records(const KafkaOptions& kafka, const std::string& topic,
                                                                  std::size_t count);

inline bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds within = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace scalestyle::support

// In a test: `server` is a RealServer*, or the test is skipped with the reason.
#define KAFKA_OR_SKIP(server, kind)                                                               \
  RealServer* server = nullptr;                                                                   \
  {                                                                                               \
    auto kafka_or_skip = ::scalestyle::support::KafkaBrokers::of(kind);                           \
    if (!kafka_or_skip && kafka_or_skip.error().code == ::scalestyle::core::ErrorCode::kNotFound) \
      GTEST_SKIP() << kafka_or_skip.error().message;                                              \
    ASSERT_TRUE(kafka_or_skip) << kafka_or_skip.error().message;                                  \
    server = *kafka_or_skip;                                                                      \
  }
