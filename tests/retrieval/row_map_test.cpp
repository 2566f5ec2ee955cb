#include "retrieval/row_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "retrieval/side_vectors.hpp"

namespace scalestyle::retrieval {
namespace {

using catalog::Bitmap;
using catalog::RowIndex;

// Two catalogues of which some rows are the same, at every offset of a word.
TEST(RowMap, CarriesSetsOverAsRowByRow) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random()) % limit; };
    const auto step = [&](unsigned limit) { return below(limit) == 0; };
    const unsigned gap = 2 + below(100);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    while (from < 300 && to < 300) {
      if (step(gap)) ++from;
      if (step(gap)) ++to;
      pairs.emplace_back(from++, to++);
    }
    const std::size_t from_rows = from + below(3);
    const std::size_t to_rows = to + below(3);
    RowMap map(from_rows, to_rows);
    for (const auto& [a, b] : pairs) map.add(a, b);
    Bitmap rows(from_rows);
    for (std::uint32_t row = 0; row < from_rows; ++row) {
      if (step(1 + below(3))) rows.set({row});
    }
    Bitmap expected(to_rows);
    Bitmap all(to_rows);
    for (const auto& [a, b] : pairs) {
      if (rows.test({a})) expected.set({b});
      all.set({b});
    }
    EXPECT_EQ(map.map(rows), expected);
    EXPECT_EQ(map.map_all(), all);
    EXPECT_LE(map.run_count(), pairs.size());
  }
}

TEST(RowMap, OfNothingIsNothing) {
  const RowMap map(70, 5);
  EXPECT_TRUE(map.map_all().none());
  EXPECT_EQ(map.map(Bitmap(70, true)).size(), 5U);
  EXPECT_EQ(RowMap(0, 0).map_all().size(), 0U);
}

TEST(SideVectors, FindsTheBestEligibleRows) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  SideVectors side(16);
  std::vector<std::vector<float>> vectors;
  for (std::uint32_t i = 0; i < 50; ++i) {
    auto vector = std::make_shared<std::vector<float>>(16);
    for (float& value : *vector) value = normal(random);
    if (i % 10 == 9) *vector = vectors.back();  // equal scores
    vectors.push_back(*vector);
    side.add({3 * i}, std::move(vector));
  }
  EXPECT_EQ(side.size(), 50U);
  Bitmap eligible(150);
  for (std::uint32_t row = 0; row < 150; row += 2) eligible.set({row});
  for (const Bitmap* set : {static_cast<const Bitmap*>(nullptr), static_cast<const Bitmap*>(&eligible)}) {
    for (const std::size_t k : {1U, 7U, 100U}) {
      const auto hits = side.search(vectors[9], set, k);
      EXPECT_EQ(hits.size(), std::min<std::size_t>(k, set == nullptr ? 50 : 25));
      for (std::size_t i = 0; i < hits.size(); ++i) {
        double expected = 0;
        for (std::size_t d = 0; d < 16; ++d) {
          expected += static_cast<double>(vectors[hits[i].row.value / 3][d]) * static_cast<double>(vectors[9][d]);
        }
        EXPECT_NEAR(hits[i].score, expected, 1e-4);
        EXPECT_TRUE(set == nullptr || set->test(hits[i].row));
        if (i == 0) continue;
        EXPECT_TRUE(hits[i - 1].score > hits[i].score || (hits[i - 1].score == hits[i].score && hits[i - 1].row < hits[i].row));
      }
    }
  }
}

}  // namespace
}  // namespace scalestyle::retrieval
