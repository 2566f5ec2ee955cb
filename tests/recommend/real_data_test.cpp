// All-time popularity of the H&M sample: by real counts of purchases.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "catalog/table_reader.hpp"
#include "recommend/board_samples.hpp"
#include "recommend/popularity_board.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::recommend {
namespace {

std::filesystem::path hm(const char* name) { return support::shared_dir() / "data" / "hm" / name; }

TEST(RealPopularity, TheGlobalListIsByCountsOfPurchases) {
  SCALESTYLE_NEED(hm("articles.parquet"));
  SCALESTYLE_NEED(hm("transactions.parquet"));
  std::map<std::string, std::uint64_t> counts;
  const auto count = [&](const catalog::ArticlePurchases& article) -> core::Status {
    counts[article.id.text()] = article.purchase_count;
    return {};
  };
  const auto transactions = catalog::read_transactions(hm("transactions.parquet"), {}, count);
  ASSERT_TRUE(transactions) << transactions.error().message;
  catalog::CatalogBuilder builder;
  const auto add = [&](const catalog::ArticleChunk& chunk) -> core::Status {
    for (catalog::ArticleRow& row : chunk.accepted) {
      if (const auto found = counts.find(row.article.id.text()); found != counts.end()) row.article.purchase_count = found->second;
      CORE_CHECK(builder.add(row.article));
    }
    return {};
  };
  ASSERT_TRUE(catalog::read_articles(hm("articles.parquet"), {}, add));
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->info.purchases_from = transactions->first_date;
  snapshot->info.purchases_to = transactions->last_date;
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  std::cout << transactions->rows_read << " purchases from " << transactions->first_date << " to " << transactions->last_date << "\n";
  EXPECT_EQ(transactions->first_date, "2020-09-16");
  EXPECT_EQ(transactions->last_date, "2020-09-20");

  const PopularityBoard board(snapshot, {});
  const PopularFallback found = board.fallback(nullptr, 1'000, kNowMs);
  EXPECT_EQ(found.tier, PopularityTier::kGlobal);
  ASSERT_EQ(found.list.rows.size(), 1'000U);
  std::vector<std::pair<std::uint64_t, std::string>> expected;
  for (const auto& [id, purchases] : counts) {
    if (snapshot->catalog->find(id)) expected.emplace_back(purchases, id);
  }
  EXPECT_EQ(found.list.matching, expected.size());
  std::ranges::sort(expected, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (std::size_t i = 0; i < found.list.rows.size(); ++i) {
    ASSERT_EQ(snapshot->catalog->row(found.list.rows[i].row).id(), expected[i].second) << "place " << i;
  }
  EXPECT_GT(expected.front().first, expected[500].first);
}

}  // namespace
}  // namespace scalestyle::recommend
