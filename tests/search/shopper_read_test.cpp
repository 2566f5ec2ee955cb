#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "list_fixture.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using std::chrono::milliseconds;

// What a request reads of the feature store, and what happens when it does not get it.
class ShopperReadTest : public ListFixture {};

TEST_F(ShopperReadTest, StoreThatFailsCostsThePersonalTouchAndNothingElse) {
  set_popularity(5, {100, 100, 100});
  refresh_popularity();
  features_.set_features(user("u"), clicks({1}));
  auto& service = make();
  const auto plain = run(service, request("Name 3"));
  const auto expect_plain_and_labelled = [&] {
    const auto outcome = run(service, request("Name 3", "u"));
    ASSERT_TRUE(outcome);
    expect_same_list(outcome, plain);
    EXPECT_EQ(outcome->degradations, (std::vector{DegradationReason::kPersonalizationUnavailable}));
    EXPECT_FALSE(outcome->fallback_source);
    EXPECT_FALSE(outcome->personalized);
  };
  features_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  expect_plain_and_labelled();
  features_.fail_with(core::Error{ErrorCode::kDeadlineExceeded, "late"});
  expect_plain_and_labelled();
  features_.fail_with(std::nullopt);
  features_.fail_popularity_with(core::Error{ErrorCode::kUnavailable, "away"});
  expect_plain_and_labelled();
  features_.fail_popularity_with(std::nullopt);
  EXPECT_TRUE(run(service, request("Name 3", "u")).value().personalized);
  EXPECT_NE(metrics_.render().find("recommendation_degraded_reason_total{reason=\"PERSONALIZATION_UNAVAILABLE\"} 3"),
            std::string::npos);
}

TEST_F(ShopperReadTest, StoreThatNeverAnswersIsLeftBehind) {
  features_.set_features(user("u"), clicks({1}));
  auto& service = make();
  features_.read_gate().hold();
  const auto outcome = run(service, request("Name 3", "u"));  // without any deadline of its own
  expect_same_list(outcome, run(service, request("Name 3")));
  EXPECT_EQ(outcome->degradations, (std::vector{DegradationReason::kPersonalizationUnavailable}));
  const auto stage = std::ranges::find(outcome->stages, Stage::kSnapshot, &StageReport::stage);
  ASSERT_NE(stage, outcome->stages.end());
  EXPECT_EQ(stage->outcome, StageOutcome::kLate);
  EXPECT_GE(stage->took, milliseconds(20));
  features_.read_gate().release();  // the read that was left behind ends now, without harm
  EXPECT_TRUE(run(service, request("Name 3", "u")).value().personalized);
}

TEST_F(ShopperReadTest, StoreThatAnswersOnItsOwnThreadWithinTheBudgetCounts) {
  features_.set_features(user("u"), clicks({1}));
  auto& service = make({.personalization = {.snapshot_budget = milliseconds(1'000)}});
  features_.read_gate().hold();
  std::thread store([this] {
    features_.read_gate().wait_until_held(1);
    features_.read_gate().release();
  });
  const auto outcome = run(service, request("Name 3", "u"));
  store.join();
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->personalized);
}

TEST_F(ShopperReadTest, ReadWhoseRequestWentAwayDoesNoHarm) {
  auto& service = make();
  features_.read_gate().hold();
  auto operation = core::start(service.search(request("Name 3", "u")), [](SearchOutcome&&) { FAIL() << "it was cancelled"; });
  operation.cancel();
  features_.read_gate().release();
}

TEST_F(ShopperReadTest, AfterWaitsForTheEventAndSaysWhetherItCame) {
  auto& service = make({.personalization = {.snapshot_budget = milliseconds(1'000), .after_budget = milliseconds(1'000)}});
  const events::EventPosition position{"log1", 0, 7};
  auto wanted = request("Name 3", "u");
  wanted.after = events::EventReference{position};
  features_.set_newest_applied(clock_.now_ms() - 250);
  std::thread consumer([&] {
    while (features_.waiting() == 0) std::this_thread::yield();
    features_.set_features(user("u"), clicks({7}));
    features_.set_applied(position);
  });
  const auto outcome = run(service, wanted);
  consumer.join();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->after_reached, true);
  EXPECT_EQ(outcome->freshness_ms, 250);
  EXPECT_EQ(std::ranges::count(outcome->items, "recent_click", &AnswerItem::boosted_by), 1);

  const auto again = run(service, wanted);  // reached already: not waited for
  EXPECT_EQ(again.value().after_reached, true);
}

TEST_F(ShopperReadTest, AfterThatDoesNotComeIsNotWaitedForLongerThanItsBudget) {
  features_.set_features(user("u"), clicks({7}));
  auto& service = make();
  auto wanted = request("Name 3", "u");
  wanted.after = events::EventReference{{"log1", 0, 7}};
  features_.set_applied({"log1", 0, 6});
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->after_reached, false);
  EXPECT_FALSE(outcome->freshness_ms);  // nothing has ever taken effect
  EXPECT_TRUE(outcome->personalized);   // with what is known
  EXPECT_TRUE(outcome->degradations.empty());
  EXPECT_GE(outcome->took, milliseconds(50));

  wanted.after->position.stream = "log2";
  features_.set_applied({"log1", 0, 9});
  EXPECT_EQ(run(service, wanted).value().after_reached, false);

  wanted.deadline = in(milliseconds(30));  // less than the budget
  const auto hurried = run(service, wanted);
  ASSERT_TRUE(hurried) << hurried.error().error.message;  // with whatever could be had in that time
  EXPECT_EQ(hurried->after_reached, false);
}

TEST_F(ShopperReadTest, AfterOfAnAnonymousRequestIsAnsweredAndChangesNothing) {
  features_.set_applied({"log1", 0, 7});
  features_.set_newest_applied(clock_.now_ms());
  auto& service = make();
  auto wanted = request("Name 3");
  wanted.after = events::EventReference{{"log1", 0, 7}};
  const auto outcome = run(service, wanted);
  expect_same_list(outcome, run(service, request("Name 3")));
  EXPECT_EQ(outcome->after_reached, true);
  EXPECT_EQ(outcome->freshness_ms, 0);
}

TEST_F(ShopperReadTest, WithoutAStoreASubjectIsSimplyNotPersonalised) {
  auto& service = make_without_store();
  auto wanted = request("Name 3", "u");
  wanted.after = events::EventReference{{"log1", 0, 7}};
  const auto outcome = run(service, wanted);
  expect_same_list(outcome, run(service, request("Name 3")));
  EXPECT_TRUE(outcome->degradations.empty());
  EXPECT_EQ(outcome->after_reached, false);
}

}  // namespace
}  // namespace scalestyle::search
