// Prints what one broker and one client do on this machine; asserts only that all of it arrives.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kafka_support.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {
namespace {

using namespace std::chrono_literals;

double seconds_since(core::SteadyTime begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

TEST(KafkaThroughputTest, AcknowledgedAppendsAndConsumedEventsASecond) {
  KAFKA_OR_SKIP(server, "1");
  const auto kafka = plain_options(*server);
  const std::string topic = new_topic_name();
  make_topic(kafka, topic, 4);
  RunningTimers time;
  telemetry::Metrics metrics;
  const auto producer = running_producer(kafka, time, metrics);
  KafkaEventLog log(**producer, time.clock(), {.topic = topic});
  std::atomic<int> next{0};
  const auto append_from = [&](int until) {
    for (int i = next++; i < until; i = next++) {
      const auto result = core::sync_wait(log.append({sample_click("e" + std::to_string(i), "user-" + std::to_string(i % 100))},
                                                     core::Deadline::after(30s, time.clock())));
      ASSERT_TRUE(result) << result.error().error.message;
    }
  };
  append_from(50);  // connections, the producer's id
  std::size_t sent = 50;
  for (const auto& [in_flight, count] : std::vector<std::pair<int, int>>{{1, 300}, {64, 6'000}}) {
    const auto begun = std::chrono::steady_clock::now();
    const int until = static_cast<int>(sent) + count;
    next = static_cast<int>(sent);
    std::vector<std::thread> callers;
    for (int i = 0; i < in_flight; ++i) callers.emplace_back([&] { append_from(until); });
    for (auto& caller : callers) caller.join();
    sent = static_cast<std::size_t>(until);
    std::printf("kafka: %.0f acknowledged appends/s with %d in flight\n", count / seconds_since(begun), in_flight);
  }
  const auto batches_begun = std::chrono::steady_clock::now();
  constexpr int kBatches = 100;
  for (int b = 0; b < kBatches; ++b) {
    std::vector<events::Event> batch;
    for (int i = 0; i < 500; ++i) {
      batch.push_back(sample_click("b" + std::to_string(b) + "-" + std::to_string(i), "user-" + std::to_string(i % 100)));
    }
    const auto appended = core::sync_wait(log.append(std::move(batch), core::Deadline::after(30s, time.clock())));
    ASSERT_TRUE(appended) << appended.error().error.message;
  }
  sent += kBatches * 500;
  std::printf("kafka: %.0f acknowledged events/s in batches of 500\n", kBatches * 500 / seconds_since(batches_begun));

  const auto stream = running_stream(kafka, time, {.topic = topic});
  const auto begun = std::chrono::steady_clock::now();
  std::size_t got = 0;
  while (got < sent && seconds_since(begun) < 60) {
    const auto batch = core::sync_wait((*stream)->poll(2'000, core::Deadline::after(1s, time.clock())));
    ASSERT_TRUE(batch) << batch.error().message;
    got += batch->events.size();
  }
  EXPECT_EQ(got, sent);
  std::printf("kafka: %.0f events/s read and decoded by one consumer\n", static_cast<double>(got) / seconds_since(begun));
}

}  // namespace
}  // namespace scalestyle::support
