// One ranked list for everybody: kept, shared by those who ask at once, renewed after a switch, served when nothing else can.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <optional>

#include "list_fixture.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using std::chrono::milliseconds;

class FindListTest : public ListFixture {
 protected:
  [[nodiscard]] std::size_t texts_embedded() const {
    std::size_t count = 0;
    for (const auto& batch : encoder_.batches()) count += batch.size();
    return count;
  }
  // Runs a search without waiting for it.
  struct Pending {
    std::optional<SearchOutcome> outcome;
    std::latch done{1};
    core::Operation operation;
  };
  static std::unique_ptr<Pending> begin(SearchService& service, SearchRequest wanted) {
    auto pending = std::make_unique<Pending>();
    pending->operation = core::start(as_result(service.search(std::move(wanted))), [raw = pending.get()](core::Result<SearchOutcome>&& outcome) {
      if (outcome) raw->outcome.emplace(std::move(*outcome));
      raw->done.count_down();
    });
    return pending;
  }
  static core::Task<core::Result<SearchOutcome>> as_result(core::Task<SearchOutcome> search) {
    co_return core::Result<SearchOutcome>(co_await std::move(search));
  }
};

TEST_F(FindListTest, TheSecondAnswerIsTheFirstsWithoutItsWork) {
  auto& service = make();
  const auto first = run(service, request("red socks"));
  const auto second = run(service, request("  Red   SOCKS "));
  expect_same_list(first, second);
  EXPECT_EQ(first->list_source, ListSource::kMade);
  EXPECT_EQ(second->list_source, ListSource::kKept);
  EXPECT_EQ(texts_embedded(), 1U);
  EXPECT_EQ(service.list_cache_stats().hits, 1U);
  EXPECT_EQ(service.list_cache_stats().entries, 1U);
}

TEST_F(FindListTest, AShoppersFeaturesActOnAKeptListAndAreNotKeptWithIt) {
  auto& service = make();
  const auto plain = run(service, request("red socks"));
  const std::string last = ids(plain)[10];
  features_.set_features(user("u"), clicks({std::stoi(last.substr(6)) - 1000}));
  const auto personal = run(service, request("red socks", "u"));
  ASSERT_TRUE(personal);
  EXPECT_EQ(personal->list_source, ListSource::kKept);
  EXPECT_NE(ids(personal), ids(plain));
  expect_same_list(plain, run(service, request("red socks")));
}

TEST_F(FindListTest, ExplanationsAndSwitchedOffCachesMakeTheListAnew) {
  auto& service = make();
  const auto kept = run(service, request("red socks"));
  auto wanted = request("red socks");
  wanted.explain = true;
  const auto explained = run(service, wanted);
  expect_same_list(kept, explained);
  EXPECT_EQ(explained->list_source, ListSource::kMade);
  auto& without = make({.list_cache = {.max_bytes = 0}});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(run(without, request("red socks")).value().list_source, ListSource::kMade);
}

TEST_F(FindListTest, TwoHundredWhoAskAtOnceCostOneComputation) {
  auto& service = make({.door = {.limit = {.adapts = false}}});  // room for all of them from the beginning
  constexpr int kClients = 200;
  encoder_.hold();
  std::vector<std::unique_ptr<Pending>> pending;
  for (int i = 0; i < kClients; ++i) pending.push_back(begin(service, request("red socks", i % 2 == 0 ? "u" : "")));
  encoder_.wait_until_held(1);
  encoder_.release();
  std::size_t made = 0;
  for (const auto& one : pending) {
    one->done.wait();
    ASSERT_TRUE(one->outcome && *one->outcome);
    EXPECT_EQ(ids(*one->outcome), ids(*pending.front()->outcome));
    made += (*one->outcome)->list_source == ListSource::kMade ? 1U : 0U;
  }
  EXPECT_EQ(made, 1U);
  EXPECT_EQ(texts_embedded(), 1U);
}

// Who looked before a list was kept and joins after it has landed finds it.
TEST_F(FindListTest, WhoComesAsTheListLandsDoesNotMakeItAgain) {
  auto& service = make({.door = {.limit = {.adapts = false}}});
  constexpr std::size_t kRounds = 300;
  for (std::size_t round = 1; round <= kRounds; ++round) {
    std::vector<std::unique_ptr<Pending>> pending;
    for (int i = 0; i < 12; ++i) pending.push_back(begin(service, request(fmt::format("red socks {}", round))));
    std::size_t made = 0;
    for (const auto& one : pending) {
      one->done.wait();
      ASSERT_TRUE(one->outcome && *one->outcome);
      made += (*one->outcome)->list_source == ListSource::kMade ? 1U : 0U;
    }
    ASSERT_EQ(made, 1U) << "round " << round;
    ASSERT_EQ(texts_embedded(), round);
  }
}

TEST_F(FindListTest, WhoeverLeadsMayGoAwayAndEachLeavesAtItsOwnDeadline) {
  auto& service = make({.dense = {.max_batch = 1}});
  encoder_.hold();
  auto leader = begin(service, request("zzzz"));
  encoder_.wait_until_held(1);
  auto patient = begin(service, request("zzzz"));
  auto hurried_request = request("zzzz");
  hurried_request.deadline = in(milliseconds(80));
  auto hurried = begin(service, hurried_request);
  hurried->done.wait();
  ASSERT_TRUE(hurried->outcome && *hurried->outcome);
  EXPECT_EQ((*hurried->outcome)->degradations, (std::vector{DegradationReason::kInferenceTimeout, DegradationReason::kCacheMiss}));
  leader->operation.cancel();
  encoder_.release();
  patient->done.wait();
  ASSERT_TRUE(patient->outcome && *patient->outcome);
  EXPECT_TRUE((*patient->outcome)->degradations.empty());
  EXPECT_EQ((*patient->outcome)->total, static_cast<std::size_t>(kArticles));
}

TEST_F(FindListTest, DegradedListsAreNotKept) {
  auto& service = make();
  encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  EXPECT_FALSE(run(service, request("red socks")).value().degradations.empty());
  encoder_.fail_with(std::nullopt);
  const auto whole = run(service, request("red socks"));
  EXPECT_TRUE(whole.value().degradations.empty());
  EXPECT_EQ(whole->list_source, ListSource::kMade);
}

TEST_F(FindListTest, AfterASwitchTheOlderListServesWhileTheNewOneIsMade) {
  auto& service = make({.list_cache = {.stale_for = std::chrono::minutes(1)}});
  const auto before = run(service, request("red socks"));
  publish("b");
  encoder_.hold();
  const auto older = run(service, request("red socks"));
  ASSERT_TRUE(older);
  EXPECT_EQ(older->list_source, ListSource::kOlder);
  EXPECT_EQ(ids(older), ids(before));
  EXPECT_EQ(older->generation->info().id.value(), "b");
  EXPECT_TRUE(older->degradations.empty());
  encoder_.wait_until_held(1);  // the new one is being made
  encoder_.release();
  while (run(service, request("red socks")).value().list_source != ListSource::kKept) std::this_thread::yield();
  // Whoever asks between the end of the making and the keeping may begin once more.
  EXPECT_GE(texts_embedded(), 2U);
  EXPECT_LE(texts_embedded(), 3U);
}

TEST_F(FindListTest, TheLastGoodListComesBeforeWhatIsPopularAndIsMarked) {
  auto& service = make({.list_cache = {.stale_for = milliseconds(0)}});
  const auto good = run(service, request("zzzz"));
  publish("b");
  encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  const auto stale = run(service, request("zzzz"));
  ASSERT_TRUE(stale);
  EXPECT_EQ(ids(stale), ids(good));
  EXPECT_EQ(stale->fallback_source, FallbackSource::kCached);
  EXPECT_EQ(stale->degradations, (std::vector{DegradationReason::kInferenceUnavailable, DegradationReason::kStaleDataAllowed}));
  EXPECT_EQ(most_severe(stale->degradations), DegradationReason::kStaleDataAllowed);
  const auto unknown = run(service, request("yyyy"));
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->fallback_source, FallbackSource::kGlobalPopular);
  EXPECT_EQ(unknown->degradations, (std::vector{DegradationReason::kInferenceUnavailable, DegradationReason::kCacheMiss}));
  EXPECT_EQ(most_severe(unknown->degradations), DegradationReason::kInferenceUnavailable);
}

}  // namespace
}  // namespace scalestyle::search
