// Vectors that need not be computed: those of the served generation (--update) and those of a file (--embeddings).

#include <gmock/gmock.h>

#include "adapters/embedded/catalog_file.hpp"
#include "catalog/product_text.hpp"
#include "catalog/reader_support.hpp"
#include "ingest/ingest_fixture.hpp"

namespace scalestyle::ingest {
namespace {

using adapters::embedded::FileCheck;
using ::testing::Contains;
using ::testing::HasSubstr;

class ReuseTest : public IngestFixture {
 protected:
  // The vector of each article of the current generation, by id.
  std::map<std::string, std::vector<float>> current_vectors() {
    std::map<std::string, std::vector<float>> vectors;
    const auto manifest = adapters::embedded::read_manifest(current_folder());
    EXPECT_TRUE(manifest) << manifest.error().message;
    const auto mapped = adapters::embedded::map_vectors(current_folder(), *manifest, FileCheck::kHashes);
    EXPECT_TRUE(mapped) << mapped.error().message;
    const auto ids = adapters::embedded::read_article_ids(current_folder() / adapters::embedded::kCatalogFile, manifest->info.articles);
    EXPECT_TRUE(ids) << ids.error().message;
    for (std::size_t row = 0; row < ids->size(); ++row) {
      const auto vector = mapped->exact.row(row);
      vectors[(*ids)[row].text()] = {vector.begin(), vector.end()};
    }
    return vectors;
  }

  // The vector that the hashing encoder makes of a shirt of articles_csv().
  std::vector<float> encoded(int number, const std::string& suffix = "") {
    support::RunningPool pool(1);
    const support::HashingTextEncoder encoder(*pool, 16, precision_);
    const int base = number % 5 == 4 ? number - 1 : number;
    auto id = catalog::ArticleId::parse(std::to_string(500000000 + number));
    catalog::Article article{.id = *id, .product_code = "", .name = fmt::format("Shirt {}", base % 7),
                             .description = fmt::format("A shirt of kind {}{}", base, suffix)};
    article[catalog::Attribute::kProductType] = "Shirt";
    article[catalog::Attribute::kColour] = "Blue";
    return encoder.vector_of(catalog::product_text_v1(article));
  }

  static std::string sql_vector(const std::vector<float>& vector, float scale = 1) {
    std::string text = "[";
    for (const float value : vector) text += fmt::format("{}{:.9g}", text.size() > 1 ? "," : "", value * scale);
    return text + "]::FLOAT[]";
  }

  catalog::InputFolder inputs_;
};

TEST_F(ReuseTest, AnUpdateEmbedsOnlyTheChangedTexts) {
  write_text(options_.articles, articles_csv(23));
  ASSERT_TRUE(run());
  // Two texts are new, one article goes, the others stay.
  std::string csv = articles_csv(22);
  csv += article_line(100, "Something new") + article_line(101, "Something else");
  write_text(options_.articles, csv);
  options_.update = true;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->embedded_texts, 2U);
  EXPECT_EQ(texts_encoded_, 2);
  EXPECT_EQ(summary->reused_texts, summary->distinct_texts - 2);
  const auto updated = current_vectors();

  options_.update = false;
  ASSERT_TRUE(run());
  EXPECT_GT(texts_encoded_, 2);
  EXPECT_EQ(updated, current_vectors());
}

TEST_F(ReuseTest, AnUpdateWithoutChangesEmbedsNothing) {
  write_text(options_.articles, articles_csv(23));
  ASSERT_TRUE(run());
  const auto before = current_vectors();
  options_.update = true;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(texts_encoded_, 0);
  EXPECT_EQ(current_vectors(), before);
}

TEST_F(ReuseTest, AnUpdateWithoutAGenerationEmbedsAll) {
  write_text(options_.articles, articles_csv(5));
  options_.update = true;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->embedded_texts, 4U);
  EXPECT_THAT(summary->notes, Contains(HasSubstr("no generation to update")));
}

TEST_F(ReuseTest, AnUpdateAcrossPrecisionsIsRefused) {
  write_text(options_.articles, articles_csv(5));
  ASSERT_TRUE(run());
  options_.update = true;
  precision_ = "int8";
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("precision int8 instead of f32"));
  EXPECT_THAT(refused.error().message, HasSubstr("leave --update out"));
}

TEST_F(ReuseTest, AnUpdateOfADamagedGenerationNamesTheFile) {
  write_text(options_.articles, articles_csv(5));
  ASSERT_TRUE(run());
  const auto path = current_folder() / "vectors.f32";
  std::string bytes = read_text(path);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  write_text(path, bytes);
  options_.update = true;
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kDataLoss);
  EXPECT_THAT(refused.error().message, HasSubstr(path.string()));
}

TEST_F(ReuseTest, SuppliedVectorsAreCheckedAndTheRestIsEmbedded) {
  write_text(options_.articles, articles_csv(10));
  std::string rows;
  for (int i = 0; i < 6; ++i) {
    // Slightly other than the model's own, as vectors of another precision are.
    auto vector = encoded(i);
    vector[0] += 0.0004F;
    rows += fmt::format("('{}', {}),", 500000000 + i, sql_vector(vector));
  }
  rows += fmt::format("('500000000', {}),", sql_vector(encoded(0)));           // twice
  rows += fmt::format("('500000006', {}),", sql_vector(encoded(6), 1.1F));     // not of unit length
  rows += fmt::format("('500000007', NULL),('500000008', [1.0]::FLOAT[]),");   // missing, too short
  rows += fmt::format("('777', {})", sql_vector(encoded(1)));                  // not in the catalogue
  options_.embeddings = inputs_.write_parquet("vectors.parquet",
                                              "SELECT * FROM (VALUES " + rows + ") AS t(article_id, bge_embedding)");
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->supplied_vectors, 6U);
  EXPECT_EQ(summary->unknown_vectors, 1U);
  EXPECT_EQ(summary->embedded_texts, 3U);  // 6, 7 and 8, whose text 9 shares
  EXPECT_THAT(summary->notes, Contains(HasSubstr("4 articles have no usable vector")));
  std::uint64_t rejected = 0;
  for (const auto& [cause, count] : summary->rejected_by_cause) rejected += count;
  EXPECT_EQ(rejected, 4U);
  EXPECT_EQ(summary->rejected, 0U);  // of the articles
  EXPECT_THAT(read_text(summary->rejects_file), HasSubstr("embeddings,,,vector,\"its length is 1.1, not 1\",0500000006"));
  const auto vectors = current_vectors();
  EXPECT_FLOAT_EQ(vectors.at("0500000002")[0], encoded(2)[0] + 0.0004F);
  EXPECT_EQ(vectors.at("0500000006"), encoded(6));

  // An update reuses a supplied vector for its article while the text is the same, and for no other article.
  options_.update = true;
  options_.embeddings.clear();
  write_text(options_.articles, articles_csv(10) + article_line(50, "A shirt of kind 2"));
  const auto updated = run();
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(updated->embedded_texts, 1U);
  EXPECT_FLOAT_EQ(current_vectors().at("0500000002")[0], encoded(2)[0] + 0.0004F);
}

TEST_F(ReuseTest, VectorsOfAnotherModelAreRefusedWithArticleAndCosine) {
  write_text(options_.articles, articles_csv(10));
  std::string rows;
  for (int i = 0; i < 10; ++i) {
    rows += fmt::format("{}('{}', {})", i == 0 ? "" : ",", 500000000 + i, sql_vector(encoded(i, i == 3 ? " of another text" : "")));
  }
  options_.embeddings = inputs_.write_parquet("vectors.parquet", "SELECT * FROM (VALUES " + rows + ") AS t(article_id, embedding)");
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("article 0500000003 has cosine"));
  EXPECT_FALSE(data().read_current());
}

TEST_F(ReuseTest, VectorsOfAnotherDimensionAreRefused) {
  write_text(options_.articles, articles_csv(3));
  options_.embeddings = inputs_.write_parquet(
      "vectors.parquet", "SELECT * FROM (VALUES ('500000000', [1.0, 0.0]::FLOAT[])) AS t(article_id, embedding)");
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("2 numbers instead of 16"));
}

}  // namespace
}  // namespace scalestyle::ingest
