#include <gmock/gmock.h>

#include "catalog/reader_support.hpp"

namespace scalestyle::catalog {
namespace {

using core::ErrorCode;
using testing::HasSubstr;

class ArticlesCsv : public testing::Test {
 protected:
  ReadArticles read(std::string_view content, const std::string& name = "articles.csv") {
    return read_all_articles(folder_.write(name, content));
  }
  void expect_unusable(std::string_view content, ErrorCode code, std::string_view words) {
    const auto all = read(content);
    ASSERT_FALSE(all.summary) << content.substr(0, 40);
    EXPECT_EQ(all.summary.error().code, code);
    EXPECT_THAT(all.summary.error().message, HasSubstr(std::string(words)));
    EXPECT_THAT(all.summary.error().message, HasSubstr("articles.csv"));
  }
  InputFolder folder_;
};

TEST_F(ArticlesCsv, ColumnsByNameInAnyOrderAndCase) {
  const auto all = read("extra,PROD_NAME,Article_Id,colour_group_name,detail_desc,price\nx,Linen shirt,108775015,White,\"In linen,\nsoft\",19.99\n");
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  ASSERT_EQ(all.accepted.size(), 1U);
  const Article& article = all.accepted[0].article;
  EXPECT_EQ(article.id.text(), "0108775015");
  EXPECT_EQ(article.product_code, "0108775015");
  EXPECT_EQ(article.name, "Linen shirt");
  EXPECT_EQ(article[Attribute::kColour], "White");
  EXPECT_EQ(article.description, "In linen,\nsoft");
  EXPECT_EQ(article.price, 19.99);
  EXPECT_THAT(all.summary->absent_columns, testing::Contains("product_type_name"));
  EXPECT_THAT(all.summary->absent_columns, testing::Not(testing::Contains("price")));
}

TEST_F(ArticlesCsv, BomAndCrlf) {
  const auto all = read("\xEF\xBB\xBF" "article_id,prod_name\r\n0000000001,a\r\n0000000002,b\r\n");
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  ASSERT_EQ(all.accepted.size(), 2U);
  EXPECT_EQ(all.accepted[1].article.name, "b");
}

TEST_F(ArticlesCsv, EveryBadRowIsNamedAndNoGoodOneLost) {
  std::string csv = "article_id,prod_name,detail_desc,price\n";
  csv += "1,good,,\n";                                              // row 1, line 2
  csv += ",no id,,\n";                                              // row 2
  csv += "a b,blank in id,,\n";                                     // row 3
  csv += "0000000001,repeated,,\n";                                 // row 4
  csv += "5,latin \xE9,,\n";                                        // row 5
  csv += "6,too few\n";                                             // row 6
  csv += "7,too,many,1,fields\n";                                   // row 7
  csv += "8,price,,-1\n9,price,,nan\n10,price,,inf\n11,price,,1e999\n12,price,,12.5 EUR\n";  // rows 8-12
  csv += "13,\"broken \"quote,,\n";                                 // row 13
  csv += "14," + std::string(501, 'n') + ",,\n";                    // row 14
  csv += "15,long," + std::string(5001, 'd') + ",\n";               // row 15
  csv += "16,\"two\nlines\",kept, 7 \n";                            // row 16, lines 17-18
  csv += "17,two below,,\n";                                        // row 17
  csv += "18,last,\"cut sho";                                       // row 18, line 20
  const auto all = read(csv);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  std::vector<std::string> names;
  for (const ArticleRow& row : all.accepted) names.push_back(row.article.name);
  EXPECT_THAT(names, testing::ElementsAre("good", "two\nlines", "two below"));
  EXPECT_EQ(all.accepted[1].row_number, 16U);
  EXPECT_EQ(all.accepted[1].article.price, 7.0);

  const std::tuple<std::uint64_t, const char*, const char*> expected[] = {
      {2, "article_id", "empty"},     {3, "article_id", "visible ASCII"}, {4, "article_id", "before"},
      {5, "prod_name", "UTF-8"},      {6, "", "2 fields; the header has 4"}, {7, "", "5 fields; the header has 4"},
      {8, "price", "finite"},         {9, "price", "finite"},             {10, "price", "finite"},
      {11, "price", "finite"},        {12, "price", "finite"},            {13, "", "closing quote"},
      {14, "prod_name", "501 bytes"}, {15, "detail_desc", "5001 bytes"},  {18, "", "not closed"},
  };
  ASSERT_EQ(all.rejected.size(), std::size(expected));
  for (std::size_t i = 0; i < all.rejected.size(); ++i) {
    const auto& [row_number, column, words] = expected[i];
    EXPECT_EQ(all.rejected[i].row_number, row_number);
    EXPECT_EQ(all.rejected[i].line, row_number + (row_number > 16 ? 2 : 1));
    EXPECT_EQ(all.rejected[i].column, column);
    EXPECT_THAT(all.rejected[i].cause, HasSubstr(words));
  }
  EXPECT_EQ(all.rejected[3].excerpt, "latin \\xE9");
  EXPECT_LE(all.rejected[13].excerpt.size(), 80U);
}

TEST_F(ArticlesCsv, ZeroByteFarFromTheHeadIsARejectedRow) {
  std::string csv = "article_id,prod_name\n";
  for (int i = 0; i < 10000; ++i) csv += std::to_string(i) + ",name\n";
  csv += std::string("10000,ze\0ro\n", 12);
  const auto all = read(csv);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  EXPECT_EQ(all.accepted.size(), 10000U);
  ASSERT_EQ(all.rejected.size(), 1U);
  EXPECT_EQ(all.rejected[0].row_number, 10001U);
  EXPECT_THAT(all.rejected[0].cause, HasSubstr("zero byte"));
}

TEST_F(ArticlesCsv, HeaderAloneIsAnEmptyTable) {
  const auto all = read("article_id,prod_name\n");
  ASSERT_TRUE(all.summary);
  EXPECT_EQ(all.summary->rows_read, 0U);
}

TEST_F(ArticlesCsv, MissingColumnIsNamedWithWhatWasFound) {
  expect_unusable("article_id,title\n1,a\n", ErrorCode::kInvalidArgument, "column prod_name is missing; found: article_id, title");
  expect_unusable("prod_name\nx\n", ErrorCode::kInvalidArgument, "column article_id is missing");
  expect_unusable("article_id,prod_name,Prod_Name\n1,a,b\n", ErrorCode::kInvalidArgument, "prod_name occurs twice");
  expect_unusable("article_id;prod_name\n1;a\n", ErrorCode::kInvalidArgument, "found: article_id;prod_name");
}

TEST_F(ArticlesCsv, UnusableFilesAreOneClearError) {
  expect_unusable("", ErrorCode::kInvalidArgument, "is empty");
  expect_unusable("\n\n", ErrorCode::kInvalidArgument, "no header");
  expect_unusable(std::string("\x7F" "ELF\0\0\1", 7), ErrorCode::kInvalidArgument, "zero bytes");
  expect_unusable("\xFF\xFE" "a", ErrorCode::kInvalidArgument, "UTF-16");
  expect_unusable("PK\x03\x04zip", ErrorCode::kInvalidArgument, "compressed");
  expect_unusable("\xC0\xC1,\xFF\n", ErrorCode::kInvalidArgument, "not UTF-8");
  expect_unusable(std::string(100000, 'x'), ErrorCode::kInvalidArgument, "too long");
  expect_unusable("\"article_id", ErrorCode::kInvalidArgument, "malformed header");
  const auto missing = read_all_articles(folder_.path() / "nowhere.csv");
  ASSERT_FALSE(missing.summary);
  EXPECT_EQ(missing.summary.error().code, ErrorCode::kNotFound);
  const auto directory = read_all_articles(folder_.path());
  ASSERT_FALSE(directory.summary);
  EXPECT_THAT(directory.summary.error().message, HasSubstr("folder without *.parquet"));
}

TEST_F(ArticlesCsv, AnyBytesEndInAnAnswer) {
  std::uint64_t state = 7;
  for (int round = 0; round < 300; ++round) {
    std::string csv = "article_id,prod_name\n";
    for (int i = 0; i < 200; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      csv += static_cast<char>(1 + (state >> 33) % 255);
    }
    const auto all = read(csv);
    ASSERT_TRUE(all.summary);
  }
}

TEST_F(ArticlesCsv, TheSinkCanStop) {
  const auto file = folder_.write("articles.csv", "article_id,prod_name\n1,a\n2,b\n");
  ReaderOptions options;
  options.chunk_rows = 1;
  int calls = 0;
  const auto summary = read_articles(file, options, [&](const ArticleChunk&) -> core::Status {
    ++calls;
    return core::fail(ErrorCode::kCancelled, "enough");
  });
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().message, "enough");
  EXPECT_EQ(calls, 1);
}

TEST_F(ArticlesCsv, NamesWithQuotesAndWildcards) {
  for (const char* name : {"it's.csv", "a[1]*?.csv", "två \"x\".csv"}) {
    const auto all = read("article_id,prod_name\n1,a\n", name);
    ASSERT_TRUE(all.summary) << name << ": " << all.summary.error().message;
    EXPECT_EQ(all.accepted.size(), 1U);
  }
}

}  // namespace
}  // namespace scalestyle::catalog
