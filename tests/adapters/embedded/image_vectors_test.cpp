// The vectors of photos in a generation: their files, and searches among the articles that have one.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "adapters/embedded/generation_files.hpp"
#include "adapters/embedded/image_rows.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "generation_support.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kArticles = 500;
constexpr std::size_t kDimension = 20;

class ImageVectorsTest : public ::testing::Test {
 protected:
  ImageVectorsTest() {
    std::mt19937 random(3);
    std::vector<std::uint32_t> rows;
    // Runs of articles with and without a photo, the first and the last among those without.
    for (std::uint32_t row = 1; row + 1 < kArticles; ++row) {
      if (row % 100 < 70 ? random() % 8 != 0 : random() % 8 == 0) rows.push_back(row);
    }
    auto vectors = support::random_vectors(rows.size(), kDimension, 4);
    // Some photos are equal: their scores tie.
    for (std::size_t i = 10; i < 30; ++i) {
      std::ranges::copy(vectors.row(9), vectors.values.begin() + static_cast<std::ptrdiff_t>(i * kDimension));
    }
    photos_ = photos_of(rows, texts_.ids, std::move(vectors));
    manifest_ = write_generation_of(data_.path(), core::GenerationId("g1"), texts_, &photos_);
    write_generation_of(data_.path(), core::GenerationId("texts-only"), texts_);
  }

  core::Status open(const std::string& id) { return core::sync_wait(index_.open(core::GenerationId(id), core::Deadline::never())); }
  core::Result<std::vector<ports::VectorHits>> search(const std::string& id, std::vector<ports::VectorQuery> queries) {
    return core::sync_wait(index_.search(core::GenerationId(id), std::move(queries), core::Deadline::never()));
  }

  // The articles that a plain scan in f64 finds, best first, ties by article.
  [[nodiscard]] std::vector<catalog::ArticleId> brute_force(const ports::VectorQuery& query) const {
    std::vector<std::pair<double, std::size_t>> all;
    for (std::size_t i = 0; i < photos_.rows.size(); ++i) {
      if (query.eligible && !query.eligible->test(photos_.rows[i].row)) continue;
      double score = 0;
      for (std::size_t d = 0; d < kDimension; ++d) {
        score += static_cast<double>(photos_.vectors.row(i)[d]) * static_cast<double>(query.vector[d]);
      }
      all.emplace_back(score, i);
    }
    std::ranges::sort(all, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    std::vector<catalog::ArticleId> ids;
    for (std::size_t i = 0; i < std::min(all.size(), query.k); ++i) ids.push_back(photos_.vectors.ids[all[i].second]);
    return ids;
  }

  support::TemporaryFolder data_;
  support::IndexedVectors texts_ = support::random_vectors(kArticles, 8, 2);
  PhotoCollection photos_;
  GenerationManifest manifest_;
  support::RunningPool pool_{2};
  LocalVectorIndex index_{{.data_dir = data_.path(), .check = FileCheck::kHashes, .collection = VectorCollection::kPhotos},
                          *pool_, pool_.clock()};
};

TEST_F(ImageVectorsTest, SearchesFindTheNearestOfTheEligibleArticlesThatHaveOne) {
  ASSERT_TRUE(open("g1"));
  std::mt19937 random(5);
  std::vector<ports::VectorQuery> queries;
  for (const std::size_t k : {1U, 7U, 100U, 600U}) {
    std::shared_ptr<const catalog::Bitmap> shared;
    for (const unsigned keep : {0U, 2U, 10U, 250U}) {
      ports::VectorQuery query{.vector = support::random_unit_vector(random, kDimension), .k = k, .filter = nullptr, .eligible = nullptr};
      if (keep > 0) {
        catalog::Bitmap bits(kArticles);
        for (std::uint32_t row = 0; row < kArticles; ++row) {
          if (random() % keep == 0) bits.set({row});
        }
        shared = std::make_shared<const catalog::Bitmap>(std::move(bits));
        query.eligible = shared;
      }
      queries.push_back(query);
      if (keep == 2) {  // two queries of one set
        query.vector = support::random_unit_vector(random, kDimension);
        queries.push_back(std::move(query));
      }
    }
  }
  // The equal photos' own vector: ties by article.
  queries.push_back({.vector = {photos_.vectors.row(9).begin(), photos_.vectors.row(9).end()}, .k = 15, .filter = nullptr, .eligible = nullptr});
  const auto found = search("g1", queries);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    SCOPED_TRACE(i);
    std::vector<catalog::ArticleId> ids;
    for (const auto& hit : (*found)[i].hits) ids.push_back(hit.article_id);
    EXPECT_EQ(ids, brute_force(queries[i]));
    EXPECT_TRUE((*found)[i].exact);
  }
  EXPECT_EQ(found->back().hits.front().article_id, photos_.vectors.ids[9]);
}

TEST_F(ImageVectorsTest, EligibleSetsAreOfTheCatalogue) {
  ASSERT_TRUE(open("g1"));
  const std::vector<float> vector(photos_.vectors.row(0).begin(), photos_.vectors.row(0).end());
  const auto wrong = search("g1", {{.vector = vector, .k = 3, .filter = nullptr,
                                    .eligible = std::make_shared<const catalog::Bitmap>(photos_.rows.size(), true)}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, core::ErrorCode::kInvalidArgument);
  // Only articles without a photo are eligible.
  catalog::Bitmap without(kArticles, true);
  for (const auto& row : photos_.rows) without.reset(row.row);
  const auto none = search("g1", {{.vector = vector, .k = 3, .filter = nullptr, .eligible = std::make_shared<const catalog::Bitmap>(without)}});
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_TRUE(none->front().hits.empty());
}

TEST_F(ImageVectorsTest, AnArticlesOwnVectorIsToldWhereItHasOne) {
  ASSERT_TRUE(open("g1"));
  const auto ask = [this](const catalog::ArticleId& id) {
    return core::sync_wait(index_.vector_of(core::GenerationId("g1"), id, core::Deadline::never()));
  };
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < kArticles; ++row) {
    const auto vector = ask(texts_.ids[row]);
    if (next < photos_.rows.size() && photos_.rows[next].row.value == row) {
      ASSERT_TRUE(vector) << vector.error().message;
      EXPECT_TRUE(std::ranges::equal(*vector, photos_.vectors.row(next++)));
    } else {
      ASSERT_FALSE(vector);
      EXPECT_EQ(vector.error().code, core::ErrorCode::kNotFound);
    }
  }
}

TEST_F(ImageVectorsTest, AGenerationWithoutThemOpensAndItsSearchesSayHowToGetThem) {
  ASSERT_TRUE(open("texts-only"));
  const auto searched = search("texts-only", {{.vector = std::vector<float>(kDimension, 0.1F), .k = 3, .filter = nullptr, .eligible = nullptr}});
  ASSERT_FALSE(searched);
  EXPECT_EQ(searched.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(searched.error().message, HasSubstr("vision_enabled=true"));
  const auto vector = core::sync_wait(index_.vector_of(core::GenerationId("texts-only"), texts_.ids[3], core::Deadline::never()));
  EXPECT_EQ(vector.error().code, core::ErrorCode::kFailedPrecondition);
}

TEST_F(ImageVectorsTest, TheManifestKeepsWhatMadeThem) {
  const auto folder = data_ / "generations" / "g1";
  const auto read = read_manifest(folder);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_json(), manifest_.to_json());
  ASSERT_TRUE(read->info.image_encoder);
  EXPECT_EQ(read->info.image_encoder->model, "pictures");
  EXPECT_EQ(read->info.image_vectors, photos_.rows.size());
  EXPECT_EQ(read->images, manifest_.images);
  EXPECT_EQ(read->images.rejected_photos, 2U);
  EXPECT_EQ(read->files.size(), 6U);
  const auto mapped = map_image_vectors(folder, *read, FileCheck::kHashes);
  ASSERT_TRUE(mapped) << mapped.error().message;
  EXPECT_EQ(mapped->rows, photos_.rows);

  const auto without = read_manifest(data_ / "generations" / "texts-only");
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_FALSE(without->info.image_encoder);
  EXPECT_EQ(without->info.image_vectors, 0U);
  EXPECT_EQ(without->files.size(), 3U);
}

TEST_F(ImageVectorsTest, DamagedFilesAreNamed) {
  const auto folder = data_ / "generations" / "g1";
  for (const auto name : {kExactImageVectorsFile, kQuantizedImageVectorsFile, kImageRowsFile}) {
    SCOPED_TRACE(name);
    const std::string good = read_bytes(folder / name);
    std::string flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
    for (const std::optional<std::string>& bytes :
         {std::optional(flipped), std::optional(good.substr(0, good.size() - 1)), std::optional(good + "x"), std::optional<std::string>()}) {
      if (bytes) write_bytes(folder / name, *bytes);
      else std::filesystem::remove(folder / name);
      const auto status = open("g1");
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, core::ErrorCode::kDataLoss);
      EXPECT_THAT(status.error().message, HasSubstr((folder / name).string()));
    }
    write_bytes(folder / name, good);
  }
  EXPECT_TRUE(open("g1"));
}

TEST_F(ImageVectorsTest, EveryDamagedByteOfTheRowsIsFound) {
  const auto path = data_ / "rows.bin";
  const std::vector<ImageRow> rows(photos_.rows.begin(), photos_.rows.begin() + 5);
  ASSERT_TRUE(write_image_rows(path, rows));
  const std::string good = read_bytes(path);
  EXPECT_EQ(good.size(), 32U + 5U * 24U);
  EXPECT_EQ(*read_image_rows(path, kArticles), rows);
  EXPECT_FALSE(read_image_rows(path, 4));
  EXPECT_FALSE(read_image_rows(path, rows.back().row.value));  // its row is no article
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 16);
    write_bytes(path, bad);
    EXPECT_FALSE(read_image_rows(path, kArticles)) << at;
  }
  for (std::size_t size = 0; size < good.size(); size += 5) {
    write_bytes(path, good.substr(0, size));
    EXPECT_FALSE(read_image_rows(path, kArticles)) << size;
  }
  const std::vector<ImageRow> unordered{rows[1], rows[0]};
  ASSERT_TRUE(write_image_rows(path, unordered));
  EXPECT_FALSE(read_image_rows(path, kArticles));
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
