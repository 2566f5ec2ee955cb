#include "adapters/redis/catalogue_blocks.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "adapters/redis/catalogue_keys.hpp"
#include "adapters/redis/catalogue_manifest.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::adapters::redis {
namespace {

catalog::Catalog catalogue_of(std::size_t count) {
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < count; ++i) {
    auto article = support::sample_article(std::to_string(1'000 + i));
    if (i % 3 != 0) article.price = 0.1 * static_cast<double>(i);
    article.purchase_count = i * i;
    article.available = i % 4 != 0;
    if (i % 2 == 0) article.image_path = "001/" + article.id.text() + ".jpg";
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

core::Result<std::vector<catalog::Article>> unpacked(std::string_view block, std::size_t count) {
  std::vector<catalog::Article> articles;
  const auto done = unpack_articles(block, "a key", count, [&](const catalog::Article& article) -> core::Status {
    articles.push_back(article);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return articles;
}

TEST(CatalogueBlocks, ArticlesComeBackAsTheyWere) {
  const auto catalogue = catalogue_of(40);
  const auto articles = unpacked(pack_articles(catalogue, 7, 20), 20);
  ASSERT_TRUE(articles) << articles.error().message;
  ASSERT_EQ(articles->size(), 20U);
  for (std::uint32_t i = 0; i < 20; ++i) EXPECT_EQ((*articles)[i], catalogue.row({7 + i}).to_article());
}

TEST(CatalogueBlocks, AnotherNumberOfArticlesIsDamage) {
  const std::string block = pack_articles(catalogue_of(10), 0, 10);
  for (const std::size_t wrong : {0U, 9U, 11U}) {
    const auto read = unpacked(block, wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().code, core::ErrorCode::kDataLoss);
    EXPECT_TRUE(read.error().message.starts_with("a key: "));
  }
}

TEST(CatalogueBlocks, DamagedBytesAreRefusedOrHarmless) {
  const std::string articles = pack_articles(catalogue_of(30), 0, 30);
  const auto neighbours = ranking::ItemNeighbours::make({0, 2, 3, 3}, {{1, 0.5F}, {2, 0.25F}, {0, 0.125F}}).value();
  const std::string packed = pack_neighbours(neighbours, 0, 3);
  std::mt19937 random(7);
  for (int turn = 0; turn < 3'000; ++turn) {
    std::string damaged = turn % 2 == 0 ? articles : packed;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    if (random() % 5 == 0) damaged.resize(random() % damaged.size());
    if (turn % 2 == 0) {
      static_cast<void>(unpacked(damaged, 30));
    } else {
      UnpackedNeighbours read;
      static_cast<void>(unpack_neighbours(damaged, "a key", 3, read));
    }
  }
}

TEST(CatalogueBlocks, NeighboursComeBackAsTheyWere) {
  const auto neighbours = ranking::ItemNeighbours::make({0, 2, 3, 3, 4}, {{1, 0.1F}, {2, 1e-4F}, {0, 1.0F}, {300'000, 0.3F}});
  ASSERT_FALSE(neighbours);  // of an item that there is none of
  const auto right = ranking::ItemNeighbours::make({0, 2, 3, 3, 4}, {{1, 0.1F}, {2, 1e-4F}, {0, 1.0F}, {1, 0.3F}}).value();
  UnpackedNeighbours read;
  ASSERT_TRUE(unpack_neighbours(pack_neighbours(right, 0, 3), "a", 3, read));
  ASSERT_TRUE(unpack_neighbours(pack_neighbours(right, 3, 1), "b", 1, read));
  EXPECT_TRUE(std::ranges::equal(read.begins, right.begins()));
  EXPECT_TRUE(std::ranges::equal(read.neighbours, right.all()));
}

TEST(CatalogueManifest, ComesBackAndIsCheckedByItsHash) {
  CatalogueManifest manifest;
  manifest.info = support::sample_info("g1");
  manifest.info.articles = kArticlesABlock + 1;
  manifest.info.price_scale = 0.1 + 0.2;
  manifest.info.changes_through = 12;
  manifest.info.changes_overruled_ms = 9'223'372'036'854'775'807;
  manifest.info.image_encoder = manifest.info.document_encoder;
  manifest.info.image_vectors = 3;
  manifest.numbering = 0xFEDCBA9876543210;
  manifest.blocks = {std::string(64, 'a'), std::string(64, 'b')};
  manifest.neighbours = CatalogueManifest::Neighbours{.total = 5, .blocks = {std::string(64, 'c')}};
  const std::string text = manifest.to_text();
  const auto read = CatalogueManifest::parse(text, "key");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_text(), text);
  EXPECT_EQ(read->info.price_scale, 0.1 + 0.2);
  EXPECT_EQ(read->numbering, manifest.numbering);
  for (std::size_t at = 0; at < text.size(); at += 7) {
    std::string damaged = text;
    damaged[at] = damaged[at] == 'x' ? 'y' : 'x';
    const auto wrong = CatalogueManifest::parse(damaged, "key");
    ASSERT_FALSE(wrong) << at;
    EXPECT_EQ(wrong.error().code, core::ErrorCode::kDataLoss) << at;
  }
  EXPECT_FALSE(CatalogueManifest::parse(std::string_view(text).substr(0, 200), "key"));
}

TEST(CatalogueKeys, ChangesShareASlotAndGenerationsNamesAreChecked) {
  for (const char* name : {"", ".a", "a b", "a{b}", "a/b", "ü"}) EXPECT_FALSE(is_generation_name(name)) << name;
  EXPECT_FALSE(is_generation_name(std::string(65, 'a')));
  EXPECT_TRUE(is_generation_name("20260301T120000Z-1a2b3c4d"));
  const CatalogueKeys keys{"p:"};
  EXPECT_EQ(keys.item("0000000001"), "p:item:0000000001");
  EXPECT_EQ(keys.change("log"), "p:{catalogue:changes}:log");
  EXPECT_EQ(keys.articles(core::GenerationId("g"), 3), "p:catalogue:g:g:articles:3");
}

}  // namespace
}  // namespace scalestyle::adapters::redis
