#include "ranking/item_neighbours.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>

namespace scalestyle::ranking {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr NeighbourOptions kPlain{.per_item = 50, .shrinkage = 0, .half_life_days = 7, .max_customer_items = 200, .min_score = 0};

ItemNeighbours built(std::vector<ItemPurchase> purchases, std::size_t items, const NeighbourOptions& options = kPlain) {
  auto made = build_item_neighbours(std::move(purchases), items, options);
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return made.value_or(ItemNeighbours());
}

// The definition in the header, read literally: every pair of items of every customer.
class Plain {
 public:
  Plain(const std::vector<ItemPurchase>& purchases, std::size_t items, const NeighbourOptions& options)
      : options_(options), totals_(items, 0) {
    for (const ItemPurchase& one : purchases) days_[one.customer][one.item].insert(one.day);
    for (auto& [customer, bought] : days_) {
      keep_newest(bought);
      const double weight = 1 / (1 + std::log(static_cast<double>(bought.size())));
      for (const auto& [a, a_days] : bought) {
        totals_[a] += weight;
        for (const auto& [b, b_days] : bought) {
          if (a != b) sums_[{a, b}] += weight * std::exp2(-nearest(a_days, b_days) / options.half_life_days);
        }
      }
    }
  }

  // All of them, in no order.
  [[nodiscard]] std::map<std::uint32_t, double> of(std::uint32_t item) const {
    std::map<std::uint32_t, double> scores;
    for (const auto& [pair, sum] : sums_) {
      if (pair.first != item) continue;
      scores[pair.second] = sum / (std::sqrt(totals_[item] * totals_[pair.second]) + options_.shrinkage);
    }
    return scores;
  }

 private:
  using Bought = std::map<std::uint32_t, std::set<std::int32_t>>;

  void keep_newest(Bought& bought) const {
    std::vector<std::pair<std::int64_t, std::uint32_t>> newest;
    for (const auto& [item, days] : bought) newest.emplace_back(-static_cast<std::int64_t>(*days.rbegin()), item);
    std::ranges::sort(newest);
    for (std::size_t i = options_.max_customer_items; i < newest.size(); ++i) bought.erase(newest[i].second);
  }
  static double nearest(const std::set<std::int32_t>& a, const std::set<std::int32_t>& b) {
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t x : a) {
      for (const std::int64_t y : b) best = std::min(best, std::abs(x - y));
    }
    return static_cast<double>(best);
  }

  NeighbourOptions options_;
  std::map<std::uint32_t, Bought> days_;
  std::vector<double> totals_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> sums_;
};

std::vector<ItemPurchase> random_purchases(std::mt19937_64& random, std::size_t count) {
  std::vector<ItemPurchase> purchases(count);
  for (ItemPurchase& one : purchases) {
    one.customer = static_cast<std::uint32_t>(random() % 25 * 7);
    one.item = static_cast<std::uint32_t>(std::min(random() % 40, random() % 40));
    one.day = static_cast<std::int32_t>(random() % 60) - 20;
  }
  return purchases;
}

TEST(ItemNeighbours, OfTwoCustomers) {
  // Customer 0 buys 0 and 1 a week apart, customer 5 the items 1 and 2 on one day: each has two items, weight 1/(1 + ln 2).
  const auto found = built({{0, 0, 10}, {0, 1, 17}, {5, 1, 3}, {5, 2, 3}}, 4);
  ASSERT_EQ(found.size(), 4U);
  const auto root = static_cast<float>(1 / std::sqrt(2.0));  // item 1 has both customers, the others one
  ASSERT_EQ(found.of(1).size(), 2U);
  EXPECT_EQ(found.of(1)[0].item, 2U);
  EXPECT_NEAR(found.of(1)[0].score, root, 1e-6);
  EXPECT_EQ(found.of(1)[1].item, 0U);
  EXPECT_NEAR(found.of(1)[1].score, root / 2, 1e-6);
  EXPECT_EQ(found.of(0).size(), 1U);
  EXPECT_TRUE(found.of(3).empty());
  EXPECT_GE(found.memory_bytes(), 5 * sizeof(std::uint32_t) + 4 * sizeof(Neighbour));
}

TEST(ItemNeighbours, ThatAreAlwaysBoughtTogetherHaveOne) {
  const auto found = built({{1, 0, 1}, {1, 1, 1}, {2, 1, 5}, {2, 0, 5}}, 2);
  EXPECT_THAT(found.of(0), ElementsAre(Neighbour{1, 1.0F}));
  EXPECT_THAT(found.of(1), ElementsAre(Neighbour{0, 1.0F}));
}

TEST(ItemNeighbours, EqualTheDefinition) {
  std::mt19937_64 random(11);
  for (int turn = 0; turn < 60; ++turn) {
    const auto purchases = random_purchases(random, 1 + random() % 400);
    const NeighbourOptions options{.per_item = 1'000,
                                   .shrinkage = static_cast<double>(random() % 3) * 5,
                                   .half_life_days = turn % 3 == 0 ? 0.5 : 7,
                                   .max_customer_items = turn % 2 == 0 ? 4U : 200U,
                                   .min_score = 0};
    const Plain plain(purchases, 40, options);
    const auto found = built(purchases, 40, options);
    for (std::uint32_t item = 0; item < 40; ++item) {
      auto wanted = plain.of(item);
      for (const Neighbour& one : found.of(item)) {
        ASSERT_TRUE(wanted.contains(one.item)) << "turn " << turn << " item " << item;
        EXPECT_NEAR(one.score, wanted[one.item], 1e-6) << "turn " << turn << " item " << item;
        wanted.erase(one.item);
      }
      for (const auto& [other, score] : wanted) EXPECT_LT(score, 1e-8) << "turn " << turn << ": " << item << " lacks " << other;
    }
  }
}

TEST(ItemNeighbours, DoNotDependOnTheOrderOfPurchasesNorOnCustomersNumbers) {
  std::mt19937_64 random(5);
  for (int turn = 0; turn < 40; ++turn) {
    auto purchases = random_purchases(random, 300);
    const NeighbourOptions options{.per_item = 10, .max_customer_items = turn % 2 == 0 ? 5U : 200U};
    const auto first = built(purchases, 40, options);
    std::vector<std::uint32_t> numbers(25 * 7);
    std::iota(numbers.begin(), numbers.end(), 100);
    std::ranges::shuffle(numbers, random);
    for (ItemPurchase& one : purchases) one.customer = numbers[one.customer];
    std::ranges::shuffle(purchases, random);
    purchases.push_back(purchases.front());  // said twice
    const auto second = built(purchases, 40, options);
    ASSERT_TRUE(std::ranges::equal(first.begins(), second.begins()));
    ASSERT_TRUE(std::ranges::equal(first.all(), second.all()));
  }
}

TEST(ItemNeighbours, KeepTheBestAnItemAndLeaveWeakOnesOut) {
  std::mt19937_64 random(8);
  const auto purchases = random_purchases(random, 400);
  const auto all = built(purchases, 40);
  NeighbourOptions few = kPlain;
  few.per_item = 3;
  NeighbourOptions strong = kPlain;
  strong.min_score = 0.2;
  const auto best = built(purchases, 40, few);
  const auto above = built(purchases, 40, strong);
  for (std::uint32_t item = 0; item < 40; ++item) {
    const auto whole = all.of(item);
    EXPECT_TRUE(std::ranges::equal(best.of(item), whole.first(std::min<std::size_t>(3, whole.size()))));
    const auto count = std::ranges::count_if(whole, [](const Neighbour& one) { return static_cast<double>(one.score) >= 0.2; });
    EXPECT_TRUE(std::ranges::equal(above.of(item), whole.first(static_cast<std::size_t>(count))));
  }
}

TEST(ItemNeighbours, TakeDaysFarApart) {
  constexpr std::int32_t kFirst = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kLast = std::numeric_limits<std::int32_t>::max();
  const auto found = built({{0, 0, kFirst}, {0, 1, kLast}, {0, 2, kLast}, {0, 0, kLast - 7}}, 3);
  EXPECT_EQ(found.of(0).size(), 2U);
  EXPECT_NEAR(found.of(0)[0].score, 0.5, 1e-6);
  EXPECT_TRUE(built({{0, 0, kFirst}, {0, 1, kLast}}, 2).all().empty());
}

TEST(ItemNeighbours, OfNothing) {
  EXPECT_EQ(built({}, 0).size(), 0U);
  const auto found = built({}, 3);
  EXPECT_EQ(found.size(), 3U);
  EXPECT_TRUE(found.of(2).empty());
  EXPECT_EQ(ItemNeighbours().size(), 0U);
}

TEST(ItemNeighbours, RefuseWrongInput) {
  const auto outside = build_item_neighbours({{0, 3, 1}}, 3, {});
  ASSERT_FALSE(outside.has_value());
  EXPECT_THAT(outside.error().message, HasSubstr("item 3"));
  const auto field_of = [](const NeighbourOptions& options) {
    const auto valid = options.validate();
    return valid ? std::string() : valid.error().field;
  };
  EXPECT_EQ(field_of({}), "");
  EXPECT_EQ(field_of({.per_item = 0}), "per_item");
  EXPECT_EQ(field_of({.per_item = 1'001}), "per_item");
  EXPECT_EQ(field_of({.shrinkage = -1}), "shrinkage");
  EXPECT_EQ(field_of({.half_life_days = 0}), "half_life_days");
  EXPECT_EQ(field_of({.half_life_days = std::nan("")}), "half_life_days");
  EXPECT_EQ(field_of({.max_customer_items = 1}), "max_customer_items");
  EXPECT_EQ(field_of({.max_customer_items = 10'001}), "max_customer_items");
  EXPECT_EQ(field_of({.min_score = 2}), "min_score");
  EXPECT_EQ(build_item_neighbours({}, 1, {.per_item = 0}).error().field, "per_item");
}

TEST(ItemNeighbours, AreMadeOfRightPartsOnly) {
  const auto message_of = [](std::vector<std::uint32_t> begins, std::vector<Neighbour> neighbours) {
    const auto made = ItemNeighbours::make(std::move(begins), std::move(neighbours));
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(message_of({}, {}), "");
  EXPECT_EQ(message_of({0}, {}), "");
  EXPECT_EQ(message_of({0, 2, 2, 3}, {{1, 0.5F}, {2, 0.5F}, {0, 1.0F}}), "");
  EXPECT_NE(message_of({}, {{0, 1.0F}}), "");
  EXPECT_NE(message_of({1, 1}, {{0, 1.0F}}), "");
  EXPECT_NE(message_of({0, 1}, {}), "");
  EXPECT_THAT(message_of({0, 2, 1, 2}, {{1, 0.5F}, {2, 0.5F}}), HasSubstr("item 1"));
  EXPECT_THAT(message_of({0, 5, 1}, {{1, 0.5F}}), HasSubstr("item 0"));
  EXPECT_THAT(message_of({0, 1, 1}, {{0, 0.5F}}), HasSubstr("itself"));
  EXPECT_THAT(message_of({0, 1, 1}, {{2, 0.5F}}), HasSubstr("no item"));
  EXPECT_THAT(message_of({0, 2, 2}, {{1, 0.5F}, {1, 0.4F}}), HasSubstr("twice"));
  EXPECT_THAT(message_of({0, 1, 1}, {{1, 0.0F}}), HasSubstr("score"));
  EXPECT_THAT(message_of({0, 1, 1}, {{1, 1.5F}}), HasSubstr("score"));
  EXPECT_THAT(message_of({0, 1, 1}, {{1, std::nanf("")}}), HasSubstr("score"));
  EXPECT_THAT(message_of({0, 2, 2, 2}, {{1, 0.4F}, {2, 0.5F}}), HasSubstr("by score"));
  EXPECT_THAT(message_of({0, 2, 2, 2}, {{2, 0.5F}, {1, 0.5F}}), HasSubstr("by score"));
}

TEST(ItemNeighbours, TakeOtherNumbers) {
  const auto old = ItemNeighbours::make({0, 3, 4, 5, 6}, {{1, 0.5F}, {2, 0.5F}, {3, 0.25F}, {0, 0.5F}, {0, 0.5F}, {0, 0.25F}}).value();
  // Items 1 and 2 change places around a new item 2; item 3 goes.
  const std::vector<std::uint32_t> numbers{0, 3, 1, kNoItem};
  const auto moved = renumbered(old, numbers, 4).value();
  EXPECT_THAT(moved.of(0), ElementsAre(Neighbour{1, 0.5F}, Neighbour{3, 0.5F}));
  EXPECT_THAT(moved.of(1), ElementsAre(Neighbour{0, 0.5F}));
  EXPECT_TRUE(moved.of(2).empty());
  EXPECT_THAT(moved.of(3), ElementsAre(Neighbour{0, 0.5F}));
  EXPECT_FALSE(renumbered(old, std::vector<std::uint32_t>{0, 1, 2}, 4).has_value());
  EXPECT_FALSE(renumbered(old, std::vector<std::uint32_t>{0, 1, 1, 2}, 4).has_value());
  EXPECT_FALSE(renumbered(old, std::vector<std::uint32_t>{0, 1, 2, 4}, 4).has_value());
}

}  // namespace
}  // namespace scalestyle::ranking
