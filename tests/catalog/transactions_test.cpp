#include <gmock/gmock.h>

#include "catalog/reader_support.hpp"

namespace scalestyle::catalog {
namespace {

using core::ErrorCode;
using testing::HasSubstr;

class Transactions : public testing::Test {
 protected:
  InputFolder folder_;
};

constexpr const char* kHeader = "t_dat,customer_id,article_id,price,sales_channel_id\n";

TEST_F(Transactions, AddsUpByCanonicalId) {
  const auto file = folder_.write("t.csv", std::string("\xEF\xBB\xBF") + kHeader +
                                               "2018-09-20,c1,108775015,10.5,2\r\n"
                                               "2018-09-22,c2,0108775015,11.5,1\r\n"
                                               "2018-09-21,\"c,\n3\",108775015,,1\r\n"
                                               "2018-09-21,c4,SKU-1,-1,1\r\n"
                                               "bad date,c4,SKU-1,nan,1\r\n");
  const auto all = read_all_transactions(file);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  ASSERT_EQ(all.articles.size(), 2U);
  EXPECT_EQ(all.articles[0].id.text(), "0108775015");
  EXPECT_EQ(all.articles[0].purchase_count, 3U);
  EXPECT_EQ(all.articles[0].mean_price, 11.0);
  EXPECT_EQ(all.articles[0].last_date, "2018-09-22");
  EXPECT_EQ(all.articles[1].id.text(), "SKU-1");
  EXPECT_EQ(all.articles[1].purchase_count, 2U);
  EXPECT_EQ(all.articles[1].mean_price, std::nullopt);
  EXPECT_EQ(all.articles[1].last_date, "2018-09-21");
  EXPECT_EQ(all.summary->rows_read, 5U);
  EXPECT_EQ(all.summary->rejected, 0U);
  EXPECT_EQ(all.summary->without_price, 3U);
  EXPECT_EQ(all.summary->first_date, "2018-09-20");
  EXPECT_EQ(all.summary->last_date, "2018-09-22");
}

TEST_F(Transactions, DaysThatTheCalendarLacksAreNone) {
  const auto file = folder_.write("t.csv", std::string(kHeader) +
                                               "2018-02-30,c1,1,1,1\n2018-13-01,c1,1,1,1\n0000-00-00,c1,1,1,1\n"
                                               "2018-02-28T10:00:00,c1,2,1,1\n9999-99-99,c1,2,1,1\n2018,c1,2,1,1\n");
  const auto all = read_all_transactions(file);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  EXPECT_EQ(all.articles.at(0).last_date, "");
  EXPECT_EQ(all.articles.at(1).last_date, "2018-02-28");
  EXPECT_EQ(all.summary->first_date, "2018-02-28");
  EXPECT_EQ(all.summary->last_date, "2018-02-28");
  const auto none = read_all_transactions(folder_.write("n.csv", "article_id\n1\n"));
  ASSERT_TRUE(none.summary);
  EXPECT_EQ(none.summary->first_date, "");
  EXPECT_EQ(none.summary->last_date, "");
}

TEST_F(Transactions, DaysBeyondFourDigitYearsAreNone) {
  const auto all = read_all_transactions(folder_.write_parquet(
      "t.parquet", "SELECT * FROM (VALUES (DATE '10020-01-01', 'x'), (DATE 'infinity', 'x'), (DATE '2020-05-01', 'y'), "
                   "(DATE '2020-04-01', 'z')) AS rows(t_dat, article_id)"));
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  EXPECT_EQ(all.articles.at(0).last_date, "");
  EXPECT_EQ(all.summary->first_date, "2020-04-01");
  EXPECT_EQ(all.summary->last_date, "2020-05-01");
}

TEST_F(Transactions, BadRowsAreCountedAndGoodOnesKept) {
  const auto file = folder_.write("t.csv", std::string(kHeader) +
                                               "2018-09-20,c1,1,1.0,2\n"
                                               "2018-09-20,c1\n"
                                               "2018-09-20,c1,1,2.0,2,9,9\n"
                                               "2018-09-20,c1,,2.0,2\n"
                                               "2018-09-20,c1,b d,2.0,2\n"
                                               "2018-09-20,c1,\xE9\xE9,2.0,2\n"
                                               "2018-09-20,\"c1,1,2.0,2\n"
                                               "2018-09-20,c1,1,3.0,2\n");
  const auto all = read_all_transactions(file);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  ASSERT_EQ(all.articles.size(), 1U);
  EXPECT_EQ(all.articles[0].purchase_count, 2U);
  EXPECT_EQ(all.articles[0].mean_price, 2.0);
  EXPECT_EQ(all.summary->rows_read, 8U);
  EXPECT_EQ(all.summary->rejected, 6U);
  std::vector<std::uint64_t> lines;
  for (const RejectedRow& row : all.summary->examples) {
    lines.push_back(row.line);
    EXPECT_EQ(row.row_number, row.line - 1);
  }
  EXPECT_THAT(lines, testing::ElementsAre(3, 4, 5, 6, 7, 8));
}

TEST_F(Transactions, ParquetWithNativeTypes) {
  const auto file = folder_.write_parquet(
      "t.parquet",
      "SELECT DATE '2020-01-01' + CAST(range % 10 AS INTEGER) AS t_dat, 100 + range % 7 AS article_id, "
      "CAST(range % 5 AS DOUBLE) / 8 AS price FROM range(100000)");
  const auto one = read_all_transactions(file);
  ASSERT_TRUE(one.summary) << one.summary.error().message;
  ASSERT_EQ(one.articles.size(), 7U);
  std::uint64_t purchases = 0;
  for (const ArticlePurchases& article : one.articles) {
    purchases += article.purchase_count;
    EXPECT_NEAR(*article.mean_price, 0.25, 1e-4);
    EXPECT_EQ(article.last_date, "2020-01-10");
  }
  EXPECT_EQ(one.summary->first_date, "2020-01-01");
  EXPECT_EQ(one.summary->last_date, "2020-01-10");
  EXPECT_EQ(purchases, 100000U);
  ReaderOptions single;
  single.threads = 1;
  const auto two = read_all_transactions(file, single);
  ASSERT_EQ(two.articles.size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(one.articles[i].mean_price, two.articles[i].mean_price);
}

TEST_F(Transactions, TimestampsAndMissingColumns) {
  const auto stamped = read_all_transactions(folder_.write_parquet(
      "s.parquet", "SELECT TIMESTAMP '2020-03-04 05:06:07' AS t_dat, 'x' AS article_id"));
  ASSERT_TRUE(stamped.summary) << stamped.summary.error().message;
  EXPECT_EQ(stamped.articles.at(0).last_date, "2020-03-04");
  EXPECT_EQ(stamped.articles.at(0).mean_price, std::nullopt);
  const auto no_id = read_all_transactions(folder_.write("t.csv", "t_dat,price\n2020-01-01,1\n"));
  ASSERT_FALSE(no_id.summary);
  EXPECT_EQ(no_id.summary.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(no_id.summary.error().message, HasSubstr("article_id is missing; found: t_dat, price"));
}

TEST_F(Transactions, NamesWithQuotesAndWildcards) {
  for (const char* name : {"it's.csv", "a[1]*?.csv"}) {
    const auto all = read_all_transactions(folder_.write(name, std::string(kHeader) + "2018-09-20,c1,1,1.0,2\n"));
    ASSERT_TRUE(all.summary) << name << ": " << all.summary.error().message;
    EXPECT_EQ(all.articles.size(), 1U);
  }
}

}  // namespace
}  // namespace scalestyle::catalog
