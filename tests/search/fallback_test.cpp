#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "list_fixture.hpp"
#include "search/experiments.hpp"
#include "search/impression_recorder.hpp"
#include "support/fake_impression_log.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::Deadline;
using core::ErrorCode;
using std::chrono::milliseconds;

class FallbackTest : public ListFixture {
 protected:
  static inline const std::string kNoSuchWord = "zzzz";  // what words find would be served before popular articles
  void break_encoder() { encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"}); }
  static SearchRequest red(SearchRequest wanted) {
    wanted.filter[FilterField::kColour] = {"red"};
    return wanted;
  }
};

TEST_F(FallbackTest, EveryFailureToFindIsAnsweredByPopularArticlesWithItsReason) {
  auto& service = make();
  const auto expect_reason = [&](DegradationReason reason) {
    const auto outcome = run(service, request(kNoSuchWord));
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(outcome->degradations, (std::vector{reason, DegradationReason::kCacheMiss}));
    EXPECT_EQ(most_severe(outcome->degradations), reason);
    EXPECT_EQ(outcome->fallback_source, FallbackSource::kGlobalPopular);
    EXPECT_EQ(outcome->items.size(), static_cast<std::size_t>(kArticles));
    EXPECT_EQ(outcome->total, static_cast<std::size_t>(kArticles));
    EXPECT_EQ(outcome->items[0].article.id(), id_of(55));  // bought most
  };
  break_encoder();
  expect_reason(DegradationReason::kInferenceUnavailable);
  encoder_.fail_with(core::Error{ErrorCode::kDeadlineExceeded, "late"});
  expect_reason(DegradationReason::kInferenceTimeout);
  encoder_.fail_with(std::nullopt);
  index_.fail_search_with(core::Error{ErrorCode::kUnavailable, "away"});
  expect_reason(DegradationReason::kRetrievalUnavailable);
  index_.fail_search_with(std::nullopt);

  ports::EncoderInfo other = encoder_.info();
  other.model = "another";
  catalogs_.publish(support::make_snapshot("b", articles(), other));
  core::sync_wait(holder_.refresh(Deadline::never())).value();
  expect_reason(DegradationReason::kRetrievalUnavailable);
}

TEST_F(FallbackTest, LimitsThatWereReachedStayRefusals) {
  auto& service = make();
  encoder_.fail_with(core::Error{ErrorCode::kResourceExhausted, "full"});
  const auto outcome = run(service, request(kNoSuchWord));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, DegradationReason::kDownstreamCapacityRejected);
}

TEST_F(FallbackTest, TiersAreTakenInOrderAndObeyTheFilters) {
  auto& service = make();
  break_encoder();
  const auto check = [&](FallbackSource source, std::size_t total) {
    refresh_popularity();
    const auto outcome = run(service, red(request(kNoSuchWord)));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->fallback_source, source);
    EXPECT_EQ(outcome->total, total);
    EXPECT_EQ(outcome->items.size(), total);
    for (const AnswerItem& item : outcome->items) EXPECT_EQ(item.article.colour(), "Red");
    EXPECT_TRUE(std::ranges::is_sorted(scores(outcome), std::greater<>()));
  };
  for (int i = 0; i < kArticles; ++i) {
    if (i % 3 != 0) set_popularity(i, {9, 9, 9});  // blue alone: nothing of it may show
  }
  check(FallbackSource::kGlobalPopular, 20);
  for (int i = 0; i < 36; i += 3) set_popularity(i, {0, 0, 1.0 + i});
  check(FallbackSource::kPopular7d, 12);
  for (int i = 0; i < 33; i += 3) set_popularity(i, {0, 2, 1.0 + i});
  check(FallbackSource::kPopular24h, 11);

  auto nothing = request(kNoSuchWord);
  nothing.filter[FilterField::kColour] = {"no such colour"};
  const auto empty = run(service, nothing);
  EXPECT_EQ(empty.value().total, 0U);
  EXPECT_TRUE(empty->degradations.empty());  // honest: nothing matches
}

TEST_F(FallbackTest, FallbackIsPersonalisedAndPaged) {
  features_.set_features(user("u"), {.affinities = {{"Socks", {9, clock_.now_ms()}}}});
  auto& service = make();
  break_encoder();
  const auto whole = run(service, request(kNoSuchWord, "u"));
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->personalized);
  EXPECT_GT(std::ranges::count(whole->items, "category_affinity", &AnswerItem::boosted_by), 0);
  std::vector<std::string> joined;
  for (std::size_t offset = 0; offset < 70; offset += 7) {
    auto page = request(kNoSuchWord, "u");
    page.k = 7;
    page.offset = offset;
    for (auto& id : ids(run(service, page))) joined.push_back(id);
  }
  EXPECT_EQ(joined, ids(whole));
}

TEST_F(FallbackTest, FallbackDoesNotNeedTheFeatureStore) {
  auto& service = make();
  break_encoder();
  const auto good = run(service, request(kNoSuchWord));
  features_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  features_.fail_popularity_with(core::Error{ErrorCode::kUnavailable, "away"});
  expect_same_list(run(service, request(kNoSuchWord)), good);
  const auto personal = run(service, request(kNoSuchWord, "u"));
  expect_same_list(personal, good);
  EXPECT_EQ(personal->degradations, (std::vector{DegradationReason::kInferenceUnavailable, DegradationReason::kCacheMiss,
                                                 DegradationReason::kPersonalizationUnavailable}));
}

// Both workers are held for good: whatever happens now happens on the timers' thread.
TEST_F(FallbackTest, RetrieverThatNeverAnswersIsAnsweredForBeforeTheDeadline) {
  auto& service = make({.dense = {.max_batch = 1}});
  encoder_.hold();
  std::atomic<int> ended{0};
  std::vector<core::Operation> operations;
  for (const char* query : {"a", "b"}) {
    operations.push_back(core::start(service.search(request(query)), [&](SearchOutcome&&) { ++ended; }));
  }
  encoder_.wait_until_held(2);

  for (const bool filtered : {false, true}) {
    for (const char* name : {"", "u"}) {
      auto wanted = filtered ? red(request(kNoSuchWord, name)) : request(kNoSuchWord, name);
      const auto deadline = in(milliseconds(400));
      wanted.deadline = deadline;
      const auto outcome = run(service, wanted);
      ASSERT_TRUE(outcome);
      EXPECT_EQ(outcome->degradations.front(), DegradationReason::kInferenceTimeout);
      EXPECT_EQ(outcome->fallback_source, FallbackSource::kGlobalPopular);
      EXPECT_EQ(outcome->items.size(), filtered ? 20U : static_cast<std::size_t>(kArticles));
      EXPECT_GE(outcome->took, milliseconds(300));  // it did wait for the search, but for a reserve
    }
  }
  // At the shortest deadline there is still an answer.
  auto hurried = red(request(kNoSuchWord));
  hurried.deadline = in(kMinDeadline);
  EXPECT_EQ(run(service, hurried).value().fallback_source, FallbackSource::kGlobalPopular);
  encoder_.release();
  while (ended.load() < 2) std::this_thread::yield();
}

TEST_F(FallbackTest, MeaningThatIsLateLeavesWordsWithTimeToSpare) {
  auto& service = make({.retrieval_budget = milliseconds(20), .dense = {.max_batch = 1}});
  encoder_.hold();
  auto wanted = request("Name 3");
  wanted.deadline = in(milliseconds(6'000));  // ten times the usual: so is the budget
  const auto outcome = run(service, wanted);
  encoder_.release();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->degradations, std::vector{DegradationReason::kInferenceTimeout});
  EXPECT_EQ(outcome->fallback_source, std::nullopt);
  EXPECT_FALSE(outcome->items.empty());
  EXPECT_GE(outcome->took, milliseconds(150));
  EXPECT_LT(outcome->took, milliseconds(3'000));
}

TEST_F(FallbackTest, AnswersAreNotedAsImpressions) {
  support::FakeImpressionLog log;
  const ImpressionRecorder recorder(log, 1.0, metrics_);
  const auto experiments = Experiments::parse("boost=on:50/off:50", "salt").value();
  auto& service = make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .features = &features_,
                             .popularity = &popularity_, .impressions = &recorder, .experiments = &experiments},
                            {});
  ASSERT_TRUE(run(service, request(kNoSuchWord)));  // no request id: nothing could be joined with it
  EXPECT_TRUE(log.impressions().empty());

  auto wanted = request("Name 3", "u");
  wanted.request_id = core::RequestId("r1");
  wanted.k = 5;
  wanted.offset = 10;
  const auto outcome = run(service, wanted);
  ASSERT_EQ(log.impressions().size(), 1U);
  const events::Impression noted = log.impressions()[0];
  EXPECT_EQ(noted.request_id, "r1");
  EXPECT_EQ(noted.user_id, core::UserId("u"));
  EXPECT_EQ(noted.time_ms, clock_.now_ms());
  EXPECT_EQ(noted.source, events::EventSource::kSearch);
  EXPECT_EQ(noted.query, "Name 3");
  EXPECT_EQ(noted.generation, "a");
  EXPECT_TRUE(noted.personalized);
  EXPECT_FALSE(noted.degraded);
  EXPECT_EQ(noted.arms, outcome->experiments);
  ASSERT_EQ(noted.arms.size(), 1U);
  ASSERT_EQ(noted.items.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(noted.items[i].item_id, outcome->items[i].article.id());
    EXPECT_EQ(noted.items[i].position, 11 + i);
  }

  BrowseRequest browse;
  browse.request_id = core::RequestId("r2");
  ASSERT_TRUE(run(service, browse));
  TrendingRequest trending;
  trending.request_id = core::RequestId("r3");
  ASSERT_TRUE(run(service, trending));
  break_encoder();
  wanted.request_id = core::RequestId("r4");
  wanted.query = "yyyy";
  ASSERT_TRUE(run(service, wanted));
  wanted.k = 0;
  ASSERT_FALSE(run(service, wanted));  // a failure shows nothing
  const auto all = log.impressions();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].source, events::EventSource::kBrowse);
  EXPECT_EQ(all[2].source, events::EventSource::kRecommendation);
  EXPECT_TRUE(all[3].degraded);

  log.set_full(true);  // a dropped record costs nothing else
  wanted.k = 5;
  EXPECT_TRUE(run(service, wanted));
}

}  // namespace
}  // namespace scalestyle::search
