#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "list_fixture.hpp"

namespace scalestyle::search {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr events::EpochMs kDayMs = 86'400'000;

class PersonalSearchTest : public ListFixture {};

// The formula of the boost written out once more, article by article, from what the store was told.
struct Model {
  std::map<std::string, std::array<double, events::kWindowCount>> windows;
  std::set<std::string> clicked;
  std::map<std::string, double> affinities;  // decayed

  struct Row {
    std::string id;
    double base = 0;
    double score = 0;
    bool acted = false;
  };

  [[nodiscard]] double sum(const std::string& id, std::size_t window) const {
    const auto found = windows.find(id);
    return found == windows.end() ? 0 : found->second[window];
  }

  [[nodiscard]] std::vector<Row> rank(const SearchAnswer& base) const {
    constexpr std::array<double, 3> kWeights{0.20, 0.10, 0.05};
    std::array<double, 3> greatest{50, 50, 50};
    for (const AnswerItem& item : base.items) {
      for (std::size_t w = 0; w < 3; ++w) greatest[w] = std::max(greatest[w], sum(std::string(item.article.id()), w));
    }
    std::vector<Row> rows;
    for (const AnswerItem& item : base.items) {
      const std::string id(item.article.id());
      double factor = clicked.contains(id) ? 1.5 : 1.0;
      if (const auto found = affinities.find(std::string(item.article.product_type())); found != affinities.end()) {
        factor *= 1 + 0.2 * found->second / (found->second + 1);
      }
      double popularity = 1;
      for (std::size_t w = 0; w < 3; ++w) popularity += kWeights[w] * std::log(1 + sum(id, w)) / std::log(1 + greatest[w]);
      factor = std::min(3.0, factor * popularity);
      rows.push_back({id, item.score, item.score * factor, factor > 1});
    }
    std::ranges::stable_sort(rows, [](const Row& a, const Row& b) { return a.score > b.score; });
    return rows;
  }
};

TEST_F(PersonalSearchTest, RandomFeaturesOrderAsTheFormulaDoes) {
  auto& service = make();
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t bound) { return static_cast<int>(std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random)); };
    Model model;
    events::SubjectFeatures features;
    for (int i = below(12); i > 0; --i) {
      const int number = below(kArticles);
      const auto type = std::array{events::EventType::kClick, events::EventType::kView, events::EventType::kAddToCart,
                                   events::EventType::kPurchase}[static_cast<std::size_t>(below(4))];
      const events::EpochMs age = below(10) * kDayMs;
      features.recent_items.push_back({id_of(number), clock_.now_ms() - age, type});
      if (type != events::EventType::kView && age <= 7 * kDayMs) model.clicked.insert(id_of(number));
    }
    features.recent_items.push_back({"0000009999", clock_.now_ms(), events::EventType::kClick});  // not in this catalogue
    for (const std::string& type : kTypes) {
      if (below(2) == 0) continue;
      const double value = below(1000) / 100.0;
      const int half_lives = below(4);
      features.affinities.push_back({type, {value, clock_.now_ms() - half_lives * 7 * kDayMs}});
      model.affinities[type] = value * std::pow(0.5, half_lives);
    }
    features.affinities.push_back({"No such type", {5, clock_.now_ms()}});
    for (int i = 0; i < kArticles; ++i) {
      std::array<double, events::kWindowCount> windows{};
      if (below(3) == 0) {
        windows[0] = below(200);
        windows[1] = windows[0] + below(200);
        windows[2] = windows[1] + below(200);
      }
      set_popularity(i, windows);
      model.windows[id_of(i)] = windows;
    }
    refresh_popularity();
    features_.set_features(user("u"), features);

    const std::string query = "Name " + std::to_string(below(kArticles));
    const auto base = run(service, request(query));
    ASSERT_TRUE(base);
    ASSERT_EQ(base->items.size(), static_cast<std::size_t>(kArticles));
    const auto expected = model.rank(*base);
    const auto outcome = run(service, request(query, "u"));
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->personalized);
    ASSERT_EQ(outcome->items.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const AnswerItem& item = outcome->items[i];
      EXPECT_EQ(item.article.id(), expected[i].id) << "seed " << seed << " place " << i;
      EXPECT_NEAR(item.score, expected[i].score, 1e-12);
      EXPECT_EQ(item.behavior_score.has_value(), expected[i].acted);
      EXPECT_EQ(item.boosted_by.empty(), !expected[i].acted);
      EXPECT_NEAR(item.behavior_score.value_or(0), expected[i].score - expected[i].base, 1e-12);
      EXPECT_EQ(item.rank, i + 1);
    }
  }
}

TEST_F(PersonalSearchTest, WithoutASubjectNothingChangesBitForBit) {
  auto& service = make();
  auto& bare = make_without_store();
  const auto before = run(service, request("Name 3"));
  for (int i = 0; i < kArticles; ++i) set_popularity(i, {100.0 + i, 200.0, 300.0}, 500);
  refresh_popularity();
  features_.set_features(user("u"), clicks({1, 2, 3}));
  const auto after = run(service, request("Name 3"));
  expect_same_list(after, before);
  expect_same_list(after, run(bare, request("Name 3")));
  EXPECT_FALSE(after->personalized);
  EXPECT_FALSE(after->freshness_ms);
  EXPECT_FALSE(after->after_reached);
  EXPECT_EQ(features_.reads(), 0U);

  auto unwilling = request("Name 3", "u");
  unwilling.personalize = false;
  expect_same_list(run(service, unwilling), after);
  auto nameless = request("Name 3");
  nameless.user_id = core::UserId();
  nameless.session_id = core::SessionId();
  expect_same_list(run(service, nameless), after);
  EXPECT_EQ(features_.reads(), 0U);
}

TEST_F(PersonalSearchTest, WhoWishesNotToBePersonalisedIsNot) {
  set_popularity(5, {100, 100, 100});
  auto features = clicks({1, 2, 3});
  features.personalize = false;
  features_.set_features(user("u"), features);
  auto& service = make();
  const auto outcome = run(service, request("Name 3", "u"));
  expect_same_list(outcome, run(service, request("Name 3")));
  EXPECT_FALSE(outcome->personalized);
  EXPECT_TRUE(outcome->degradations.empty());
}

TEST_F(PersonalSearchTest, UnknownUserWithoutPopularityLeavesEveryScoreAsItIs) {
  auto& service = make();
  const auto outcome = run(service, request("Name 3", "nobody"));
  expect_same_list(outcome, run(service, request("Name 3")));
  EXPECT_TRUE(outcome->personalized);
  EXPECT_TRUE(outcome->degradations.empty());
}

TEST_F(PersonalSearchTest, AnothersAnswerChangesByThePopularityFactorAlone) {
  auto& service = make();
  const auto before = run(service, request("Name 3", "other"));
  ASSERT_TRUE(before);
  features_.set_features(user("u"), clicks({20}));
  set_popularity(20, {6, 6, 6});
  const auto after = run(service, request("Name 3", "other"));
  ASSERT_TRUE(after);
  std::map<std::string, double> score_before;
  for (const AnswerItem& item : before->items) score_before[std::string(item.article.id())] = item.score;
  for (const AnswerItem& item : after->items) {
    const double base = score_before[std::string(item.article.id())];
    if (item.article.id() != id_of(20)) {
      EXPECT_EQ(item.score, base);
      EXPECT_FALSE(item.behavior_score);
      continue;
    }
    EXPECT_NEAR(item.score, base * (1 + 0.35 * std::log(7) / std::log(51)), 1e-12);
    EXPECT_EQ(item.boosted_by, "online_popularity");
    ASSERT_TRUE(item.behavior_score);
    EXPECT_NEAR(*item.behavior_score, item.score - base, 1e-12);
  }
}

TEST_F(PersonalSearchTest, SessionsArePersonalisedAndAUserComesFirst) {
  features_.set_features(events::Subject::session(core::SessionId("x")), clicks({1}));
  features_.set_features(user("x"), clicks({2}));
  auto& service = make();
  const auto boosted = [&](const SearchRequest& wanted) {
    std::vector<std::string> list;
    const auto outcome = run(service, wanted);
    for (const AnswerItem& item : outcome.value().items) {
      if (item.boosted_by == "recent_click") list.emplace_back(item.article.id());
    }
    return list;
  };
  auto of_session = request("Name 3");
  of_session.session_id = core::SessionId("x");
  EXPECT_EQ(boosted(of_session), (std::vector{id_of(1)}));
  auto of_both = request("Name 3", "x");
  of_both.session_id = core::SessionId("x");
  EXPECT_EQ(boosted(of_both), (std::vector{id_of(2)}));
}

TEST_F(PersonalSearchTest, SixClicksLiftTheirTypeAndTimeLowersItAgain) {
  auto& service = make();
  const auto plain = run(service, request("Name 3"));
  const auto mean_rank = [](const SearchOutcome& outcome, std::string_view type) {
    double sum = 0;
    double count = 0;
    for (const AnswerItem& item : outcome->items) {
      if (item.article.product_type() != type) continue;
      sum += static_cast<double>(item.rank);
      ++count;
    }
    return sum / count;
  };
  events::SubjectFeatures features;
  events::DecayedScore affinity;
  for (const int number : {2, 6, 10, 14, 18, 22}) {  // socks
    features.recent_items.push_back({id_of(number), clock_.now_ms(), events::EventType::kClick});
    affinity.add(1, clock_.now_ms(), 7 * 86'400.0);
  }
  features.affinities.push_back({"Socks", affinity});
  features_.set_features(user("u"), features);

  double last_rank = mean_rank(run(service, request("Name 3", "u")), "Socks");
  EXPECT_LT(last_rank, mean_rank(plain, "Socks"));
  double last_factor = 1e9;
  for (int half_lives = 0; half_lives <= 40; ++half_lives) {
    const auto outcome = run(service, request("Name 3", "u"));
    ASSERT_TRUE(outcome);
    // Number 26 is socks that were never clicked: its factor is the affinity's alone.
    const auto find = [](const SearchOutcome& list, const std::string& id) {
      return *std::ranges::find_if(list->items, [&](const AnswerItem& item) { return item.article.id() == id; });
    };
    const double factor = find(outcome, id_of(26)).score / find(plain, id_of(26)).score;
    const double worth = 6 * std::pow(0.5, half_lives);
    EXPECT_NEAR(factor, 1 + 0.2 * worth / (worth + 1), 1e-9);
    EXPECT_LT(factor, last_factor);
    last_factor = factor;
    const double rank = mean_rank(outcome, "Socks");
    EXPECT_GE(rank, last_rank);
    last_rank = rank;
    // The exact clicks count for a week and not a moment longer.
    EXPECT_EQ(find(outcome, id_of(2)).boosted_by, half_lives <= 1 ? "recent_click" : "category_affinity");
    clock_.advance(hours(7 * 24));
  }
  EXPECT_EQ(ids(run(service, request("Name 3", "u"))), ids(plain));
}

TEST_F(PersonalSearchTest, PagesOfOneShopperPartitionTheirList) {
  for (int i = 0; i < kArticles; i += 2) set_popularity(i, {1.0 * i, 2.0 * i, 3.0 * i});
  features_.set_features(user("u"), clicks({40, 50, 30}));
  auto& service = make();
  const auto whole = ids(run(service, request("Name 3", "u")));
  std::vector<std::string> joined;
  for (std::size_t offset = 0; offset < 70; offset += 7) {
    auto page = request("Name 3", "u");
    page.k = 7;
    page.offset = offset;
    for (auto& id : ids(run(service, page))) joined.push_back(id);
  }
  EXPECT_EQ(joined, whole);
}

TEST(PersonalizationOptions, LimitsAreChecked) {
  EXPECT_TRUE(PersonalizationOptions{}.validate());
  EXPECT_EQ((PersonalizationOptions{.snapshot_budget = milliseconds(0)}).validate().error().field, "snapshot_budget");
  EXPECT_EQ((PersonalizationOptions{.after_budget = milliseconds(1'001)}).validate().error().field, "after_budget");
  EXPECT_EQ((PersonalizationOptions{.affinity_half_life_seconds = 0}).validate().error().field, "affinity_half_life");
  EXPECT_EQ((PersonalizationOptions{.recent_click_max_age = std::chrono::seconds(0)}).validate().error().field,
            "recent_click_max_age");
  EXPECT_EQ((PersonalizationOptions{.boost = {.cap = 0.5}}).validate().error().field, "boost_cap");
  EXPECT_FALSE((SearchOptions{.personalization = {.snapshot_budget = milliseconds(0)}}).validate());
}

}  // namespace
}  // namespace scalestyle::search
