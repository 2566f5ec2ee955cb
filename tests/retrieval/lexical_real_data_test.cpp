// Lexical search over the 105,542 articles of the H&M catalogue.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "catalog/table_reader.hpp"
#include "retrieval/lexical_samples.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::retrieval {
namespace {

class LexicalRealData : public testing::Test {
 protected:
  static std::filesystem::path articles() { return support::shared_dir() / "data" / "hm" / "articles.parquet"; }

  void SetUp() override {
    SCALESTYLE_NEED(articles());
    catalog::CatalogBuilder builder;
    const auto read = catalog::read_articles(articles(), {}, [&builder](const catalog::ArticleChunk& chunk) -> core::Status {
      for (const catalog::ArticleRow& row : chunk.accepted) {
        CORE_CHECK(builder.add(row.article));
      }
      return {};
    });
    ASSERT_TRUE(read) << read.error().message;
    catalog_ = std::make_unique<catalog::Catalog>(std::move(builder).build().value());
    index_ = std::make_unique<LexicalIndex>(LexicalIndex::build(*catalog_, {}).value());
  }

  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<LexicalIndex> index_;
};

TEST_F(LexicalRealData, IsSmallAndEqualsScoringEveryRow) {
  EXPECT_LE(index_->memory_bytes(), std::size_t{60'000'000});
  const catalog::Bitmap some = random_rows(catalog_->size(), 0.12, 5);
  for (const char* query : {"black dress", "striped t-shirt for men", "sweatr with hod", "soft cotton jersey", "the", "108775 strap top"}) {
    const LexicalPlan plan = plan_of(*index_, query);
    for (const catalog::Bitmap* filter : {static_cast<const catalog::Bitmap*>(nullptr), &some}) {
      for (const std::size_t k : {100U, 1000U}) {
        ASSERT_EQ(index_->search(plan, filter, k).hits, score_every_row(*index_, plan, catalog_->size(), filter, k)) << query;
      }
    }
  }
}

TEST_F(LexicalRealData, FindsWhatIsAskedFor) {
  const auto first = [this](std::string_view query) {
    const auto hits = index_->search(plan_of(*index_, query), nullptr, 1).hits;
    return hits.empty() ? std::string() : std::string(catalog_->row(hits[0].row).product_type());
  };
  EXPECT_EQ(first("trousers"), "Trousers");
  EXPECT_EQ(first("trousesr"), "Trousers");
  EXPECT_EQ(first("bikini top"), "Bikini top");
  EXPECT_EQ(first("tshirt"), "T-shirt");
  EXPECT_EQ(first("t shirt"), "T-shirt");
  EXPECT_EQ(found_ids(*catalog_, *index_, "108775015"), std::vector<std::string>{"0108775015"});
  EXPECT_EQ(found_ids(*catalog_, *index_, "0108775").size(), 3U);
}

}  // namespace
}  // namespace scalestyle::retrieval
