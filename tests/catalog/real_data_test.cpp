// The readers and the catalogue on the H&M files.

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <limits>
#include <unordered_set>

#include "catalog/catalog.hpp"
#include "catalog/product_text.hpp"
#include "catalog/reader_support.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::catalog {
namespace {

std::filesystem::path hm(const char* name) { return support::shared_dir() / "data" / "hm" / name; }

TEST(RealData, ArticlesParquetWhole) {
  const auto file = hm("articles.parquet");
  SCALESTYLE_NEED(file);
  const auto all = read_all_articles(file);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  EXPECT_EQ(all.summary->rows_read, 105542U);
  EXPECT_EQ(all.summary->rejected, 0U);
  EXPECT_THAT(all.summary->absent_columns, testing::ElementsAre("price"));

  std::unordered_set<TextHash> texts;
  CatalogBuilder builder;
  for (const ArticleRow& row : all.accepted) {
    const std::string text = product_text_v1(row.article);
    EXPECT_EQ(text.find("Description: nan"), std::string::npos);
    texts.insert(hash_text(text));
    ASSERT_TRUE(builder.add(row.article));
  }
  EXPECT_EQ(texts.size(), 99900U);

  const auto catalog = std::move(builder).build();
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->size(), 105542U);
  EXPECT_EQ(catalog->product_count(), 47224U);
  EXPECT_LE(catalog->memory_bytes(), 60'000'000U);
  std::cout << "catalogue of " << catalog->size() << " articles: " << catalog->memory_bytes() / 1000000 << " MB\n";
  for (std::size_t i = 0; i < all.accepted.size(); i += 97) {
    const Article& article = all.accepted[i].article;
    const auto row = catalog->find(article.id);
    ASSERT_TRUE(row);
    EXPECT_EQ(catalog->row(*row).to_article(), article);
  }

  Filter filter;
  filter[FilterField::kColour] = {"black", "Dark Blue"};
  filter[FilterField::kType] = {"dress", "trousers", "sweater"};
  filter.price_max = 1e9;
  std::size_t brute = 0;
  for (const ArticleRow& row : all.accepted) {
    const std::string& colour = row.article[Attribute::kColour];
    const std::string& type = row.article[Attribute::kProductType];
    const bool wanted_type = type == "Dress" || type == "Trousers" || type == "Sweater";
    if (wanted_type && (colour == "Black" || colour == "Dark Blue")) ++brute;
  }
  double best_us = std::numeric_limits<double>::max();
  for (int repeat = 0; repeat < 50; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const Bitmap rows = eligible(*catalog, filter);
    best_us = std::min(best_us, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    EXPECT_TRUE(rows.none()) << "these articles have no price";
  }
  filter.price_max.reset();
  EXPECT_EQ(eligible(*catalog, filter).count(), brute);
  EXPECT_GT(brute, 1000U);
  std::cout << "filter on colour, type and price: " << best_us << " us at best\n";
}

TEST(RealData, SmallCsvAgreesWithParquet) {
  const auto csv_file = hm("articles_small.csv");
  const auto parquet_file = hm("articles.parquet");
  SCALESTYLE_NEED(csv_file);
  SCALESTYLE_NEED(parquet_file);
  const auto csv = read_all_articles(csv_file);
  ASSERT_TRUE(csv.summary) << csv.summary.error().message;
  EXPECT_EQ(csv.summary->rejected, 0U);
  EXPECT_GT(csv.accepted.size(), 1000U);
  const auto parquet = read_all_articles(parquet_file);
  ASSERT_TRUE(parquet.summary);
  std::unordered_map<std::string, const Article*> by_id;
  for (const ArticleRow& row : parquet.accepted) by_id.emplace(row.article.id.text(), &row.article);
  for (const ArticleRow& row : csv.accepted) {
    const auto found = by_id.find(row.article.id.text());
    ASSERT_NE(found, by_id.end()) << row.article.id.text();
    EXPECT_EQ(*found->second, row.article);
  }
}

TEST(RealData, Transactions) {
  const auto file = hm("transactions.parquet");
  SCALESTYLE_NEED(file);
  const auto info = inspect_table(file);
  ASSERT_TRUE(info);
  const auto all = read_all_transactions(file);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  EXPECT_EQ(all.summary->rows_read, info->row_count);
  EXPECT_EQ(all.summary->rejected, 0U);
  EXPECT_GT(all.articles.size(), 1000U);
  std::uint64_t purchases = 0;
  for (const ArticlePurchases& article : all.articles) {
    purchases += article.purchase_count;
    ASSERT_TRUE(article.mean_price);
    EXPECT_GT(*article.mean_price, 0.0004);
    EXPECT_LT(*article.mean_price, 0.6);
    EXPECT_EQ(article.last_date.size(), 10U);
  }
  EXPECT_EQ(purchases, all.summary->rows_read);
}

}  // namespace
}  // namespace scalestyle::catalog
