// What is certain of an append when its broker is away, stands still or comes back. A broker of its own, which is killed.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/kafka_impression_log.hpp"
#include "kafka_support.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {
namespace {

using namespace std::chrono_literals;

class KafkaFaultTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = RealServer::start("kafka.sh", {"1"});
    if (!server && server.error().code == core::ErrorCode::kNotFound) GTEST_SKIP() << server.error().message;
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    kafka_ = plain_options(*server_);
    make_topic(kafka_, topic_, 3);
    producer_ = running_producer(kafka_, time_, metrics_);
    log_ = std::make_unique<KafkaEventLog>(**producer_, time_.clock(), KafkaEventLog::Options{.topic = topic_});
  }
  core::Deadline in(std::chrono::milliseconds time) { return core::Deadline::after(time, time_.clock()); }
  ports::AppendResult append(const std::string& id, std::chrono::milliseconds within = 20s) {
    return core::sync_wait(log_->append({sample_click(id, "user-" + id)}, in(within)));
  }
  // The client notices a moment after the broker has gone: what it writes until then may have been sent.
  void kill_and_notice() {
    ASSERT_TRUE(server_->run("kill", {"1"}));
    ASSERT_TRUE(eventually([this] { return !append("probe", 200ms).has_value(); }));
  }
  // Ids of all that is in the topic now, each as often as it is there.
  std::multiset<std::string> all_ids() {
    KafkaEventStream::Options options;
    options.topic = topic_;
    const auto stream = running_stream(kafka_, time_, options);
    std::multiset<std::string> ids;
    EXPECT_TRUE(eventually([&] { return (*stream)->lag() < KafkaEventStream::kLagNotKnown; }));
    // The watermarks come with the first answers; then until all is read.
    const auto until = time_.clock().steady_now() + 3s;
    while ((*stream)->lag() > 0 || time_.clock().steady_now() < until) {
      const auto batch = core::sync_wait((*stream)->poll(1'000, in(200ms)));
      EXPECT_TRUE(batch) << batch.error().message;
      for (const auto& event : batch->events) ids.insert(event.event.event_id);
    }
    return ids;
  }

  RunningTimers time_;
  telemetry::Metrics metrics_;
  std::unique_ptr<RealServer> server_;
  KafkaOptions kafka_;
  const std::string topic_ = new_topic_name();
  std::unique_ptr<Running<KafkaProducer>> producer_;
  std::unique_ptr<KafkaEventLog> log_;
};

TEST_F(KafkaFaultTest, WhileTheBrokerIsAwayAppendsAreCertainlyRefusedAndNeverAppearAfterwards) {
  ASSERT_TRUE(append("before"));
  kill_and_notice();
  // Those that come before it is known that the broker is away are taken back once it is.
  std::vector<std::string> refused;
  for (int i = 0; i < 30; ++i) {
    const std::string id = "away-" + std::to_string(i);
    const auto result = append(id, 5s);
    ASSERT_FALSE(result) << id;
    EXPECT_EQ(result.error().outcome, ports::AppendOutcome::kNotKept) << id << ": " << result.error().error.message;
    EXPECT_EQ(result.error().error.code, core::ErrorCode::kUnavailable) << result.error().error.message;
    refused.push_back(id);
  }
  EXPECT_NE(log_->refusal(), "");
  const auto begun = time_.clock().steady_now();
  const auto at_once = append("at-once", 5s);
  ASSERT_FALSE(at_once);
  EXPECT_LT(time_.clock().steady_now() - begun, 1s);
  ASSERT_TRUE(server_->run("restart", {"1"}));
  ASSERT_TRUE(eventually([this] { return log_->refusal().empty(); }, 60s)) << log_->refusal();
  for (int i = 0; i < 20; ++i) {
    const auto after = append("after-" + std::to_string(i));
    ASSERT_TRUE(after) << after.error().error.message;
  }
  const auto ids = all_ids();
  EXPECT_EQ(ids.count("before"), 1U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ids.count("after-" + std::to_string(i)), 1U);
  for (const auto& id : refused) EXPECT_EQ(ids.count(id), 0U) << id;
  EXPECT_EQ(ids.count("at-once"), 0U);
}

TEST_F(KafkaFaultTest, WhatWasQueuedWhenItsDeadlineCameIsCertainlyNotKept) {
  ASSERT_TRUE(append("before"));
  kill_and_notice();
  // Within the grace the client queues; the deadline is nearer than the grace.
  const auto short_one = append("short", 600ms);
  ASSERT_FALSE(short_one);
  EXPECT_EQ(short_one.error().outcome, ports::AppendOutcome::kNotKept) << short_one.error().error.message;
  ASSERT_TRUE(server_->run("restart", {"1"}));
  ASSERT_TRUE(eventually([this] { return log_->refusal().empty(); }, 60s));
  ASSERT_TRUE(append("again"));
  const auto ids = all_ids();
  EXPECT_EQ(ids.count("short"), 0U);
  EXPECT_EQ(ids.count("again"), 1U);
}

TEST_F(KafkaFaultTest, ABrokerThatStandsStillLeavesAnAppendUnknown) {
  ASSERT_TRUE(append("before"));
  ASSERT_TRUE(server_->run("pause", {"1"}));
  const auto begun = time_.clock().steady_now();
  const auto result = append("perhaps", 1'500ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome, ports::AppendOutcome::kUnknown) << result.error().error.message;
  EXPECT_EQ(result.error().error.code, core::ErrorCode::kDeadlineExceeded);
  EXPECT_LT(time_.clock().steady_now() - begun, 15s);
  ASSERT_TRUE(server_->run("continue", {"1"}));
  ASSERT_TRUE(eventually([this] { return append("after", 5s).has_value(); }, 60s));
  const auto ids = all_ids();
  EXPECT_LE(ids.count("perhaps"), 1U);
}

TEST_F(KafkaFaultTest, QueuedAndSentAppendsSortThemselvesOutWhileTheBrokerStandsStill) {
  ASSERT_TRUE(append("before"));
  ASSERT_TRUE(server_->run("pause", {"1"}));
  // More than may be under way at once: what is not sent when its time is over is certain, the rest is not.
  constexpr int kAppends = 2'000;
  std::vector<core::Operation> operations;
  std::atomic<int> ended{0};
  std::mutex mutex;
  std::set<std::string> certain;
  std::set<std::string> unknown;
  for (int i = 0; i < kAppends; ++i) {
    const std::string id = "n-" + std::to_string(i);
    const auto note = [&, id](ports::AppendResult&& result) {
      const std::lock_guard lock(mutex);
      if (!result) (result.error().outcome == ports::AppendOutcome::kNotKept ? certain : unknown).insert(id);
      ++ended;
    };
    operations.push_back(core::start(log_->append({sample_click(id, "user-" + id)}, in(2s)), note));
    if (i % 100 == 0) std::this_thread::sleep_for(5ms);
  }
  ASSERT_TRUE(eventually([&] { return ended == kAppends; }));
  ASSERT_TRUE(server_->run("continue", {"1"}));
  ASSERT_TRUE(eventually([this] { return append("after", 5s).has_value(); }, 60s));
  std::printf("broker stands still: %zu certain, %zu unknown of %d\n", certain.size(), unknown.size(), kAppends);
  EXPECT_GT(certain.size(), 0U);
  EXPECT_GT(unknown.size(), 0U);
  const auto ids = all_ids();
  for (const auto& id : certain) EXPECT_EQ(ids.count(id), 0U) << id;
  for (const auto& id : unknown) EXPECT_LE(ids.count(id), 1U) << id;
}

TEST_F(KafkaFaultTest, WhatIsSentBeyondTheBoundsIsRefusedWholeAndImpressionsAreDropped) {
  producer_.reset();
  KafkaProducer::Options small;
  small.max_messages = 1'000;
  producer_ = running_producer(kafka_, time_, metrics_, small);
  log_ = std::make_unique<KafkaEventLog>(**producer_, time_.clock(), KafkaEventLog::Options{.topic = topic_});
  KafkaImpressionLog impressions(**producer_, metrics_, topic_ + ".i");
  make_topic(kafka_, topic_ + ".i");
  ASSERT_TRUE(append("before"));
  events::Impression shown;
  shown.request_id = "r";
  shown.user_id = core::UserId("ann");
  EXPECT_TRUE(impressions.note(shown));
  ASSERT_TRUE(server_->run("pause", {"1"}));
  std::vector<core::Operation> waiting;
  std::atomic<int> ended{0};
  for (int i = 0; i < 2; ++i) {
    std::vector<events::Event> batch;
    for (int k = 0; k < 500; ++k) batch.push_back(sample_click(std::to_string(i) + "/" + std::to_string(k)));
    waiting.push_back(core::start(log_->append(std::move(batch), in(3s)), [&](ports::AppendResult&&) { ++ended; }));
  }
  const auto full = append("one-more", 3s);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().error.code, core::ErrorCode::kResourceExhausted);
  EXPECT_EQ(full.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_FALSE(impressions.note(shown));
  ASSERT_TRUE(server_->run("continue", {"1"}));
  ASSERT_TRUE(eventually([&] { return ended == 2; }));
  EXPECT_EQ(core::sync_wait(impressions.history({}, 1, in(1s))).error().code, core::ErrorCode::kUnsupported);
}

TEST_F(KafkaFaultTest, ATopicThatIsMissingIsNeverMadeByAnAppend) {
  KafkaEventLog lost(**producer_, time_.clock(), KafkaEventLog::Options{.topic = "no.such.topic"});
  const auto result = core::sync_wait(lost.append({sample_click("x")}, in(1s)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().outcome, ports::AppendOutcome::kNotKept) << result.error().error.message;
  const auto made = create_topic(kafka_, {"no.such.topic", 1, 1, {}}, 20s);
  EXPECT_TRUE(made) << made.error().message;  // it was not there
}

}  // namespace
}  // namespace scalestyle::support
