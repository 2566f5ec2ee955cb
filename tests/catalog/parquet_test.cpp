#include <fmt/format.h>
#include <gmock/gmock.h>

#include "catalog/reader_support.hpp"

namespace scalestyle::catalog {
namespace {

using core::ErrorCode;
using testing::HasSubstr;

class Parquet : public testing::Test {
 protected:
  InputFolder folder_;
};

constexpr const char* kFiveRows =
    "SELECT * FROM (VALUES (108775015, 'Strap top', 12.5, 'White'), (108775044, 'Strap top', NULL, NULL), "
    "(110065001, 'Bra', -1, 'Black'), (108775015, 'Again', 1, 'Red'), (5, 'Last', 'NaN'::DOUBLE, '')) "
    "t(\"Article_ID\", prod_name, price, colour_group_name)";

TEST_F(Parquet, ArticlesWithNumbersForIds) {
  const auto all = read_all_articles(folder_.write_parquet("a.parquet", kFiveRows));
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  ASSERT_EQ(all.accepted.size(), 2U);
  EXPECT_EQ(all.accepted[0].article.id.text(), "0108775015");
  EXPECT_EQ(all.accepted[0].article.price, 12.5);
  EXPECT_EQ(all.accepted[1].article.price, std::nullopt);
  EXPECT_EQ(all.accepted[1].article[Attribute::kColour], "");
  ASSERT_EQ(all.rejected.size(), 3U);
  EXPECT_EQ(all.rejected[0].row_number, 3U);
  EXPECT_EQ(all.rejected[0].column, "price");
  EXPECT_EQ(all.rejected[1].row_number, 4U);
  EXPECT_EQ(all.rejected[1].column, "article_id");
  EXPECT_EQ(all.rejected[2].row_number, 5U);
  EXPECT_EQ(all.rejected[2].line, 0U);
}

TEST_F(Parquet, ShardsAreReadInTheOrderOfTheirNames) {
  std::filesystem::create_directory(folder_ / "shards");
  (void)folder_.write_parquet("shards/part-1.parquet", "SELECT 1 AS article_id, 'one' AS prod_name, 'Red' AS colour_group_name");
  (void)folder_.write_parquet("shards/part-0.parquet", "SELECT 'zero' AS prod_name, 'SKU' AS article_id");
  (void)folder_.write("shards/_SUCCESS", "");
  const auto all = read_all_articles(folder_ / "shards");
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  ASSERT_EQ(all.accepted.size(), 2U);
  EXPECT_EQ(all.accepted[0].article.id.text(), "SKU");
  EXPECT_EQ(all.accepted[1].article.name, "one");
  EXPECT_EQ(all.accepted[1].article[Attribute::kColour], "Red");
}

TEST_F(Parquet, NamesWithQuotesAndWildcards) {
  (void)folder_.write_parquet("a1.parquet", "SELECT 'other' AS article_id, 'other' AS prod_name");
  for (const char* name : {"it's.parquet", "a[1].parquet", "a*.parquet", "a?.parquet", "x \"y\" \\.parquet"}) {
    const auto all = read_all_articles(folder_.write_parquet(name, "SELECT 'this' AS article_id, 'this' AS prod_name"));
    ASSERT_TRUE(all.summary) << name << ": " << all.summary.error().message;
    ASSERT_EQ(all.accepted.size(), 1U) << name;
    EXPECT_EQ(all.accepted[0].article.name, "this");
  }
}

TEST_F(Parquet, DamagedFilesAreOneClearError) {
  const auto whole = folder_.write_parquet("whole.parquet", "SELECT CAST(range AS VARCHAR) AS article_id, repeat('x', 50) || range AS prod_name FROM range(50000)");
  std::ifstream stream(whole, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  const auto expect_error = [&](std::string_view content, ErrorCode code, std::string_view words) {
    const auto all = read_all_articles(folder_.write("bad.parquet", content));
    ASSERT_FALSE(all.summary) << words;
    EXPECT_EQ(all.summary.error().code, code) << all.summary.error().message;
    EXPECT_THAT(all.summary.error().message, HasSubstr(std::string(words)));
    EXPECT_THAT(all.summary.error().message, HasSubstr("bad.parquet"));
  };
  expect_error(bytes.substr(0, bytes.size() / 2), ErrorCode::kDataLoss, "cut short");
  expect_error("PAR1", ErrorCode::kDataLoss, "cut short");
  expect_error("article_id,prod_name\n", ErrorCode::kInvalidArgument, "no Parquet file");
  expect_error("PAR1\x10\x20\x30\x40\x50\x60\x70\x01PAR1", ErrorCode::kDataLoss, "bad.parquet");
  std::string hole = bytes;
  for (std::size_t i = 2000; i < 60000 && i < hole.size() / 2; ++i) hole[i] = static_cast<char>(0xA5);
  expect_error(hole, ErrorCode::kDataLoss, "bad.parquet");
}

TEST_F(Parquet, InspectTellsRowsAndColumns) {
  const auto info = inspect_table(folder_.write_parquet("a.parquet", kFiveRows));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, TableInfo::Kind::kParquet);
  EXPECT_EQ(info->row_count, 5U);
  EXPECT_THAT(info->columns, testing::ElementsAre("Article_ID", "prod_name", "price", "colour_group_name"));
}

struct ReadVectors {
  core::Result<EmbeddingsSummary> summary;
  std::vector<std::string> ids;
  std::vector<float> values;
  std::vector<RejectedRow> rejected;
};

ReadVectors read_vectors(const std::filesystem::path& path, std::size_t expected_dimension = 0) {
  ReadVectors all;
  ReaderOptions options;
  options.chunk_rows = 3;
  all.summary = read_embeddings(path, expected_dimension, options, [&](const EmbeddingChunk& chunk) -> core::Status {
    EXPECT_EQ(chunk.values.size(), chunk.ids.size() * chunk.dimension);
    for (const ArticleId& id : chunk.ids) all.ids.push_back(id.text());
    all.values.insert(all.values.end(), chunk.values.begin(), chunk.values.end());
    all.rejected.insert(all.rejected.end(), chunk.rejected.begin(), chunk.rejected.end());
    return {};
  });
  return all;
}

TEST_F(Parquet, EmbeddingsOfFloatDoubleAndArray) {
  for (const char* type : {"FLOAT[]", "DOUBLE[]", "FLOAT[3]"}) {
    const auto file = folder_.write_parquet(
        "e.parquet", fmt::format("SELECT range AS article_id, CAST([range, 0.5, -range] AS {}) AS embedding FROM range(5000)", type));
    const auto all = read_vectors(file);
    ASSERT_TRUE(all.summary) << type << ": " << all.summary.error().message;
    EXPECT_EQ(all.summary->dimension, 3U);
    EXPECT_EQ(all.summary->vector_column, "embedding");
    ASSERT_EQ(all.ids.size(), 5000U);
    for (std::size_t i = 0; i < all.ids.size(); ++i) {
      ASSERT_EQ(all.ids[i], ArticleId::parse(std::to_string(i))->text());
      ASSERT_EQ(all.values[3 * i], static_cast<float>(i));
      ASSERT_EQ(all.values[3 * i + 1], 0.5F);
      ASSERT_EQ(all.values[3 * i + 2], -static_cast<float>(i));
    }
  }
}

TEST_F(Parquet, BadVectorsAreRejectedRows) {
  const auto file = folder_.write_parquet(
      "e.parquet",
      "SELECT * FROM (VALUES ('1', [1.0, 2.0]::FLOAT[]), ('2', NULL), ('3', [1.0]), ('4', [1.0, 'nan'::FLOAT]), ('5', [1.0, NULL]), "
      "('', [1.0, 2.0]), ('0000000001', [3.0, 4.0]), ('7', [5.0, 6.0])) t(article_id, bge_embedding)");
  const auto all = read_vectors(file);
  ASSERT_TRUE(all.summary) << all.summary.error().message;
  EXPECT_THAT(all.ids, testing::ElementsAre("0000000001", "0000000007"));
  EXPECT_THAT(all.values, testing::ElementsAre(1.F, 2.F, 5.F, 6.F));
  ASSERT_EQ(all.rejected.size(), 6U);
  const char* words[] = {"missing", "1 numbers instead of 2", "not finite", "not finite", "empty", "before"};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(all.rejected[i].row_number, i + 2);
    EXPECT_THAT(all.rejected[i].cause, HasSubstr(words[i]));
  }
  EXPECT_EQ(read_vectors(file, 384).summary->accepted, 0U);
}

TEST_F(Parquet, EmbeddingsNeedTheirColumns) {
  const auto no_vector = read_vectors(folder_.write_parquet("a.parquet", kFiveRows));
  ASSERT_FALSE(no_vector.summary);
  EXPECT_THAT(no_vector.summary.error().message, HasSubstr("the column bge_embedding (or embedding) is missing; found: Article_ID"));
  const auto csv = read_vectors(folder_.write("e.csv", "article_id,embedding\n"));
  ASSERT_FALSE(csv.summary);
  EXPECT_THAT(csv.summary.error().message, HasSubstr("Parquet only"));
  const auto text = read_vectors(folder_.write_parquet("t.parquet", "SELECT 1 AS article_id, 'text' AS embedding"));
  ASSERT_FALSE(text.summary);
}

}  // namespace
}  // namespace scalestyle::catalog
