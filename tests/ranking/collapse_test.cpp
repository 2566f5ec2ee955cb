#include "ranking/collapse.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace scalestyle::ranking {
namespace {

catalog::Catalog make_catalog(std::size_t rows, std::size_t products, std::mt19937& random) {
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < rows; ++i) {
    catalog::Article article{catalog::ArticleId::parse(std::to_string(1000 + i)).value()};
    article.product_code = "p" + std::to_string(random() % products);
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

TEST(Collapse, KeepsTheFirstRowOfEachProduct) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const std::size_t size = 1 + random() % 200;
    const auto articles = make_catalog(size, 1 + random() % 90, random);
    std::vector<catalog::RowIndex> rows;
    for (std::uint32_t row = 0; row < size; ++row) rows.push_back({row});
    std::ranges::shuffle(rows, random);
    rows.resize(random() % (size + 1));
    std::vector<std::uint32_t> expected;
    std::set<std::string_view> products;
    for (std::uint32_t place = 0; place < rows.size(); ++place) {
      if (products.insert(articles.row(rows[place]).product_code()).second) expected.push_back(place);
    }
    EXPECT_EQ(collapse(articles, rows), expected);
  }
}

TEST(NumberSet, KeepsWhatItWasGiven) {
  NumberSet set(130);
  for (const std::uint32_t number : {129U, 0U, 63U, 64U}) {
    EXPECT_FALSE(set.contains(number));
    EXPECT_TRUE(set.add(number));
    EXPECT_FALSE(set.add(number));
    EXPECT_TRUE(set.contains(number));
  }
  EXPECT_EQ(set.numbers(), (std::vector<std::uint32_t>{0, 63, 64, 129}));
}

}  // namespace
}  // namespace scalestyle::ranking
