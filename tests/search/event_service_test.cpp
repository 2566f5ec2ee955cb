#include "search/event_service.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/disk_full.hpp"
#include "event_fixture.hpp"
#include "events/event_position.hpp"
#include "search/impression_recorder.hpp"

namespace scalestyle::search {
namespace {

using EventServiceTest = EventFixture;

TEST_F(EventServiceTest, AClickIsEnrichedAndKept) {
  auto one = input("click", 4);
  one.session_id = "s1";
  one.source = "search";
  one.query = "red dress";
  one.position = 3;
  one.timestamp = clock_.now_ms.load() - 60'000;
  const auto outcome = click(one);
  ASSERT_TRUE(outcome) << outcome.error().error.message;
  ASSERT_EQ(outcome->size(), 1U);
  const TrackedEvent& answer = outcome->front();
  EXPECT_EQ(answer.status, TrackStatus::kStored);
  EXPECT_FALSE(answer.duplicate);
  ASSERT_EQ(log_.events().size(), 1U);
  const events::LoggedEvent kept = log_.events().front();
  EXPECT_EQ(events::parse_token(answer.token, "token").value(), kept.position);
  EXPECT_EQ(kept.event.event_id, answer.event_id);
  EXPECT_EQ(answer.event_id.size(), 36U);
  EXPECT_EQ(kept.event.item_id, "0000001004");
  EXPECT_EQ(kept.event.category, "Dress");
  EXPECT_EQ(kept.event.weight, 1.0);
  EXPECT_EQ(kept.event.source, events::EventSource::kSearch);
  EXPECT_EQ(kept.event.received_time_ms, clock_.now_ms);
  EXPECT_EQ(kept.event.event_time_ms, clock_.now_ms - 60'000);
  EXPECT_TRUE(events::check_event(kept.event));
}

TEST_F(EventServiceTest, WeightsAreThoseOfTheOptions) {
  make({.click_weight = 2, .view_weight = 0.5, .add_to_cart_weight = 7, .purchase_weight = 11});
  ASSERT_TRUE(track({input("click", 0), input("view", 1), input("add_to_cart", 2), input("purchase", 3)}));
  std::vector<double> weights;
  for (const auto& kept : log_.events()) weights.push_back(kept.event.weight);
  EXPECT_EQ(weights, (std::vector<double>{2, 0.5, 7, 11}));
  EXPECT_EQ(log_.appends(), 1U);
}

TEST_F(EventServiceTest, ARepeatedIdCountsOnceAndAnswersAsTheFirstTime) {
  auto one = input("click", 1);
  one.event_id = "key-1";
  const auto first = click(one);
  const auto again = click(one);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->front().token, again->front().token);
  EXPECT_EQ(again->front().event_id, "key-1");
  EXPECT_TRUE(again->front().duplicate);
  const auto both = track({one, one});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->at(0).token, first->front().token);
  EXPECT_EQ(log_.events().size(), 1U);
  EXPECT_EQ(metric(R"(scalestyle_events_accepted_total{type="click"})"), 1);
  EXPECT_EQ(metric(R"(scalestyle_events_duplicate_total{type="click"})"), 3);
  EXPECT_EQ(metric("scalestyle_event_ack_seconds_count"), 3);
}

TEST_F(EventServiceTest, OneBadEventRefusesTheWholeBatchWithItsField) {
  auto bad = input("click", 1);
  bad.position = -1;
  const auto outcome = track({input("click", 0), input("impression", 2), bad});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(outcome.error().error.field, "events[2].position");
  EXPECT_FALSE(outcome.error().outcome);
  EXPECT_EQ(outcome.error().retry_after.count(), 0);
  EXPECT_EQ(log_.appends(), 0U);
  EXPECT_TRUE(impressions_.impressions().empty());
  EXPECT_EQ(metric(R"(scalestyle_events_refused_total{reason="invalid"})"), 3);
  const auto single = click(bad);
  ASSERT_FALSE(single);
  EXPECT_EQ(single.error().error.field, "position");
}

TEST_F(EventServiceTest, AnUnknownItemIsRefused) {
  const auto outcome = track({input("click", 0), input("view", 900)});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(outcome.error().error.field, "events[1].item_id");
  EXPECT_NE(outcome.error().error.message.find("0000001900"), std::string::npos);
  EXPECT_EQ(metric(R"(scalestyle_events_refused_total{reason="unknown_item"})"), 2);
  EXPECT_EQ(log_.appends(), 0U);
}

TEST_F(EventServiceTest, BatchesAreBounded) {
  EXPECT_EQ(track({}).error().error.field, "events");
  EXPECT_TRUE(track(std::vector<events::EventInput>(500, input("view", 1))));
  EXPECT_EQ(track(std::vector<events::EventInput>(501, input("view", 1))).error().error.field, "events");
  EXPECT_EQ(log_.events().size(), 500U);
}

TEST_F(EventServiceTest, ClientsImpressionsTakeTheLightPathAsOneRecordAnAnswer) {
  std::vector<events::EventInput> list;
  for (int i = 0; i < 3; ++i) {
    list.push_back(input("impression", i));
    list.back().request_id = "r-1";
    list.back().position = i + 1;
  }
  list.push_back(input("impression", 5));
  list.back().request_id = "r-2";
  list.insert(list.begin() + 1, input("click", 7));
  const auto outcome = track(list);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->at(1).status, TrackStatus::kStored);
  for (const std::size_t i : {0U, 2U, 3U, 4U}) {
    EXPECT_EQ(outcome->at(i).status, TrackStatus::kAccepted);
    EXPECT_TRUE(outcome->at(i).token.empty());
  }
  const auto noted = impressions_.impressions();
  ASSERT_EQ(noted.size(), 2U);
  EXPECT_EQ(noted[0].request_id, "r-1");
  EXPECT_EQ(noted[0].items, (std::vector<events::ShownItem>{{"0000001000", 1}, {"0000001001", 2}, {"0000001002", 3}}));
  EXPECT_EQ(noted[0].generation, "gen-1");
  EXPECT_TRUE(events::check_impression(noted[0]));
  EXPECT_EQ(log_.events().size(), 1U);
}

TEST_F(EventServiceTest, DroppedImpressionsSayAndFailedBatchesNoteNone) {
  impressions_.set_full(true);
  const auto dropped = track({input("impression", 1), input("impression", 2)});
  ASSERT_TRUE(dropped);
  EXPECT_EQ(dropped->at(0).status, TrackStatus::kDropped);
  EXPECT_EQ(metric(R"(scalestyle_events_dropped_total{type="impression"})"), 2);
  EXPECT_EQ(log_.appends(), 0U);
  impressions_.set_full(false);
  log_.fail_append_with(AppendOutcome::kNotKept, ErrorCode::kUnavailable);
  EXPECT_FALSE(track({input("click", 1), input("impression", 2)}));
  EXPECT_TRUE(impressions_.impressions().empty());
  EXPECT_TRUE(track({input("impression", 2)}));  // needs no event log
}

TEST_F(EventServiceTest, FailuresTellTheirOutcomeAndWhenToRetry) {
  struct Case {
    AppendOutcome outcome;
    ErrorCode code;
    std::string reason;
  };
  for (const Case& one : {Case{AppendOutcome::kNotKept, ErrorCode::kResourceExhausted, "capacity"},
                          Case{AppendOutcome::kUnknown, ErrorCode::kUnavailable, "log_unavailable"},
                          Case{AppendOutcome::kNotKept, ErrorCode::kDeadlineExceeded, "deadline"}}) {
    log_.fail_append_with(one.outcome, one.code);
    const auto outcome = click(input("click", 1));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().error.code, one.code);
    EXPECT_EQ(outcome.error().outcome, one.outcome);
    EXPECT_GT(outcome.error().retry_after.count(), 0);
    EXPECT_EQ(metric("scalestyle_events_refused_total{reason=\"" + one.reason + "\"}"), 1);
  }
  EXPECT_EQ(metric("scalestyle_event_ack_seconds_count"), 0);
}

TEST_F(EventServiceTest, AFullDiskIsCountedAsThatAndNotToBeTriedAgainAtOnce) {
  log_.fail_append_with(ports::AppendFailure{
      AppendOutcome::kNotKept, core::fail(ErrorCode::kResourceExhausted, "full", std::string(core::kDiskFullField)).error()});
  const auto outcome = click(input("click", 1));
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(core::is_disk_full(outcome.error().error));
  EXPECT_EQ(outcome.error().retry_after, std::chrono::seconds(5));
  EXPECT_EQ(metric(R"(scalestyle_events_refused_total{reason="storage"})"), 1);
  EXPECT_EQ(metric(R"(scalestyle_events_refused_total{reason="capacity"})"), 0);
}

TEST_F(EventServiceTest, AfterAnUnknownOutcomeTheSameIdIsSafe) {
  auto one = input("purchase", 1);
  one.event_id = "order-1";
  log_.fail_append_with(AppendOutcome::kUnknown, ErrorCode::kUnavailable, true);
  ASSERT_FALSE(click(one));
  log_.fail_append_with(std::nullopt);
  const auto again = click(one);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->front().duplicate);
  EXPECT_EQ(log_.events().size(), 1U);
}

TEST_F(EventServiceTest, ALogThatNeverAnswersIsLeftAtTheDeadline) {
  log_.gate().hold();
  const auto outcome = track({input("click", 1)}, soon());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(outcome.error().outcome, AppendOutcome::kUnknown);
  make({.deadline = milliseconds(20)});
  EXPECT_EQ(track({input("click", 1)}).error().error.code, ErrorCode::kDeadlineExceeded);
  const auto late = track({input("click", 1)}, Deadline::at(clock_.steady_now()));
  EXPECT_EQ(late.error().outcome, AppendOutcome::kNotKept);
  EXPECT_EQ(metric(R"(scalestyle_events_refused_total{reason="deadline"})"), 3);
}

TEST_F(EventServiceTest, ItsOwnLimitRefusesAtTheDoor) {
  make({.max_in_progress = 1});
  log_.gate().hold();
  EventOutcome<std::vector<TrackedEvent>> held;
  std::thread first([&] { held = track({input("click", 1)}); });
  log_.gate().wait_until_held(1);
  const auto refused = track({input("click", 2)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().outcome, AppendOutcome::kNotKept);
  EXPECT_EQ(refused.error().retry_after.count(), 1);
  log_.gate().release();
  first.join();
  EXPECT_TRUE(held);
  EXPECT_TRUE(track({input("click", 2)}));
  EXPECT_EQ(log_.events().size(), 2U);
}

TEST_F(EventServiceTest, WithoutACatalogueNothingIsTaken) {
  const SnapshotHolder empty(catalogs_, index_, encoder_.info());
  make({}, &empty);
  const auto outcome = click(input("click", 1));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(outcome.error().outcome, AppendOutcome::kNotKept);
}

TEST_F(EventServiceTest, ConcurrentTracksAllGetTheirOwnAnswers) {
  constexpr int kThreads = 4;
  constexpr int kEach = 100;
  std::vector<std::thread> threads;
  std::vector<std::set<std::string>> tokens(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) tokens[static_cast<std::size_t>(t)].insert(click(input("click", i % 20)).value().front().token);
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& one : tokens) all.insert(one.begin(), one.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
  EXPECT_EQ(metric(R"(scalestyle_events_accepted_total{type="click"})"), kThreads * kEach);
}

TEST(EventOptions, BadSettingsAreNamed) {
  const auto field = [](const std::function<void(EventOptions&)>& change) {
    EventOptions options;
    change(options);
    const auto valid = options.validate();
    return valid ? std::string() : valid.error().field;
  };
  EXPECT_EQ(field([](EventOptions&) {}), "");
  EXPECT_EQ(field([](EventOptions& o) { o.click_weight = -1; }), "event_weight_click");
  EXPECT_EQ(field([](EventOptions& o) { o.purchase_weight = std::nan(""); }), "event_weight_purchase");
  EXPECT_EQ(field([](EventOptions& o) { o.deadline = milliseconds(1); }), "event_deadline_ms");
  EXPECT_EQ(field([](EventOptions& o) { o.max_in_progress = 0; }), "max_events_in_progress");
  EXPECT_EQ(field([](EventOptions& o) { o.max_merged_sessions = 500; }), "max_merged_sessions");
  EXPECT_EQ(field([](EventOptions& o) { o.receipt.past_bound = milliseconds(-1); }), "event_time_past_bound_minutes");
}

TEST(ImpressionRecorder, SamplesByRequestIdAndCounts) {
  telemetry::Metrics metrics;
  support::FakeImpressionLog log;
  const ImpressionRecorder all(log, 1, metrics);
  const ImpressionRecorder none(log, 0, metrics);
  const ImpressionRecorder tenth(log, 0.1, metrics);
  const ImpressionRecorder half(log, 0.5, metrics);
  int taken = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string id = "req-" + std::to_string(i);
    EXPECT_TRUE(all.wants(id));
    EXPECT_FALSE(none.wants(id));
    EXPECT_EQ(tenth.wants(id), tenth.wants(id));
    EXPECT_TRUE(!tenth.wants(id) || half.wants(id));
    taken += tenth.note({.request_id = id}) ? 1 : 0;
  }
  EXPECT_NEAR(taken, 500, 80);
  EXPECT_EQ(log.impressions().size(), static_cast<std::size_t>(taken));
  log.set_full(true);
  EXPECT_FALSE(all.note({.request_id = "x"}));
  EXPECT_NE(metrics.render().find("scalestyle_impressions_total{result=\"dropped\"} 1"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::search
