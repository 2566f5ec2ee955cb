#include "ranking/for_you.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>

namespace scalestyle::ranking {
namespace {

using catalog::RowIndex;
using testing::HasSubstr;

std::size_t place(Source source) { return static_cast<std::size_t>(source); }

catalog::Catalog make_catalog(std::size_t rows, std::size_t rows_a_product) {
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < rows; ++i) {
    catalog::Article article{catalog::ArticleId::parse(std::to_string(10'000 + i)).value()};
    article.product_code = "p" + std::to_string(i / rows_a_product);
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

// Everything that collect() takes, owned.
struct World {
  catalog::Catalog articles;
  std::optional<catalog::Bitmap> eligible;
  std::vector<SubjectItem> items;
  ItemNeighbours neighbours;
  std::vector<ScoredRow> live;
  std::array<std::vector<ScoredRow>, 5> lists;  // sections, content, pictures, newest, popular
  ForYouOptions options;

  [[nodiscard]] ForYouInputs inputs() const {
    ForYouInputs inputs;
    inputs.articles = &articles;
    inputs.eligible = eligible ? &*eligible : nullptr;
    inputs.items = items;
    inputs.neighbours = &neighbours;
    inputs.live_neighbours = live;
    inputs.sections = lists[0];
    inputs.content = lists[1];
    inputs.pictures = lists[2];
    inputs.newest = lists[3];
    inputs.popular = lists[4];
    return inputs;
  }
  [[nodiscard]] Candidates collected() const { return collect(inputs(), options); }
};

class WorldMaker {
 public:
  explicit WorldMaker(unsigned seed) : random_(seed) {}

  World make() {
    const std::size_t rows = 20 + random_() % 200;
    World world{.articles = make_catalog(rows, 1 + random_() % 4), .eligible = {}, .items = {}, .neighbours = {}, .live = {},
                .lists = {}, .options = {}};
    if (random_() % 3 != 0) {
      world.eligible.emplace(rows);
      for (std::uint32_t row = 0; row < rows; ++row) {
        if (random_() % 3 != 0) world.eligible->set({row});
      }
    }
    for (const std::uint32_t row : distinct(rows, random_() % 15)) {
      world.items.push_back({.row = {row}, .age_days = unit() * 10, .weight = 0.3F + unit() * 5, .bought = random_() % 2 == 0});
    }
    std::ranges::sort(world.items, {}, &SubjectItem::age_days);
    world.neighbours = neighbours(rows);
    for (std::size_t i = random_() % 20; i > 0; --i) world.live.push_back({{static_cast<std::uint32_t>(random_() % rows)}, unit()});
    for (auto& list : world.lists) {
      for (const std::uint32_t row : distinct(rows, random_() % 30)) list.push_back({{row}, unit() * 100});
    }
    for (float& weight : world.options.weights) weight = unit();
    world.options.item_half_life_days = 0.5 + static_cast<double>(unit()) * 5;
    world.options.neighbour_items = random_() % 10;
    world.options.max_candidates = random_() % 2 == 0 ? 1'000 : 1 + random_() % 30;
    world.options.own = {.show_bought = random_() % 2 == 0, .show_seen = random_() % 2 == 0};
    return world;
  }

  std::mt19937& random() { return random_; }

 private:
  float unit() { return static_cast<float>(1 + random_() % 1000) / 1000; }
  std::set<std::uint32_t> distinct(std::size_t rows, std::size_t count) {
    std::set<std::uint32_t> chosen;
    for (std::size_t i = 0; i < count; ++i) chosen.insert(static_cast<std::uint32_t>(random_() % rows));
    return chosen;
  }
  ItemNeighbours neighbours(std::size_t rows) {
    std::vector<std::uint32_t> begins{0};
    std::vector<Neighbour> all;
    for (std::uint32_t row = 0; row < rows; ++row) {
      std::vector<Neighbour> of_row;
      for (const std::uint32_t other : distinct(rows, random_() % 6)) {
        if (other != row) of_row.push_back({other, unit()});
      }
      std::ranges::sort(of_row, [](const Neighbour& a, const Neighbour& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
      all.insert(all.end(), of_row.begin(), of_row.end());
      begins.push_back(static_cast<std::uint32_t>(all.size()));
    }
    return ItemNeighbours::make(std::move(begins), std::move(all)).value();
  }

  std::mt19937 random_;
};

// As the header says, by maps in double precision, one source after the other.
std::map<std::uint32_t, std::array<double, kSourceCount>> plainly(const World& world) {
  std::array<std::map<std::uint32_t, double>, kSourceCount> sources;
  std::set<std::uint32_t> hidden;
  std::size_t number = 0;
  for (const SubjectItem& item : world.items) {
    const double strength = static_cast<double>(item.weight) * std::exp2(-static_cast<double>(item.age_days) / world.options.item_half_life_days);
    if (!(item.bought ? world.options.own.show_bought : world.options.own.show_seen)) hidden.insert(item.row.value);
    sources[place(Source::kOwn)][item.row.value] += strength;
    for (std::uint32_t row = 0; row < world.articles.size(); ++row) {
      if (row != item.row.value && world.articles.product_of({row}) == world.articles.product_of(item.row)) {
        sources[place(Source::kVariant)][row] += strength;
      }
    }
    if (number++ >= world.options.neighbour_items) continue;
    for (const Neighbour& one : world.neighbours.of(item.row.value)) {
      sources[place(Source::kNeighbour)][one.item] += strength / (1 + strength) * static_cast<double>(one.score);
    }
  }
  for (const ScoredRow& one : world.live) sources[place(Source::kNeighbour)][one.row.value] += static_cast<double>(one.score);
  const std::array order{Source::kSection, Source::kContent, Source::kPicture, Source::kNew, Source::kPopular};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (const ScoredRow& one : world.lists[i]) sources[place(order[i])][one.row.value] += static_cast<double>(one.score);
  }
  std::map<std::uint32_t, std::array<double, kSourceCount>> all;
  for (std::size_t source = 0; source < kSourceCount; ++source) {
    std::erase_if(sources[source], [&](const auto& entry) {
      return hidden.contains(entry.first) || (world.eligible && !world.eligible->test({entry.first}));
    });
    double greatest = 0;
    for (const auto& [row, score] : sources[source]) greatest = std::max(greatest, score);
    const bool saturates = source == place(Source::kOwn) || source == place(Source::kVariant);
    for (const auto& [row, score] : sources[source]) {
      all[row][source] = std::max(1e-6, saturates ? score / (1 + score) : score / greatest);
    }
  }
  return all;
}

TEST(ForYou, CollectsWhatAPlainSecondImplementationDoes) {
  WorldMaker maker(5);
  for (int round = 0; round < 300; ++round) {
    const World world = maker.make();
    const auto expected = plainly(world);
    const Candidates found = world.collected();
    ASSERT_EQ(found.rows.size(), std::min(expected.size(), world.options.max_candidates));
    ASSERT_EQ(found.scores.size(), found.rows.size());
    ASSERT_TRUE(std::ranges::is_sorted(found.rows));
    const auto blended = blend(found.scores, world.options.weights);
    std::set<std::uint32_t> kept;
    double least = 1;
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      kept.insert(found.rows[i].value);
      least = std::min(least, blended[i]);
      const auto& scores = expected.at(found.rows[i].value);
      for (std::size_t source = 0; source < kSourceCount; ++source) {
        ASSERT_NEAR(found.scores[i][source], scores[source], 1e-5) << round << " " << to_string(static_cast<Source>(source));
        ASSERT_EQ(found.scores[i][source] > 0, scores[source] > 0);
        ASSERT_LE(found.scores[i][source], 1.0F);
      }
      ASSERT_TRUE(!world.eligible || world.eligible->test(found.rows[i]));
      const auto parts = blend_parts(found.scores[i], world.options.weights);
      double sum = 0;
      for (const float part : parts) sum += static_cast<double>(part);
      ASSERT_NEAR(sum, blended[i], 1e-6);
      ASSERT_GT(blended[i], 0);
      ASSERT_LE(blended[i], 1);
    }
    double weights = 0;
    for (const float weight : world.options.weights) weights += static_cast<double>(weight);
    for (const auto& [row, scores] : expected) {  // what was left out is no better than what was kept
      double sum = 0;
      for (std::size_t source = 0; source < kSourceCount; ++source) sum += static_cast<double>(world.options.weights[source]) * scores[source];
      if (!kept.contains(row)) {
        ASSERT_LE(sum / weights, least + 1e-6);
      }
    }
  }
}

TEST(ForYou, TheOrderOfInputsDoesNotShow) {
  WorldMaker maker(6);
  for (int round = 0; round < 100; ++round) {
    World world = maker.make();
    for (SubjectItem& item : world.items) item.age_days = std::floor(item.age_days);  // many of one age
    world.options.neighbour_items = world.items.size();
    const Candidates before = world.collected();
    for (auto& list : world.lists) std::ranges::shuffle(list, maker.random());
    std::ranges::shuffle(world.live, maker.random());
    std::ranges::shuffle(world.items, maker.random());
    std::ranges::stable_sort(world.items, {}, &SubjectItem::age_days);
    const Candidates after = world.collected();
    ASSERT_EQ(after.rows, before.rows);
    ASSERT_EQ(after.scores, before.scores);
  }
}

TEST(ForYou, AStrangerGetsWhatTheListsHave) {
  WorldMaker maker(7);
  for (int round = 0; round < 50; ++round) {
    World world = maker.make();
    world.items.clear();
    world.live.clear();
    world.lists[1].clear();
    world.lists[2].clear();
    const Candidates found = world.collected();
    for (const SourceScores& scores : found.scores) {
      for (const Source source : {Source::kOwn, Source::kVariant, Source::kNeighbour, Source::kContent, Source::kPicture}) {
        ASSERT_EQ(scores[place(source)], 0.0F);
      }
    }
    for (const RowIndex row : found.rows) {
      ASSERT_TRUE(std::ranges::any_of(world.lists, [row](const auto& list) { return std::ranges::find(list, row, &ScoredRow::row) != list.end(); }));
    }
  }
}

TEST(ForYou, WhatTheSubjectHasIsHiddenByRule) {
  World world{.articles = make_catalog(6, 2), .eligible = {}, .items = {}, .neighbours = {}, .live = {}, .lists = {}, .options = {}};
  world.items = {{.row = {0}, .age_days = 0, .weight = 5, .bought = true}, {.row = {2}, .age_days = 1, .weight = 1, .bought = false}};
  world.lists[4] = {{{0}, 9}, {{2}, 8}, {{4}, 7}};
  using Rows = std::vector<RowIndex>;
  EXPECT_EQ(world.collected().rows, (Rows{{0}, {1}, {2}, {3}, {4}}));
  world.options.own = {.show_bought = false, .show_seen = true};
  EXPECT_EQ(world.collected().rows, (Rows{{1}, {2}, {3}, {4}}));  // 0 is popular, and hidden all the same; its colour stays
  world.options.own = {.show_bought = true, .show_seen = false};
  EXPECT_EQ(world.collected().rows, (Rows{{0}, {1}, {3}, {4}}));
  world.items = {{.row = {0}, .age_days = 0, .weight = 5, .bought = true}, {.row = {1}, .age_days = 1, .weight = 5, .bought = true}};
  world.options.own = {};
  const Candidates both = world.collected();  // each is the other's colour
  EXPECT_GT(both.scores[0][place(Source::kVariant)], 0.0F);
  EXPECT_GT(both.scores[1][place(Source::kVariant)], both.scores[0][place(Source::kVariant)]);
  EXPECT_GT(both.scores[0][place(Source::kOwn)], both.scores[1][place(Source::kOwn)]);
}

TEST(ForYou, WhatWasDoneLongAgoFadesIntoWhatIsPopular) {
  World world{.articles = make_catalog(4, 1), .eligible = {}, .items = {}, .neighbours = {}, .live = {}, .lists = {}, .options = {}};
  world.lists[4] = {{{3}, 1}};
  double before = 1;
  for (const float age : {0.0F, 3.0F, 30.0F, 300.0F}) {
    world.items = {{.row = {0}, .age_days = age, .weight = 5, .bought = true}};
    const auto found = world.collected();
    const auto blended = blend(found.scores, world.options.weights);
    ASSERT_EQ(found.rows.front(), RowIndex{0});
    EXPECT_LT(blended.front(), before);
    before = blended.front();
  }
  const auto blended = blend(world.collected().scores, world.options.weights);
  EXPECT_LT(blended.front(), blended.back());
  world.items.front().age_days = 30'000;  // in the end nothing is left
  EXPECT_EQ(world.collected().rows, std::vector<RowIndex>{{3}});
}

TEST(ForYou, NamesAndSettings) {
  EXPECT_EQ(to_string(Source::kOwn), "own");
  EXPECT_EQ(to_string(Source::kNeighbour), "bought_together");
  EXPECT_EQ(to_string(Source::kPopular), "popular");
  EXPECT_TRUE(ForYouOptions{}.validate());
  ForYouOptions options;
  options.weights = {};
  EXPECT_EQ(options.validate().error().field, "weights");
  options.weights[place(Source::kNew)] = -1;
  EXPECT_THAT(options.validate().error().message, HasSubstr("source new"));
  options = {.item_half_life_days = 0};
  EXPECT_EQ(options.validate().error().field, "item_half_life_days");
  options = {.neighbour_items = 101};
  EXPECT_EQ(options.validate().error().field, "neighbour_items");
  options = {.max_candidates = 0};
  EXPECT_EQ(options.validate().error().field, "max_candidates");
}

}  // namespace
}  // namespace scalestyle::ranking
