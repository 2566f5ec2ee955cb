#include "catalog/purchase_reader.hpp"

#include <gmock/gmock.h>

#include "catalog/date.hpp"
#include "catalog/reader_support.hpp"

namespace scalestyle::catalog {
namespace {

using core::ErrorCode;
using testing::HasSubstr;

constexpr const char* kHeader = "t_dat,customer_id,article_id,price,sales_channel_id\n";

class PurchaseFile : public testing::Test {
 protected:
  core::Result<Purchases> read_csv(std::string_view rows, const PurchaseDays& days = {}) {
    return read_purchases(folder_.write("t.csv", std::string(kHeader) + std::string(rows)), days, {});
  }
  static std::string shown(const Purchases& purchases) {
    std::string text;
    for (const Purchase& purchase : purchases.purchases) {
      text += format_date(purchase.day) + " " + purchases.customers[purchase.customer] + " " +
              purchases.articles[purchase.article].text() + "\n";
    }
    return text;
  }
  InputFolder folder_;
};

TEST_F(PurchaseFile, IsReadByDayInTheFilesOrder) {
  const auto purchases = read_csv(
      "2020-09-17,b,108775015,1,1\n2020-09-16,a,x,1,1\n2020-09-17,\"a\",0108775015,1,1\n2020-09-16 23:59:59,b,x,1,1\n");
  ASSERT_TRUE(purchases) << purchases.error().message;
  EXPECT_EQ(shown(*purchases), "2020-09-16 a x\n2020-09-16 b x\n2020-09-17 b 0108775015\n2020-09-17 a 0108775015\n");
  EXPECT_EQ(purchases->customers.size(), 2U);
  EXPECT_EQ(purchases->articles.size(), 2U);  // two spellings are one article
  EXPECT_EQ(purchases->rows_read, 4U);
  EXPECT_EQ(purchases->rejected, 0U);
}

TEST_F(PurchaseFile, OnlyTheDaysAskedForAreKept) {
  const auto purchases = read_csv("2020-09-15,a,x,1,1\n2020-09-16,a,x,1,1\n2020-09-17,a,x,1,1\n2020-09-18,a,x,1,1\n",
                                  {.from = parse_date("2020-09-16"), .to = parse_date("2020-09-17")});
  ASSERT_TRUE(purchases) << purchases.error().message;
  EXPECT_EQ(shown(*purchases), "2020-09-16 a x\n2020-09-17 a x\n");
  EXPECT_EQ(purchases->rows_read, 4U);
  const auto none = read_csv("2020-09-15,a,x,1,1\n", {.from = parse_date("2020-09-16")});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("within the days asked for"));
}

TEST_F(PurchaseFile, BadRowsAreCountedWithTheirLines) {
  const auto purchases = read_csv("2020-09-16,a,x,1,1\n2020-13-16,a,x,1,1\n2020-09-16,,x,1,1\n2020-09-16,a,b d,1,1\n"
                                  "2020-09-16,a\n2020-09-16,\xE9,x,1,1\n2020-09-16,\"a,x,1,1\n2020-09-17,b,x,1,1\n");
  ASSERT_TRUE(purchases) << purchases.error().message;
  EXPECT_EQ(purchases->purchases.size(), 2U);
  EXPECT_EQ(purchases->rows_read, 8U);
  EXPECT_EQ(purchases->rejected, 6U);
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const RejectedRow& row : purchases->examples) found.emplace_back(row.line, row.column);
  EXPECT_THAT(found, testing::ElementsAre(std::pair(3, "t_dat"), std::pair(4, "customer_id"), std::pair(5, "article_id"),
                                          std::pair(6, ""), std::pair(7, "customer_id"), std::pair(8, "")));
}

TEST_F(PurchaseFile, ParquetHasTheSameMeaning) {
  const auto file = folder_.write_parquet(
      "t.parquet",
      "SELECT * FROM (VALUES (DATE '2020-09-17', 'b', 108775015), (DATE '2020-09-16', 'a', 7), (NULL, 'a', 7), "
      "(DATE '2020-09-16', NULL, 7), (DATE '2020-09-16', 'a', NULL)) AS rows(t_dat, customer_id, article_id)");
  const auto purchases = read_purchases(file, {}, {});
  ASSERT_TRUE(purchases) << purchases.error().message;
  EXPECT_EQ(shown(*purchases), "2020-09-16 a 0000000007\n2020-09-17 b 0108775015\n");
  EXPECT_EQ(purchases->rejected, 3U);
}

TEST_F(PurchaseFile, UnusableFilesAreNamed) {
  const auto missing = read_purchases(folder_ / "none.csv", {}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto column = read_purchases(folder_.write("c.csv", "t_dat,article_id\n2020-09-16,x\n"), {}, {});
  ASSERT_FALSE(column);
  EXPECT_THAT(column.error().message, testing::AllOf(HasSubstr("c.csv"), HasSubstr("customer_id is missing")));
  const auto empty = read_csv("bad,a,x,1,1\n");
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().message, HasSubstr("no usable purchase among 1 rows (1 rejected)"));
}

}  // namespace
}  // namespace scalestyle::catalog
