// What completes an outfit with one article.
#include "ranking/look.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "ranking/look_samples.hpp"

namespace scalestyle::ranking {
namespace {

struct Shop {
  explicit Shop(const std::vector<LookArticle>& samples) : articles(look_catalog(samples)), slots(articles), hues(articles) {}

  void bought(const std::vector<std::vector<Neighbour>>& lists) {
    std::vector<std::uint32_t> begins{0};
    std::vector<Neighbour> all;
    for (const auto& list : lists) {
      all.insert(all.end(), list.begin(), list.end());
      begins.push_back(static_cast<std::uint32_t>(all.size()));
    }
    neighbours = ItemNeighbours::make(std::move(begins), std::move(all)).value();
  }
  [[nodiscard]] LookInputs inputs(std::uint32_t row) const {
    LookInputs all;
    all.articles = &articles;
    all.slots = &slots;
    all.hues = &hues;
    all.article = {row};
    all.neighbours = neighbours.size() > 0 ? &neighbours : nullptr;
    return all;
  }

  catalog::Catalog articles;
  OutfitSlots slots;
  RowHues hues;
  ItemNeighbours neighbours;
};

std::vector<std::uint32_t> rows_of(const std::vector<LookItem>& items) {
  std::vector<std::uint32_t> rows;
  for (const LookItem& item : items) rows.push_back(item.row.value);
  return rows;
}

std::vector<LookItem> look_of(const LookInputs& inputs, const LookOptions& options = {}) {
  return choose_look(look_candidates(inputs, options), inputs, options);
}

TEST(Look, OneOfASlotNeverTheProductItself) {
  Shop shop({{"Top", "", "Red", "", 1}, {"Top", "", "Blue", "", 1}, {"Skirt", "", "Black"}, {"Trousers", "", "White"}, {"Bag", "", "Green"},
             {"Dress", "", "Black"}, {"Sweater", "", "Black"}});
  shop.bought({{{1, 0.9F}, {6, 0.8F}, {3, 0.5F}, {2, 0.4F}, {4, 0.3F}}, {{5, 0.9F}}, {}, {}, {}, {}, {}});
  const auto inputs = shop.inputs(0);
  const auto look = look_of(inputs);
  EXPECT_EQ(rows_of(look), (std::vector<std::uint32_t>{3, 4}));  // no dress beside a top, no second top
  EXPECT_EQ(look[0].source, LookSource::kBought);
  EXPECT_EQ(look[0].together, 1.0F);
  EXPECT_EQ(look[0].colour, 1.0F);
  EXPECT_DOUBLE_EQ(look[0].score, 1.0);
  EXPECT_EQ(look[1].colour, colour_match(Hue::kRed, Hue::kGreen));
  LookOptions two;
  two.per_slot = 2;
  EXPECT_EQ(rows_of(look_of(inputs, two)), (std::vector<std::uint32_t>{3, 2, 4}));
}

TEST(Look, ADressAndSkirtAreNeverInOneLook) {
  Shop shop({{"Bag"}, {"Dress"}, {"Skirt"}, {"Top"}, {"Boots"}});
  shop.bought({{{1, 0.9F}, {2, 0.8F}, {3, 0.7F}, {4, 0.1F}}, {}, {}, {}, {}});
  EXPECT_EQ(rows_of(look_of(shop.inputs(0))), (std::vector<std::uint32_t>{1, 4}));
  shop.bought({{{2, 0.9F}, {1, 0.8F}, {3, 0.7F}, {4, 0.1F}}, {}, {}, {}, {}});
  EXPECT_EQ(rows_of(look_of(shop.inputs(0))), (std::vector<std::uint32_t>{2, 3, 4}));
}

TEST(Look, VariantsAndTheLiveCountToo) {
  Shop shop({{"Top", "", "", "", 1}, {"Top", "", "", "", 1}, {"Skirt"}, {"Bag"}, {"Boots"}});
  shop.bought({{{2, 0.5F}}, {{3, 0.5F}}, {}, {}, {}});
  auto inputs = shop.inputs(0);
  const std::vector<ScoredRow> live{{{4}, 0.2F}, {{2}, 0.1F}, {{4}, 0.2F}};
  inputs.live = live;
  const auto look = look_of(inputs);
  ASSERT_EQ(rows_of(look), (std::vector<std::uint32_t>{2, 4, 3}));
  EXPECT_EQ(look[0].source, LookSource::kBought);
  EXPECT_EQ(look[1].source, LookSource::kChosen);
  EXPECT_EQ(look[1].together, 1.0F);
  EXPECT_EQ(look[2].source, LookSource::kVariantBought);
  EXPECT_FLOAT_EQ(look[2].together, 0.6F);
  LookOptions none;
  none.variant_discount = 0;
  EXPECT_EQ(rows_of(look_of(inputs, none)), (std::vector<std::uint32_t>{2, 4}));
}

TEST(Look, WhatIsPopularFillsEmptySlotsOnly) {
  Shop shop({{"Top"}, {"Skirt", "", "", "x"}, {"Shorts"}, {"Bag"}, {"Boots"}, {"Dress"}, {"Lamp", "Lighting"}});
  shop.bought({{{2, 0.01F}}, {}, {}, {}, {}, {}, {}});
  auto inputs = shop.inputs(0);
  const auto bought = look_candidates(inputs, {});
  std::vector<std::string_view> empty;
  for (const SlotId slot : empty_slots(bought, inputs)) empty.push_back(shop.slots.name(slot));
  EXPECT_EQ(empty, (std::vector<std::string_view>{"shoes", "bag"}));
  const std::vector<ScoredRow> popular{{{1}, 9}, {{4}, 8}, {{3}, 4}, {{5}, 9}, {{6}, 9}};
  inputs.popular = popular;
  const auto look = look_of(inputs);
  ASSERT_EQ(rows_of(look), (std::vector<std::uint32_t>{2, 6, 4, 3}));  // row 1 is of other people, row 5 a dress
  EXPECT_EQ(look[2].source, LookSource::kPopular);
  EXPECT_GT(look[0].score, look[1].score);
}

TEST(Look, OnlyWhatIsEligible) {
  Shop shop({{"Top"}, {"Skirt"}, {"Shorts"}});
  shop.bought({{{1, 0.9F}, {2, 0.1F}}, {}, {}});
  auto inputs = shop.inputs(0);
  catalog::Bitmap eligible(3, true);
  eligible.reset({1});
  inputs.eligible = &eligible;
  EXPECT_EQ(rows_of(look_of(inputs)), (std::vector<std::uint32_t>{2}));
}

TEST(Look, SettingsAreChecked) {
  EXPECT_TRUE(LookOptions().validate());
  EXPECT_EQ(LookOptions{.variant_discount = 2}.validate().error().field, "variant_discount");
  EXPECT_EQ(LookOptions{.popular_share = 0}.validate().error().field, "popular_share");
  EXPECT_EQ(LookOptions{.per_slot = 0}.validate().error().field, "per_slot");
  EXPECT_EQ(LookOptions{.max_items = 0}.validate().error().field, "max_items");
}

// The same, as plainly as can be said: the best remaining candidate that may be taken, again and again.
std::vector<std::uint32_t> plain_look(const LookInputs& in, const LookOptions& options) {
  const auto& articles = *in.articles;
  const auto group_of = [&](std::uint32_t row) { return articles.row({row})[catalog::Attribute::kIndexGroup]; };
  std::map<std::uint32_t, float> bought, live, popular;
  const auto allowed = [&](std::uint32_t row) {
    return articles.row({row}).product_code() != articles.row(in.article).product_code() && (in.eligible == nullptr || in.eligible->test({row})) &&
           in.slots->go_together(in.slots->of({row}), in.slots->of(in.article));
  };
  for (std::uint32_t variant = 0; variant < articles.size(); ++variant) {
    if (articles.row({variant}).product_code() != articles.row(in.article).product_code()) continue;
    for (const Neighbour& n : in.neighbours->of(variant)) {
      const float score = n.score * (variant == in.article.value ? 1.0F : static_cast<float>(options.variant_discount));
      if (allowed(n.item)) bought[n.item] = std::max(bought[n.item], score);
    }
  }
  for (const ScoredRow& row : in.live) {
    if (allowed(row.row.value)) live[row.row.value] += row.score;
  }
  for (const ScoredRow& row : in.popular) {
    if (allowed(row.row.value) && group_of(row.row.value) == group_of(in.article.value)) popular[row.row.value] = std::max(popular[row.row.value], row.score);
  }
  const auto greatest = [](const auto& all) {
    float most = 0;
    for (const auto& [row, score] : all) most = std::max(most, score);
    return most;
  };
  std::map<std::uint32_t, double> evidence, other;
  std::set<SlotId> known;
  const auto colour = [&](std::uint32_t row) { return static_cast<double>(colour_match(in.hues->of(in.article), in.hues->of({row}))); };
  for (std::uint32_t row = 0; row < articles.size(); ++row) {
    float together = 0;
    if (bought.contains(row)) together = bought[row] / greatest(bought);
    if (live.contains(row)) together = std::max(together, live[row] / greatest(live));
    if (together > 0) {
      evidence[row] = colour(row) * (1 - options.popular_share + options.popular_share * static_cast<double>(together));
      known.insert(in.slots->of({row}));
    } else if (popular.contains(row)) {
      other[row] = colour(row) * (options.popular_share * static_cast<double>(popular[row] / greatest(popular)));
    }
  }
  std::erase_if(other, [&](const auto& entry) { return known.contains(in.slots->of({entry.first})); });
  std::vector<std::pair<double, std::uint32_t>> taken;
  for (auto* pool : {&evidence, &other}) {
    while (true) {
      std::erase_if(*pool, [&](const auto& entry) {
        std::size_t same = 0;
        for (const auto& [score, row] : taken) {
          if (articles.product_of({row}) == articles.product_of({entry.first})) return true;
          const SlotId a = in.slots->of({row});
          const SlotId b = in.slots->of({entry.first});
          if (a == b) ++same;
          if (a != b && !in.slots->go_together(a, b)) return true;
        }
        return same >= options.per_slot;
      });
      if (pool->empty() || taken.size() >= options.max_items) break;
      const auto best = std::ranges::max_element(*pool, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second < b.second : a.first > b.first;
      });
      taken.emplace_back(-best->second, best->first);
    }
  }
  std::ranges::sort(taken);
  std::vector<std::uint32_t> rows;
  for (const auto& [score, row] : taken) rows.push_back(row);
  return rows;
}

TEST(Look, IsThatOfASecondImplementation) {
  const std::vector<std::string> types{"Top", "Skirt", "Dress", "Boots", "Bag", "Coat", "Bikini top", "Swimsuit", "Bra", "Socks", "Lamp", "Hat/brim"};
  const std::vector<std::string> colours{"Black", "Red", "Pink", "Green", "Light Blue", "Other", ""};
  std::mt19937 random(7);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (int round = 0; round < 150; ++round) {
    constexpr std::size_t kRows = 40;
    std::vector<LookArticle> samples;
    for (std::size_t i = 0; i < kRows; ++i) {
      samples.push_back({types[below(types.size())], "", colours[below(colours.size())], below(3) == 0 ? "a" : "b", static_cast<int>(below(30))});
      if (samples.back().type == "Lamp") samples.back().group = "Lighting";
    }
    Shop shop(samples);
    std::vector<std::vector<Neighbour>> lists(kRows);
    for (std::uint32_t i = 0; i < kRows; ++i) {
      float score = 0.9F;
      std::set<std::uint32_t> others;
      while (others.size() < below(14)) others.insert(static_cast<std::uint32_t>(below(kRows)));
      others.erase(i);
      for (const std::uint32_t other : others) lists[i].push_back({other, score -= static_cast<float>(below(2)) * 0.0625F});
    }
    shop.bought(lists);
    auto inputs = shop.inputs(static_cast<std::uint32_t>(below(kRows)));
    std::vector<ScoredRow> live, popular;
    for (std::size_t i = below(6); i > 0; --i) live.push_back({{static_cast<std::uint32_t>(below(kRows))}, static_cast<float>(1 + below(4)) / 4});
    for (std::size_t i = below(20); i > 0; --i) popular.push_back({{static_cast<std::uint32_t>(below(kRows))}, static_cast<float>(1 + below(8))});
    inputs.live = live;
    inputs.popular = popular;
    catalog::Bitmap eligible(kRows, true);
    for (int i = 0; i < 5; ++i) eligible.reset({static_cast<std::uint32_t>(below(kRows))});
    if (below(2) == 0) inputs.eligible = &eligible;
    LookOptions options;
    options.per_slot = 1 + below(2);
    options.max_items = 1 + below(12);
    ASSERT_EQ(rows_of(look_of(inputs, options)), plain_look(inputs, options)) << round;
  }
}

}  // namespace
}  // namespace scalestyle::ranking
