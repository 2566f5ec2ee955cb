// What a consumer sees on a real broker: rebalances, retries, records that are no event, restarts; and the whole event loop.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/kafka/failed_record.hpp"
#include "adapters/kafka/kafka_record_router.hpp"
#include "consumer/event_loop.hpp"
#include "consumer/kafka_failed_records.hpp"
#include "kafka_support.hpp"
#include "support/fake_feature_store.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {
namespace {

using namespace std::chrono_literals;

class KafkaConsumerTest : public testing::Test {
 protected:
  void SetUp() override {
    KAFKA_OR_SKIP(server, "1");
    kafka_ = plain_options(*server);
    topics_.events = new_topic_name();
    producer_ = running_producer(kafka_, time_, metrics_);
  }
  void make_topics(std::int32_t partitions) {
    make_topic(kafka_, topics_.events, partitions);
    for (std::uint32_t tier = 1; tier <= KafkaTopics::kTiers; ++tier) make_topic(kafka_, topics_.tier(tier), partitions);
    make_topic(kafka_, topics_.dead_letters(), partitions, 1, {{"cleanup.policy", "compact,delete"}});
  }
  core::Deadline in(std::chrono::milliseconds time) { return core::Deadline::after(time, time_.clock()); }
  std::unique_ptr<Running<KafkaEventStream>> stream(const std::string& topic, const std::string& group) {
    KafkaEventStream::Options options;
    options.topic = topic;
    options.group = group;
    options.session_timeout = 6s;
    return running_stream(kafka_, time_, options);
  }
  void append(int from, int to) {
    KafkaEventLog log(**producer_, time_.clock(), {.topic = topics_.events});
    std::vector<events::Event> batch;
    for (int i = from; i < to; ++i) batch.push_back(sample_click("e" + std::to_string(i), "user-" + std::to_string(i % 40)));
    for (std::size_t begin = 0; begin < batch.size(); begin += 500) {
      const std::vector<events::Event> some(batch.begin() + static_cast<std::ptrdiff_t>(begin),
                                            batch.begin() + static_cast<std::ptrdiff_t>(std::min(begin + 500, batch.size())));
      const auto appended = core::sync_wait(log.append(some, in(30s)));
      ASSERT_TRUE(appended) << appended.error().error.message;
    }
  }
  void send_raw(const std::string& topic, const std::string& key, const std::string& value) {
    ASSERT_TRUE(core::sync_wait((*producer_)->send({{.topic = topic, .key = key, .value = value}}, in(30s))));
  }
  ports::StreamBatch poll(KafkaEventStream& stream, std::chrono::milliseconds wait = 500ms, std::size_t max = 10'000) {
    auto batch = core::sync_wait(stream.poll(max, in(wait)));
    EXPECT_TRUE(batch) << batch.error().message;
    return batch ? std::move(*batch) : ports::StreamBatch{};
  }
  // Keys and values of a topic, as they lie there.
  std::vector<std::pair<std::string, std::string>> raw_records(const std::string& topic, std::size_t count) {
    return read_raw_records(kafka_, topic, count);
  }
  // The one record of a tier, when its time has come.
  std::optional<events::LoggedEvent> read_tier_record(const std::string& topic) {
    // Its delay is not waited for here: the longest is a minute.
    std::optional<events::LoggedEvent> found;
    for (const auto& [key, bytes] : raw_records(topic, 1)) {
      auto read = read_record(bytes, {.position = {topic, 0, 0}, .retry_count = ""}, {});
      EXPECT_TRUE(read) << read.error();
      if (!read) continue;
      found = std::move(read->logged);
      found->delivery.bytes = std::make_shared<const std::string>(bytes);
    }
    return found;
  }

  RunningTimers time_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{.level = telemetry::LogLevel::kError, .format = telemetry::LogFormat::kJson}, time_.clock()};
  KafkaOptions kafka_;
  KafkaTopics topics_;
  std::unique_ptr<Running<KafkaProducer>> producer_;
};

TEST_F(KafkaConsumerTest, TwoMembersShareAndNothingIsLostWhenOneComesAndGoesInMidBatch) {
  make_topics(6);
  append(0, 600);
  // Each member commits what it "applied", as the event loop does; a revoked partition's batch is not applied.
  std::map<std::string, int> applied;
  std::map<std::int32_t, std::int64_t> last;  // offset by partition: order, and nothing twice once committed
  const auto step = [&](KafkaEventStream& member, std::set<std::int32_t>& held) {
    const auto batch = poll(member, 100ms, 25);
    for (const auto partition : batch.revoked) held.erase(partition);
    for (const auto partition : batch.assigned) held.insert(partition);
    for (const auto& event : batch.events) {
      EXPECT_TRUE(held.contains(event.position.partition)) << "an event of a partition that is not held";
      ++applied[event.event.event_id];
      EXPECT_TRUE(core::sync_wait(member.commit(event.position, in(1s))));
    }
  };
  std::set<std::int32_t> held_a;
  std::set<std::int32_t> held_b;
  const auto a = stream(topics_.events, "group-" + topics_.events);
  ASSERT_TRUE(eventually([&] {
    step(**a, held_a);
    return held_a.size() == 6 && applied.size() > 50;
  }));
  auto b = stream(topics_.events, "group-" + topics_.events);
  ASSERT_TRUE(eventually([&] {
    step(**a, held_a);
    step(**b, held_b);
    return held_a.size() == 3 && held_b.size() == 3;
  })) << held_a.size() << " and " << held_b.size();
  EXPECT_EQ((*a)->assigned().size(), 3U);
  append(600, 900);
  ASSERT_TRUE(eventually([&] {
    step(**a, held_a);
    step(**b, held_b);
    return applied.size() == 900;
  }));
  b.reset();  // leaves with what it committed
  append(900, 1'000);
  ASSERT_TRUE(eventually([&] {
    step(**a, held_a);
    return applied.size() == 1'000 && held_a.size() == 6;
  }));
  const auto repeated = std::count_if(applied.begin(), applied.end(), [](const auto& one) { return one.second > 1; });
  std::printf("a member came and went: %td of 1000 events were given twice\n", repeated);
  EXPECT_LE(repeated, 100);  // what was in a batch when its partition moved
}

TEST_F(KafkaConsumerTest, WhatWasCommittedIsNotGivenAgainAfterARestart) {
  make_topics(3);
  append(0, 300);
  const std::string group = "group-" + topics_.events;
  std::set<std::string> first;
  {
    const auto reader = stream(topics_.events, group);
    while (first.size() < 150) {
      const auto batch = poll(**reader, 5s, 50);
      for (const auto& event : batch.events) {
        first.insert(event.event.event_id);
        ASSERT_TRUE(core::sync_wait((*reader)->commit(event.position, in(1s))));
      }
    }
  }
  std::set<std::string> second;
  const auto reader = stream(topics_.events, group);
  ASSERT_TRUE(eventually([&] {
    for (const auto& event : poll(**reader).events) {
      EXPECT_FALSE(first.contains(event.event.event_id)) << event.event.event_id;
      second.insert(event.event.event_id);
    }
    return first.size() + second.size() == 300;
  })) << first.size() << " + " << second.size();
  EXPECT_EQ((*reader)->lag(), 0U);
}

TEST_F(KafkaConsumerTest, TheTraceOfARequestComesWithItsEvents) {
  make_topics(1);
  const ports::TraceContext trace{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "shop=1"};
  KafkaEventLog log(**producer_, time_.clock(), {.topic = topics_.events});
  ASSERT_TRUE(core::sync_wait(log.append_traced({sample_click("e1", "ann")}, trace, in(30s))));
  ASSERT_TRUE(core::sync_wait(log.append({sample_click("e2", "ann")}, in(30s))));
  const auto running = stream(topics_.events, "traced-" + topics_.events);
  std::vector<events::LoggedEvent> given;
  for (int turn = 0; turn < 100 && given.size() < 2; ++turn) {
    for (auto& event : poll(**running).events) given.push_back(std::move(event));
  }
  ASSERT_EQ(given.size(), 2U);
  EXPECT_EQ(given[0].delivery.traceparent, trace.traceparent);
  EXPECT_EQ(given[0].delivery.tracestate, trace.tracestate);
  EXPECT_EQ(given[1].delivery.traceparent, "");
}

TEST_F(KafkaConsumerTest, AfterAFailureASeekGivesTheBatchAgainInOrder) {
  make_topics(2);
  append(0, 200);
  const auto reader = stream(topics_.events, "group-" + topics_.events);
  std::vector<events::LoggedEvent> batch;
  ASSERT_TRUE(eventually([&] {
    batch = poll(**reader, 1s, 40).events;
    return !batch.empty();
  }));
  const auto partition = batch.front().position.partition;
  auto before = batch.front().position;
  before.offset -= 1;
  ASSERT_TRUE(core::sync_wait((*reader)->seek(before, in(10s))));
  std::vector<std::int64_t> offsets;
  ASSERT_TRUE(eventually([&] {
    for (const auto& event : poll(**reader).events) {
      if (event.position.partition == partition) offsets.push_back(event.position.offset);
    }
    return (*reader)->lag() == 0;
  }));
  ASSERT_FALSE(offsets.empty());
  EXPECT_EQ(offsets.front(), batch.front().position.offset);
  EXPECT_TRUE(std::ranges::is_sorted(offsets));
  EXPECT_EQ(std::ranges::adjacent_find(offsets), offsets.end());
}

TEST_F(KafkaConsumerTest, ARecordThatIsNoEventIsGivenAsItsBytesAndStopsNothing) {
  make_topics(1);
  append(0, 1);
  const std::string poison("\xff\x00{not json", 11);
  send_raw(topics_.events, "key", poison);
  append(1, 2);
  const auto reader = stream(topics_.events, "");
  ports::StreamBatch all;
  ASSERT_TRUE(eventually([&] {
    auto batch = poll(**reader);
    for (auto& event : batch.events) all.events.push_back(std::move(event));
    for (auto& record : batch.undecodable) all.undecodable.push_back(std::move(record));
    return all.events.size() == 2;
  }));
  ASSERT_EQ(all.undecodable.size(), 1U);
  EXPECT_EQ(all.undecodable[0].bytes, poison);
  EXPECT_EQ(all.undecodable[0].key, "key");
  EXPECT_NE(all.undecodable[0].problem, "");
  EXPECT_EQ(all.undecodable[0].position.offset, 1);
}

TEST_F(KafkaConsumerTest, TheTraceContextOfAnAppendComesWithItsEvents) {
  make_topics(1);
  KafkaEventLog log(**producer_, time_.clock(), {.topic = topics_.events});
  const ports::TraceContext trace{"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01", "vendor=1"};
  const std::vector<events::Event> batch{sample_click("a"), sample_click("b")};
  ASSERT_TRUE(core::sync_wait(log.append_traced(batch, trace, in(30s))));
  ASSERT_TRUE(core::sync_wait(log.append({sample_click("c")}, in(30s))));
  const auto reader = stream(topics_.events, "");
  std::vector<events::LoggedEvent> read;
  ASSERT_TRUE(eventually([&] {
    for (auto& event : poll(**reader).events) read.push_back(std::move(event));
    return read.size() == 3;
  }));
  EXPECT_EQ(read[0].delivery.traceparent, trace.traceparent);
  EXPECT_EQ(read[1].delivery.tracestate, trace.tracestate);
  EXPECT_EQ(read[2].delivery.traceparent, "");
}

TEST_F(KafkaConsumerTest, ATiersRecordIsGivenWhenItsTimeHasComeAndKeepsBackItsPartitionAlone) {
  make_topics(2);
  KafkaRecordRouter router(**producer_, time_.clock(), metrics_, topics_);
  // Two records of one partition and one of the other, which is due already.
  std::vector<std::string> same;
  std::string other;
  const auto reader = stream(topics_.tier(1), "group-" + topics_.events);
  ASSERT_TRUE(eventually([&] { return poll(**reader, 100ms).assigned.size() == 2; }));
  const auto routed_at = time_.clock().wall_now();
  events::LoggedEvent event;
  event.position = {topics_.events, 0, 17};
  for (int i = 0; i < 12; ++i) {
    event.event = sample_click("retry-" + std::to_string(i), "ann");
    event.delivery.traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    ASSERT_TRUE(core::sync_wait(router.put_off(event, {core::ErrorCode::kUnavailable, "a cause"}, in(30s))));
  }
  send_raw(topics_.tier(1), "retry-0", write_record(sample_click("due-at-once-0")));
  send_raw(topics_.tier(1), "other-9", write_record(sample_click("due-at-once-1")));
  std::map<std::int32_t, std::vector<std::int64_t>> order;
  std::set<std::string> given;
  ASSERT_TRUE(eventually([&] {
    for (const auto& one : poll(**reader, 100ms).events) {
      order[one.position.partition].push_back(one.position.offset);
      given.insert(one.event.event_id);
      const bool retried = one.event.event_id.starts_with("retry-");
      if (!retried) continue;
      EXPECT_GE(time_.clock().wall_now() - routed_at, 1s) << one.event.event_id << " came before its time";
      EXPECT_EQ(one.delivery.retries, 1U);
      EXPECT_EQ(one.delivery.origin, event.position);
      EXPECT_EQ(one.delivery.traceparent, event.delivery.traceparent);
    }
    return given.size() == 14;
  })) << given.size();
  for (const auto& [partition, offsets] : order) {
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      EXPECT_EQ(offsets[i], static_cast<std::int64_t>(i)) << "partition " << partition;
    }
  }
}

TEST_F(KafkaConsumerTest, AnEventThatAlwaysFailsGoesThroughTheTiersAndIsADeadLetterThen) {
  make_topics(1);
  KafkaRecordRouter router(**producer_, time_.clock(), metrics_, topics_);
  events::LoggedEvent event;
  event.event = sample_click("fails", "ann");
  event.position = {topics_.events, 0, 3};
  for (std::uint32_t tier = 1; tier <= KafkaTopics::kTiers; ++tier) {
    event.delivery.retries = tier - 1;
    ASSERT_TRUE(core::sync_wait(router.put_off(event, {core::ErrorCode::kInternal, "wrong type"}, in(30s))));
    const auto records = read_tier_record(topics_.tier(tier));
    ASSERT_TRUE(records);
    EXPECT_EQ(records->delivery.retries, tier);
    EXPECT_EQ(records->delivery.origin, (events::EventPosition{topics_.events, 0, 3}));
    event = *records;
  }
  ASSERT_TRUE(core::sync_wait(router.put_off(event, {core::ErrorCode::kInternal, "wrong type"}, in(30s))));
  const auto letters = raw_records(topics_.dead_letters(), 1);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].first, "fails");
  const auto letter = read_dead_letter(letters[0].second);
  ASSERT_TRUE(letter) << letter.error().message;
  EXPECT_EQ(letter->reason, kMaxRetriesExceeded);
  EXPECT_EQ(letter->error_message, "Failed after 3 retry attempts");
  EXPECT_EQ(letter->cause, "wrong type");
  EXPECT_EQ(letter->position.stream, topics_.tier(3));
  EXPECT_EQ(letter->origin, (events::EventPosition{topics_.events, 0, 3}));
}

TEST_F(KafkaConsumerTest, TheEventLoopAppliesAllPutsOffOneAndKeepsWhatIsNoEvent) {
  make_topics(3);
  append(0, 100);
  send_raw(topics_.events, "k", "no event at all");
  append(100, 200);
  FakeFeatureStore features;
  features.apply_durably(true);
  features.refuse_event("e42", core::Error{core::ErrorCode::kInternal, "wrong type"});
  KafkaRecordRouter router(**producer_, time_.clock(), metrics_, topics_);
  consumer::KafkaFailedRecords sink(router);
  const std::string group = "group-" + topics_.events;
  const auto reader = stream(topics_.events, group);
  consumer::EventLoop loop({.stream = **reader,
                            .features = features,
                            .timers = time_.timers(),
                            .clock = time_.clock(),
                            .metrics = metrics_,
                            .log = log_,
                            .failed_records = &sink},
                           {.poll_wait = 50ms});
  loop.start();
  ASSERT_TRUE(eventually([&] { return loop.applied_events() >= 199; })) << loop.trouble() << (*reader)->trouble();
  // The store is away: the stream stands still and goes on where it was; nothing is put off for that.
  features.fail_apply_with(core::Error{core::ErrorCode::kUnavailable, "the store is away"});
  append(200, 300);
  ASSERT_TRUE(eventually([&] { return !loop.trouble().empty(); }));
  features.fail_apply_with(std::nullopt);
  std::set<std::string> ids;
  ASSERT_TRUE(eventually([&] {
    ids.clear();
    for (const auto& event : features.applied_events()) ids.insert(event.event.event_id);
    return ids.size() == 299;
  })) << ids.size() << loop.trouble();
  EXPECT_FALSE(ids.contains("e42"));
  loop.stop();
  ASSERT_TRUE(core::sync_wait(loop.commit_remaining()));
  const auto put_off = read_tier_record(topics_.tier(1));
  ASSERT_TRUE(put_off);
  EXPECT_EQ(put_off->event.event_id, "e42");
  const auto letters = raw_records(topics_.dead_letters(), 1);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(read_dead_letter(letters[0].second)->value, "no event at all");
}

}  // namespace
}  // namespace scalestyle::support
