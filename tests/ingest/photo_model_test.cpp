// The photos of the sample catalogue through a small CLIP: ingested, searched, and ingested again.

#include <gmock/gmock.h>

#include <set>

#include "adapters/embedded/local_image_encoder.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "catalog/sample.hpp"
#include "core/task.hpp"
#include "ingest/ingest_fixture.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::ingest {
namespace {

using adapters::embedded::LocalImageEncoder;
using adapters::embedded::LocalVectorIndex;

class PhotoModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SCALESTYLE_NEED(model_dir());
    const auto sample = catalog::write_sample(folder_ / "sample", {.products = 12, .seed = 3});
    ASSERT_TRUE(sample) << sample.error().message;
    articles_ = sample->articles;
  }

  static std::filesystem::path model_dir() { return support::shared_dir() / "golden" / "clip"; }

  core::Result<IngestSummary> run(support::RunningPool& pool, nn::Precision precision, bool update) {
    LocalImageEncoder::Options model;
    model.model_dir = model_dir();
    model.model_name = "golden-clip";
    model.precision = precision;
    CORE_TRY(const auto pictures, LocalImageEncoder::create(model, *pool, pool.clock()));
    support::HashingTextEncoder texts(*pool);
    IngestOptions options;
    options.data_dir = folder_ / "data";
    options.articles = folder_ / "sample" / "articles.csv";
    options.images = folder_ / "sample" / "images";
    options.update = update;
    SilentProgress silent;
    IngestContext context{.encoder = texts, .clock = pool.clock(), .progress = silent};
    context.image_encoder = pictures.get();
    return run_ingest(options, context);
  }

  support::TemporaryFolder folder_;
  std::uint64_t articles_ = 0;
};

TEST_F(PhotoModelTest, EachPhotoFindsItsArticleFirst) {
  support::RunningPool pool(2);
  const auto summary = run(pool, nn::Precision::kF32, false);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->image_vectors, articles_);
  EXPECT_EQ(summary->rejected_photos, 0U);
  LocalVectorIndex index({.data_dir = folder_ / "data", .collection = adapters::embedded::VectorCollection::kPhotos}, *pool, pool.clock());
  ASSERT_TRUE(core::sync_wait(index.open(summary->generation, core::Deadline::never())));
  const auto folder = adapters::embedded::DataFolder(folder_ / "data").generation(summary->generation);
  const auto ids = adapters::embedded::read_article_ids(folder / adapters::embedded::kCatalogFile, articles_);
  ASSERT_TRUE(ids) << ids.error().message;
  for (const catalog::ArticleId& id : *ids) {
    const auto vector = core::sync_wait(index.vector_of(summary->generation, id, core::Deadline::never()));
    ASSERT_TRUE(vector) << vector.error().message;
    std::vector<ports::VectorQuery> queries{{.vector = *vector, .k = 3, .filter = nullptr, .eligible = nullptr}};
    const auto found = core::sync_wait(index.search(summary->generation, std::move(queries), core::Deadline::never()));
    ASSERT_TRUE(found) << found.error().message;
    const auto& best = found->front().hits.front();
    // Two articles may have photos that look the same to so small a model: then the lesser id comes first.
    EXPECT_NEAR(best.score, 1, 1e-5);
    EXPECT_LE(best.article_id, id);
    if (best.article_id != id) {
      EXPECT_EQ(*core::sync_wait(index.vector_of(summary->generation, best.article_id, core::Deadline::never())), *vector);
    }
  }
}

TEST_F(PhotoModelTest, AnUpdateEmbedsNothingAndOtherThreadsGiveTheSameBytes) {
  const auto bytes = [this](const core::GenerationId& id) {
    const auto folder = adapters::embedded::DataFolder(folder_ / "data").generation(id);
    return read_text(folder / "image_vectors.f32") + read_text(folder / "image_vectors.i8") + read_text(folder / "image_rows.bin");
  };
  support::RunningPool one(1);
  const auto first = run(one, nn::Precision::kInt8, false);
  ASSERT_TRUE(first) << first.error().message;
  const std::string expected = bytes(first->generation);
  support::RunningPool three(3);
  const auto updated = run(three, nn::Precision::kInt8, true);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(updated->embedded_photos, 0U);
  EXPECT_TRUE(bytes(updated->generation) == expected);
  const auto again = run(three, nn::Precision::kInt8, false);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->embedded_photos, again->distinct_photos);
  EXPECT_TRUE(bytes(again->generation) == expected);
}

}  // namespace
}  // namespace scalestyle::ingest
