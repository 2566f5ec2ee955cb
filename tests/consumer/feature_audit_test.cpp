#include "consumer/feature_audit.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <map>

#include "core/clock.hpp"
#include "support/feature_events.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using adapters::embedded::MemoryFeatureStore;
using support::click;
using testing::ElementsAre;
using testing::HasSubstr;

// Gives what was put in, partition by partition.
class ListedStream final : public ports::EventStream {
 public:
  void put(std::vector<events::LoggedEvent> events) {
    std::ranges::stable_sort(events, {}, [](const auto& event) { return event.position.partition; });
    coming_.events.insert(coming_.events.end(), events.begin(), events.end());
  }
  void put_undecodable() { coming_.undecodable.push_back({{"log", 0, 1'000'000}, "x", "no event"}); }

  core::Task<core::Result<ports::StreamBatch>> poll(std::size_t, core::Deadline) override { co_return std::exchange(coming_, {}); }
  core::Task<core::Status> seek(events::EventPosition, core::Deadline) override { co_return core::Status{}; }
  core::Status pause(std::int32_t, std::chrono::milliseconds) override { return {}; }
  core::Task<core::Status> commit(events::EventPosition, core::Deadline) override { co_return core::Status{}; }
  std::uint64_t lag() const override { return 0; }

 private:
  ports::StreamBatch coming_;
};

class FeatureAuditTest : public testing::Test {
 protected:
  FeatureAuditTest() : now_(std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count()) {
    store_ = MemoryFeatureStore::open(folder_ / "store.db", {}, environment()).value();
  }
  MemoryFeatureStore::Environment environment() { return {*pool_, timers_, clock_, metrics_, {}}; }

  // As a consumer would, in the order given.
  void apply(std::vector<events::LoggedEvent> events) {
    for (auto& event : events) event.position = {"applied", 0, ++applied_};
    auto batch = std::make_shared<const std::vector<events::LoggedEvent>>(std::move(events));
    ASSERT_TRUE(core::sync_wait(store_->apply(batch, core::Deadline::never())));
  }
  // Subjects each to a partition, offsets of its own; the log's order within each.
  static std::vector<events::LoggedEvent> spread(std::vector<events::LoggedEvent> events) {
    std::map<std::int32_t, std::int64_t> offsets;
    for (auto& event : events) {
      const auto partition = static_cast<std::int32_t>(std::hash<std::string>()(event.event.subject().key()) % 3);
      event.position = {"log", partition, offsets[partition]++};
    }
    return events;
  }
  AuditReport audit(AuditRequest request = {}) {
    request.work = folder_.path();
    FeatureAudit audit({.stream = stream_, .store = *store_, .clock = clock_}, std::move(request), environment());
    EXPECT_TRUE(audit.read(1ms, core::Deadline::never()));
    auto report = audit.compare(core::Deadline::never());
    if (!report) ADD_FAILURE() << report.error().message;
    return report ? *report : AuditReport();
  }

  core::SystemClock clock_;
  const events::EpochMs now_;
  support::TemporaryFolder folder_;
  support::RunningPool pool_{1};
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
  std::unique_ptr<MemoryFeatureStore> store_;
  std::int64_t applied_ = 0;
  ListedStream stream_;
};

TEST_F(FeatureAuditTest, AgreesWithAStoreThatTookTheSameEventsInTheOrderOfTheirReceipt) {
  const auto events = support::sample_events(3'000, now_ - 3'000'000, 7);
  apply(events);
  stream_.put(spread(events));
  const AuditReport report = audit();
  EXPECT_TRUE(report.sound()) << testing::PrintToString(report.differences);
  EXPECT_EQ(report.events, 3'000u);
  EXPECT_EQ(report.subjects, 15u);
  EXPECT_EQ(report.items, 60u);
}

TEST_F(FeatureAuditTest, CountsAnEventThatTheLogHasTwiceOnce) {
  auto events = support::sample_events(200, now_ - 1'000'000, 1);
  apply(events);
  events.push_back(events[10]);
  events.push_back(events[10]);
  stream_.put(spread(events));
  stream_.put_undecodable();
  const AuditReport report = audit();
  EXPECT_TRUE(report.sound()) << testing::PrintToString(report.differences);
  EXPECT_EQ(report.events, 200u);
  EXPECT_EQ(report.duplicates, 2u);
  EXPECT_EQ(report.undecodable, 1u);
}

TEST_F(FeatureAuditTest, TellsWhatTheStoreLacksAndWhatItHasTwice) {
  const auto lost = support::logged(0, click("lost", "0000000001", "Dress", now_ - 2'000));
  auto twice = support::logged(1, click("twice", "0000000002", "Socks", now_ - 1'000));
  twice.event.event_id = "e-2";
  apply({twice, twice});
  stream_.put({lost, twice});
  const AuditReport report = audit();
  EXPECT_FALSE(report.sound());
  EXPECT_EQ(report.different, 4u);
  EXPECT_THAT(report.differences, ElementsAre(HasSubstr("u:lost: last event at"), HasSubstr("u:twice: affinity 1: Socks"),
                                              HasSubstr("item 0000000001: only in the log"), HasSubstr("item 0000000002: window 1h")));
}

TEST_F(FeatureAuditTest, LeavesOutWhatIsKnownNotToHaveTakenEffectAndMissesWhatWasExpected) {
  auto applied = support::logged(0, click("a", "0000000001", "Dress", now_ - 2'000));
  auto dead = support::logged(1, click("b", "0000000002", "Dress", now_ - 1'000));
  applied.event.event_id = "applied";
  dead.event.event_id = "dead";
  apply({applied});
  stream_.put({applied, dead});
  AuditRequest request;
  request.left_out = {"dead"};
  request.expected = {"applied", "never seen"};
  const AuditReport report = audit(request);
  EXPECT_EQ(report.different, 0u) << testing::PrintToString(report.differences);
  EXPECT_EQ(report.left_out, 1u);
  EXPECT_EQ(report.missing, 1u);
  EXPECT_THAT(report.missing_ids, ElementsAre("never seen"));
  EXPECT_FALSE(report.sound());
}

TEST_F(FeatureAuditTest, FindsWhatTheStoreHasBeyondTheLogAmongItems) {
  apply({support::logged(0, click("a", "0000000001", "Dress", now_))});
  EXPECT_THAT(audit().differences, ElementsAre(HasSubstr("item 0000000001: only in the store")));
}

TEST_F(FeatureAuditTest, WaitsUntilAConsumerHasCaughtUp) {
  const auto event = support::logged(0, click("a", "0000000001", "Dress", now_));
  stream_.put({event});
  AuditRequest request;
  request.work = folder_.path();
  FeatureAudit audit({.stream = stream_, .store = *store_, .clock = clock_}, request, environment());
  const auto early = audit.run(1ms, core::Deadline::after(1s, clock_));
  ASSERT_TRUE(early);
  EXPECT_FALSE(early->sound());
  apply({event});
  const auto late = audit.run(1ms, core::Deadline::after(10s, clock_));
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->sound()) << testing::PrintToString(late->differences);
}

// Two gateways may append a subject's events in another order than that of their clocks.
TEST(InOrderOfEffect, KeepsASubjectsOrderInTheLogAndElseGoesByReceipt) {
  const auto at = [](std::int32_t partition, std::int64_t offset, events::Event event) {
    event.event_id = std::to_string(partition) + "/" + std::to_string(offset);
    return events::LoggedEvent{{"log", partition, offset}, std::move(event)};
  };
  AuditReport report;
  const auto order = in_order_of_effect({at(1, 0, support::merge("u", "s", 103)), at(0, 0, support::session_click("t", "1", "Hat", 105)),
                                         at(0, 1, support::session_click("s", "2", "Hat", 100)), at(1, 1, support::forget("w", 110)),
                                         at(1, 2, click("w", "3", "Hat", 108))},
                                        {}, report);
  std::vector<std::string> ids;
  for (const auto& event : order) ids.push_back(event.event.event_id);
  EXPECT_THAT(ids, ElementsAre("0/1", "1/0", "0/0", "1/1", "1/2"));
}

}  // namespace
}  // namespace scalestyle::consumer
