#include "catalog/product_counter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace scalestyle::catalog {
namespace {

// Products of up to `most` rows, whose rows are neighbours or not.
Catalog make_catalog(std::size_t rows, std::size_t most, bool neighbours, std::mt19937& random) {
  CatalogBuilder builder;
  std::size_t product = 0;
  std::size_t left = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    if (left == 0) {
      ++product;
      left = 1 + random() % most;
    }
    --left;
    Article article{ArticleId::parse(std::to_string(1000 + i)).value()};
    article.product_code = "p" + std::to_string(neighbours ? product : random() % (rows / most + 1));
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

TEST(ProductCounter, CountsAsASetDoesAtEverySizeAndDensity) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    const std::size_t size = 1 + random() % 400;
    const std::size_t most = random() % 4 == 0 ? 150 : 4;  // products that reach over several words, too
    const auto articles = make_catalog(size, most, random() % 3 != 0, random);
    const ProductCounter counter(articles);
    const std::size_t one_in = 1 + random() % 8;
    Bitmap rows(size);
    std::set<std::uint32_t> products;
    for (std::uint32_t row = 0; row < size; ++row) {
      if (random() % one_in != 0) continue;
      rows.set({row});
      products.insert(articles.product_of({row}));
    }
    EXPECT_EQ(counter.count(rows), products.size());

    const auto list = counter.by_product(rows);
    EXPECT_EQ(list.size(), rows.count());
    std::set<std::uint32_t> ended;
    for (std::size_t i = 0; i < list.size(); ++i) {
      EXPECT_TRUE(rows.test(list[i]));
      const std::uint32_t product = articles.product_of(list[i]);
      if (i > 0 && articles.product_of(list[i - 1]) != product) ended.insert(articles.product_of(list[i - 1]));
      EXPECT_FALSE(ended.contains(product));
    }
  }
}

TEST(ProductCounter, EmptyCatalogueHasNoProducts) {
  const auto articles = CatalogBuilder().build().value();
  EXPECT_EQ(ProductCounter(articles).count(Bitmap(0)), 0U);
}

}  // namespace
}  // namespace scalestyle::catalog
