#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "catalog/filters.hpp"
#include "list_fixture.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::Deadline;
using core::ErrorCode;
using events::Window;
using std::chrono::milliseconds;

class BrowseTest : public ListFixture {
 protected:
  static BrowseRequest by(BrowseSort sort) {
    BrowseRequest wanted;
    wanted.sort = sort;
    wanted.k = kMaxK;
    return wanted;
  }
  static TrendingRequest in_window(Window window) {
    TrendingRequest wanted;
    wanted.window = window;
    wanted.k = kMaxK;
    return wanted;
  }
  template <class Request>
  static Request for_user(Request wanted, const std::string& name) {
    wanted.user_id = core::UserId(name);
    return wanted;
  }
  template <class Request>
  static Request red(Request wanted) {
    wanted.filter[FilterField::kColour] = {"red"};
    return wanted;
  }
  // Ids of the shop's articles in the order of `before`; `keep` filters.
  template <class Keep, class Before>
  static std::vector<std::string> expected_ids(Keep keep, Before before) {
    auto list = articles();
    std::erase_if(list, [&](const catalog::Article& article) { return !keep(article); });
    std::ranges::stable_sort(list, before);
    std::vector<std::string> result;
    for (const auto& article : list) result.push_back(article.id.text());
    return result;
  }
};

TEST_F(BrowseTest, FixedOrdersEqualASortOfTheCatalogueWithinTheFilters) {
  auto& service = make();
  const auto all = [](const catalog::Article&) { return true; };
  const auto is_red = [](const catalog::Article& article) { return article[catalog::Attribute::kColour] == "Red"; };
  const auto rising = [](const catalog::Article& a, const catalog::Article& b) {
    return a.price && b.price ? *a.price < *b.price : a.price.has_value() && !b.price;
  };
  const auto falling = [](const catalog::Article& a, const catalog::Article& b) {
    return a.price && b.price ? *a.price > *b.price : a.price.has_value() && !b.price;
  };
  const auto by_name = [](const catalog::Article& a, const catalog::Article& b) {
    return catalog::fold_value(a.name) < catalog::fold_value(b.name);
  };
  EXPECT_EQ(ids(run(service, by(BrowseSort::kPriceAscending))), expected_ids(all, rising));
  EXPECT_EQ(ids(run(service, by(BrowseSort::kPriceDescending))), expected_ids(all, falling));
  EXPECT_EQ(ids(run(service, by(BrowseSort::kName))), expected_ids(all, by_name));
  EXPECT_EQ(ids(run(service, red(by(BrowseSort::kPriceAscending)))), expected_ids(is_red, rising));
  EXPECT_EQ(ids(run(service, red(by(BrowseSort::kPriceDescending)))), expected_ids(is_red, falling));
  const auto outcome = run(service, red(by(BrowseSort::kName)));
  EXPECT_EQ(ids(outcome), expected_ids(is_red, by_name));
  EXPECT_EQ(outcome->total, 20U);
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  EXPECT_TRUE(std::ranges::is_sorted(scores(outcome), std::greater<>()));
  EXPECT_FALSE(articles()[3].price);  // the shop has articles without a price
}

TEST_F(BrowseTest, FixedOrdersAreNeverPersonalised) {
  features_.set_features(user("u"), {.recent_items = {{id_of(9), clock_.now_ms(), events::EventType::kClick}}});
  set_popularity(9, {100, 100, 100});
  auto& service = make();
  for (const BrowseSort sort : {BrowseSort::kPriceAscending, BrowseSort::kPriceDescending, BrowseSort::kName}) {
    const auto outcome = run(service, for_user(by(sort), "u"));
    expect_same_list(outcome, run(service, by(sort)));
    EXPECT_FALSE(outcome->personalized);
  }
  EXPECT_EQ(features_.reads(), 0U);
}

TEST_F(BrowseTest, PopularIsEveryArticleByAllTimePopularity) {
  set_popularity(7, {}, 1'000'000);  // live events outdo purchases
  set_popularity(8, {}, 0.5);
  auto& service = make();
  const auto outcome = run(service, by(BrowseSort::kPopular));
  ASSERT_TRUE(outcome);
  const auto board = holder_.serving()->popularity();
  std::vector<std::pair<double, std::string>> expected;
  for (std::uint32_t row = 0; row < kArticles; ++row) {
    expected.emplace_back(-board->global({row}, clock_.now_ms()), id_of(static_cast<int>(row)));
  }
  std::ranges::sort(expected);
  std::vector<std::string> expected_ids;
  for (const auto& [popularity, id] : expected) expected_ids.push_back(id);
  EXPECT_EQ(ids(outcome), expected_ids);
  EXPECT_EQ(outcome->items[0].article.id(), id_of(7));
  EXPECT_EQ(outcome->items[0].score, 1.0);
  EXPECT_EQ(outcome->total, static_cast<std::size_t>(kArticles));
  for (std::size_t i = 0; i < outcome->items.size(); ++i) {
    EXPECT_GT(outcome->items[i].score, 0);
    EXPECT_LE(outcome->items[i].score, outcome->items[i == 0 ? 0 : i - 1].score);
  }
  EXPECT_TRUE(outcome->degradations.empty());
  EXPECT_FALSE(outcome->fallback_source);

  const auto filtered = run(service, red(by(BrowseSort::kPopular)));
  std::erase_if(expected_ids, [](const std::string& id) { return (std::stoi(id) - 1000) % 3 != 0; });
  EXPECT_EQ(ids(filtered), expected_ids);
  EXPECT_EQ(filtered->total, 20U);
}

TEST_F(BrowseTest, PopularIsPersonalisedByTheSameFactors) {
  features_.set_features(user("u"), {.recent_items = {{id_of(45), clock_.now_ms(), events::EventType::kClick}},
                                     .affinities = {{"Dress", {1, clock_.now_ms()}}}});
  auto& service = make();
  const auto plain = run(service, by(BrowseSort::kPopular));
  const auto outcome = run(service, for_user(by(BrowseSort::kPopular), "u"));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->personalized);
  std::vector<std::pair<double, std::size_t>> expected;  // score, place
  for (std::size_t i = 0; i < plain->items.size(); ++i) {
    const auto& article = plain->items[i].article;
    const double factor = (article.id() == id_of(45) ? 1.5 : 1.0) * (article.product_type() == "Dress" ? 1.1 : 1.0);
    expected.emplace_back(-plain->items[i].score * factor, i);
  }
  std::ranges::sort(expected);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(outcome->items[i].article.id(), plain->items[expected[i].second].article.id()) << i;
    EXPECT_NEAR(outcome->items[i].score, -expected[i].first, 1e-12);
  }
}

TEST_F(BrowseTest, PagesPartitionTheListAlsoBehindThePersonalisedHead) {
  features_.set_features(user("u"), {.affinities = {{"Socks", {9, clock_.now_ms()}}}});
  for (const std::size_t pool_size : {5U, 17U, 1'000U}) {
    auto& service = make({.pool_size = pool_size});
    const auto whole = run(service, for_user(by(BrowseSort::kPopular), "u"));
    ASSERT_EQ(whole->items.size(), static_cast<std::size_t>(kArticles));
    EXPECT_TRUE(std::ranges::is_sorted(scores(whole), std::greater<>()));
    for (const BrowseSort sort : {BrowseSort::kPopular, BrowseSort::kName, BrowseSort::kPriceDescending}) {
      std::vector<std::string> joined;
      for (std::size_t offset = 0; offset < 70; offset += 7) {
        auto page = for_user(by(sort), "u");
        page.k = 7;
        page.offset = offset;
        const auto part = run(service, page);
        EXPECT_EQ(part.value().total, static_cast<std::size_t>(kArticles));
        for (auto& id : ids(part)) joined.push_back(id);
      }
      EXPECT_EQ(joined, ids(run(service, for_user(by(sort), "u"))));
    }
  }
}

TEST_F(BrowseTest, TrendingGivesTheWindowAskedFor) {
  set_popularity(1, {5, 5, 5});
  set_popularity(2, {9, 9, 9});
  set_popularity(3, {5, 30, 30});
  auto& service = make();
  EXPECT_EQ(ids(run(service, in_window(Window::k1h))), (std::vector{id_of(2), id_of(1), id_of(3)}));
  const auto outcome = run(service, in_window(Window::k24h));
  EXPECT_EQ(ids(outcome), (std::vector{id_of(3), id_of(2), id_of(1)}));
  EXPECT_EQ(outcome->total, 3U);
  EXPECT_FALSE(outcome->fallback_source);
  auto page = in_window(Window::k24h);
  page.offset = 3;
  EXPECT_TRUE(run(service, page).value().items.empty());  // the end of the list is no empty window
  EXPECT_FALSE(run(service, page).value().fallback_source);
}

TEST_F(BrowseTest, EmptyWindowsGiveWayToLongerOnesInsideTheFilters) {
  auto& service = make();
  const auto expect_source = [&](Window window, std::optional<FallbackSource> source, std::size_t total) {
    const auto outcome = run(service, red(in_window(window)));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->fallback_source, source);
    EXPECT_EQ(outcome->total, total);
    EXPECT_TRUE(outcome->degradations.empty());
    for (const AnswerItem& item : outcome->items) EXPECT_EQ(item.article.colour(), "Red");
  };
  set_popularity(1, {1, 1, 1});  // blue
  expect_source(Window::k1h, FallbackSource::kGlobalPopular, 20);
  EXPECT_EQ(run(service, red(in_window(Window::k1h))).value().items[0].article.id(), id_of(45));  // bought most of the red
  set_popularity(3, {0, 0, 4});  // red
  expect_source(Window::k1h, FallbackSource::kPopular7d, 1);
  expect_source(Window::k24h, FallbackSource::kPopular7d, 1);
  expect_source(Window::k7d, std::nullopt, 1);
  set_popularity(6, {0, 2, 2});  // red
  expect_source(Window::k1h, FallbackSource::kPopular24h, 1);
  expect_source(Window::k24h, std::nullopt, 1);
  set_popularity(9, {1, 1, 1});  // red
  expect_source(Window::k1h, std::nullopt, 1);

  auto nothing = in_window(Window::k24h);
  nothing.filter[FilterField::kColour] = {"no such colour"};
  const auto outcome = run(service, nothing);
  EXPECT_EQ(outcome.value().total, 0U);
  EXPECT_FALSE(outcome->fallback_source);
}

TEST_F(BrowseTest, StoreThatFailsLeavesTheLastGoodListMarkedStale) {
  set_popularity(1, {5, 5, 5});
  auto& service = make();
  const auto good = run(service, in_window(Window::k24h));
  EXPECT_EQ(ids(good), (std::vector{id_of(1)}));
  features_.fail_popularity_with(core::Error{ErrorCode::kUnavailable, "away"});
  const auto stale = run(service, in_window(Window::k24h));
  expect_same_list(stale, good);
  EXPECT_EQ(stale->degradations, (std::vector{DegradationReason::kStaleDataAllowed}));
  EXPECT_EQ(run(service, by(BrowseSort::kPopular)).value().degradations, (std::vector{DegradationReason::kStaleDataAllowed}));
  EXPECT_TRUE(run(service, by(BrowseSort::kName)).value().degradations.empty());
  features_.fail_popularity_with(std::nullopt);
  features_.popularity_gate().hold();
  const auto late = run(service, in_window(Window::k24h));  // never answers
  EXPECT_EQ(ids(late), ids(good));
  EXPECT_EQ(late->degradations, (std::vector{DegradationReason::kStaleDataAllowed}));
  features_.popularity_gate().release();
  EXPECT_TRUE(run(service, in_window(Window::k24h)).value().degradations.empty());
}

TEST_F(BrowseTest, ListsAreMadeInTimeWhileEveryWorkerIsHeld) {
  set_popularity(1, {5, 5, 5});
  auto& service = make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .features = &features_,
                             .popularity = &popularity_},
                            {.dense = {.max_batch = 1}});
  encoder_.hold();
  std::atomic<int> ended{0};
  std::vector<core::Operation> operations;
  for (const char* query : {"a", "b"}) {
    operations.push_back(core::start(service.search(request(query)), [&](SearchOutcome&&) { ++ended; }));
  }
  encoder_.wait_until_held(2);
  auto wanted = red(in_window(Window::k7d));
  wanted.filter[FilterField::kColour] = {"Blue"};
  wanted.deadline = in(milliseconds(60));
  EXPECT_EQ(ids(run(service, wanted)), (std::vector{id_of(1)}));
  encoder_.release();
  while (ended.load() < 2) std::this_thread::yield();
}

TEST_F(BrowseTest, WithoutPopularityTheFixedOrdersRemain) {
  SnapshotHolder plain(catalogs_, index_, encoder_.info());
  ASSERT_TRUE(core::sync_wait(plain.refresh(Deadline::never())));
  auto& service = make_with({.generations = plain, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_},
                            {});
  EXPECT_EQ(run(service, by(BrowseSort::kPopular)).error().error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(run(service, in_window(Window::k24h)).error().error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(run(service, by(BrowseSort::kName)).value().items.size(), static_cast<std::size_t>(kArticles));
}

TEST_F(BrowseTest, WrongRequestsNameTheirField) {
  auto& service = make();
  auto wanted = by(BrowseSort::kName);
  wanted.k = 101;
  EXPECT_EQ(run(service, wanted).error().error.field, "k");
  auto trending = in_window(Window::k24h);
  trending.offset = kMaxOffset + 1;
  EXPECT_EQ(run(service, trending).error().error.field, "offset");
  trending = in_window(Window::k24h);
  trending.filter.price_max = -1.0;
  EXPECT_EQ(run(service, trending).error().error.field, "price_max");
}

TEST(BrowseSorts, HaveNames) {
  for (const BrowseSort sort : {BrowseSort::kPopular, BrowseSort::kPriceAscending, BrowseSort::kPriceDescending, BrowseSort::kName}) {
    EXPECT_EQ(browse_sort(to_string(sort)), sort);
  }
  EXPECT_EQ(browse_sort("relevance"), std::nullopt);
}

}  // namespace
}  // namespace scalestyle::search
