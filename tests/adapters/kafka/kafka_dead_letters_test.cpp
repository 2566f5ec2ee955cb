#include "adapters/kafka/kafka_dead_letters.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/kafka/kafka_record_router.hpp"
#include "kafka_support.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class KafkaDeadLettersTest : public testing::Test {
 protected:
  void SetUp() override {
    KAFKA_OR_SKIP(server, "1");
    kafka_ = plain_options(*server);
    topics_.events = new_topic_name();
    make_topic(kafka_, topics_.events, 2);
    make_topic(kafka_, topics_.dead_letters(), 3, 1, {{"cleanup.policy", "compact,delete"}});
    producer_ = running_producer(kafka_, time_, metrics_);
    router_ = std::make_unique<KafkaRecordRouter>(**producer_, time_.clock(), metrics_, topics_);
    letters_ = std::make_unique<KafkaDeadLetters>(kafka_, topics_, time_.clock(), 10s);
  }
  void lay_down(const std::string& id, std::uint32_t retries = 3) {
    events::LoggedEvent event;
    event.event = sample_click(id, "ann");
    event.position = {topics_.events, 0, 1};
    event.delivery.retries = retries;
    event.delivery.traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    ASSERT_TRUE(core::sync_wait(
        router_->put_off(event, {core::ErrorCode::kInternal, "wrong type"}, core::Deadline::after(30s, time_.clock()))));
  }
  void lay_down_bytes(const std::string& bytes, std::int64_t offset) {
    ports::UndecodableRecord record;
    record.position = {topics_.events, 1, offset};
    record.bytes = bytes;
    record.problem = "is no JSON";
    ASSERT_TRUE(core::sync_wait(router_->keep(record, core::Deadline::after(30s, time_.clock()))));
  }
  DeadLetterList list(const DeadLetterChoice& choice = {}, std::size_t limit = 100) {
    auto found = letters_->list(choice, limit);
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : DeadLetterList{};
  }
  std::vector<std::string> ids(const DeadLetterChoice& choice = {}, std::size_t limit = 100) {
    std::vector<std::string> all;
    for (const auto& stored : list(choice, limit).newest) all.push_back(stored.letter.id);
    return all;
  }

  RunningTimers time_;
  telemetry::Metrics metrics_;
  KafkaOptions kafka_;
  KafkaTopics topics_;
  std::unique_ptr<Running<KafkaProducer>> producer_;
  std::unique_ptr<KafkaRecordRouter> router_;
  std::unique_ptr<KafkaDeadLetters> letters_;
};

TEST_F(KafkaDeadLettersTest, ListsTheNewestFirstWithCountsAndShowsAll) {
  EXPECT_EQ(list().total, 0U);
  for (const char* id : {"one", "two", "three"}) {
    lay_down(id);
    std::this_thread::sleep_for(5ms);  // the order is that of the broker's clock
  }
  lay_down_bytes("\xff\xfe", 7);
  const std::string place = topics_.events + ":1:7";
  EXPECT_THAT(ids(), ElementsAre(place, "three", "two", "one"));
  EXPECT_THAT(ids({}, 2), ElementsAre(place, "three"));
  EXPECT_THAT(ids({.reason = std::string(kMaxRetriesExceeded)}), ElementsAre("three", "two", "one"));
  EXPECT_THAT(ids({.ids = {"two", "nobody"}}), ElementsAre("two"));
  const auto all = list({}, 1);
  EXPECT_EQ(all.total, 4U);
  EXPECT_EQ(all.by_reason.at(std::string(kPermanentFailure)), 1U);
  EXPECT_EQ(all.by_reason.at(std::string(kMaxRetriesExceeded)), 3U);
  const auto shown = letters_->find(place);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->letter.value, "\xff\xfe");
  EXPECT_EQ(letters_->find("nobody").error().code, core::ErrorCode::kNotFound);
}

TEST_F(KafkaDeadLettersTest, AReplayedEventKeepsItsIdAndALetterThatFailsAgainIsThereAgain) {
  lay_down("one");
  lay_down("two");
  const auto kept = letters_->replay({.ids = {"one", "nobody"}}, true, **producer_);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->done, 1U);
  EXPECT_THAT(kept->not_found, ElementsAre("nobody"));
  EXPECT_EQ(list().total, 2U);
  const auto replayed = letters_->replay({}, false, **producer_);
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->done, 2U);
  EXPECT_THAT(ids(), IsEmpty());

  // In the main topic: "one" twice, by the same id and therefore of one effect; as it was accepted, with no retries counted.
  const auto stream = running_stream(kafka_, time_, {.topic = topics_.events});
  std::vector<events::LoggedEvent> read;
  ASSERT_TRUE(eventually([&] {
    const auto batch = core::sync_wait((*stream)->poll(10, core::Deadline::after(200ms, time_.clock())));
    if (batch) read.insert(read.end(), batch->events.begin(), batch->events.end());
    return read.size() == 3;
  }));
  std::map<std::string, int> times;
  for (const auto& event : read) {
    ++times[event.event.event_id];
    EXPECT_EQ(event.event, sample_click(event.event.event_id, "ann"));
    EXPECT_EQ(event.delivery.retries, 0U);
    EXPECT_EQ(event.delivery.traceparent, "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
  }
  EXPECT_EQ(times, (std::map<std::string, int>{{"one", 2}, {"two", 1}}));

  lay_down("one");
  EXPECT_THAT(ids(), ElementsAre("one"));
}

TEST_F(KafkaDeadLettersTest, WhatIsDroppedIsGoneAndTheRestIsNot) {
  for (const char* id : {"one", "two"}) lay_down(id);
  lay_down_bytes("no event", 3);
  const auto one = letters_->drop({.ids = {"one"}}, **producer_);
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->done, 1U);
  EXPECT_EQ(list().total, 2U);
  const auto by_reason = letters_->drop({.reason = std::string(kPermanentFailure)}, **producer_);
  ASSERT_TRUE(by_reason) << by_reason.error().message;
  EXPECT_THAT(ids(), ElementsAre("two"));
  EXPECT_EQ(letters_->drop({.ids = {"one"}}, **producer_)->done, 0U);  // once is enough
}

TEST_F(KafkaDeadLettersTest, WhatIsNoLetterIsShownAndNeverReplayed) {
  ASSERT_TRUE(core::sync_wait((*producer_)->send({{.topic = topics_.dead_letters(), .key = "strange", .value = "what is this"}},
                                                 core::Deadline::after(30s, time_.clock()))));
  EXPECT_THAT(ids(), ElementsAre("strange"));
  const auto replayed = letters_->replay({}, false, **producer_);
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->done, 0U);
  EXPECT_EQ(replayed->refused.size(), 1U);
  EXPECT_EQ(letters_->drop({}, **producer_)->done, 1U);
  EXPECT_EQ(list().total, 0U);
}

TEST_F(KafkaDeadLettersTest, WithoutTheTopicThatIsToldByName) {
  KafkaDeadLetters none(kafka_, {"no.such.topic"}, time_.clock(), 5s);
  const auto found = none.list({}, 10);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, core::ErrorCode::kNotFound) << found.error().message;
  EXPECT_NE(found.error().message.find("no.such.topic.dlq"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::support
