// Photos of articles become a second collection of vectors.

#include <gmock/gmock.h>

#include "catalog/reader_support.hpp"
#include "ingest/photo_fixture.hpp"

namespace scalestyle::ingest {
namespace {

using ::testing::Contains;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

class PhotoTest : public PhotoFixture {
 protected:
  catalog::InputFolder inputs_;
};

std::string id_of(int number) { return fmt::format("0{}", 500000000 + number); }

TEST_F(PhotoTest, EachDistinctPhotoIsEmbeddedOnceAndOthersAreNotInIt) {
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  // 23 articles: 2 without a photo, 4 rejected; those of 15 and 19 have their neighbours' bytes (as 7 would).
  EXPECT_EQ(summary->image_vectors, 17U);
  EXPECT_EQ(summary->rejected_photos, 4U);
  EXPECT_EQ(summary->distinct_photos, 17U);  // broken and text among them, that above the limit not
  EXPECT_EQ(summary->embedded_photos, 17U);
  EXPECT_EQ(images_encoded_, 17);
  EXPECT_EQ(summary->with_image, 21U);
  const auto vectors = photo_vectors();
  EXPECT_EQ(vectors.size(), 17U);
  EXPECT_EQ(vectors.at(id_of(4)), photo_vector("photo 4"));
  EXPECT_EQ(vectors.at(id_of(15)), photo_vector("photo 14"));
  for (const int none : {3, 5, 7, 11, 17, 20}) EXPECT_FALSE(vectors.contains(id_of(none))) << none;

  const auto manifest = adapters::embedded::read_manifest(current_folder());
  ASSERT_TRUE(manifest) << manifest.error().message;
  ASSERT_TRUE(manifest->info.image_encoder);
  EXPECT_EQ(manifest->info.image_encoder->model, "hash-pictures");
  EXPECT_EQ(manifest->info.image_encoder->dimension, 12U);
  EXPECT_EQ(manifest->info.image_vectors, 17U);
  EXPECT_EQ(manifest->images.format, "photo_v1");
  EXPECT_EQ(manifest->images.rejected_photos, 4U);
  EXPECT_THAT(summary->to_text(), HasSubstr("17 articles can be found by their photo, 4 photos rejected"));
}

TEST_F(PhotoTest, RejectsNameEachPhotoAndItsCause) {
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(read_text(summary->rejects_file),
            "file,row,line,column,cause,value\n"
            "images,,,,it is larger than 100 bytes,050/0500000003.jpg\n"
            "images,,,,damaged: the data end early,050/0500000005.jpg\n"
            "images,,,,damaged: the data end early,050/0500000011.jpg\n"
            "images,,,,\"no JPEG, PNG or WebP?file\",050/0500000017.jpg\n");
  EXPECT_EQ(summary->rejected_by_cause.at("images: damaged: the data end early"), 2U);
  EXPECT_EQ(summary->rejected, 0U);  // of the articles
}

TEST_F(PhotoTest, WithoutVisionPhotosAreOnlyLinked) {
  vision_ = false;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->with_image, 21U);
  EXPECT_EQ(summary->image_vectors, 0U);
  EXPECT_THAT(summary->notes, Contains(HasSubstr("vision_enabled=true")));
  EXPECT_FALSE(std::filesystem::exists(current_folder() / adapters::embedded::kImageRowsFile));

  // What the next run without vision loses is said.
  vision_ = true;
  const auto with = run();
  ASSERT_TRUE(with);
  EXPECT_THAT(with->notes, Not(Contains(HasSubstr("vision_enabled"))));
  vision_ = false;
  const auto without = run();
  ASSERT_TRUE(without);
  EXPECT_THAT(without->notes, Contains(HasSubstr("the 17 vectors of photos of generation " + with->generation.value() + " are not carried over")));
}

TEST_F(PhotoTest, WithoutAnyUsablePhotoThereIsNoCollection) {
  std::filesystem::remove_all(options_.images);
  std::filesystem::create_directories(options_.images);
  write_text(options_.images / (id_of(1) + ".png"), "broken");
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->rejected_photos, 1U);
  EXPECT_THAT(summary->notes, Contains(HasSubstr("no photo has a vector")));
  const auto manifest = adapters::embedded::read_manifest(current_folder());
  ASSERT_TRUE(manifest);
  EXPECT_FALSE(manifest->info.image_encoder);
}

TEST_F(PhotoTest, AnUpdateEmbedsOnlyChangedPhotos) {
  ASSERT_TRUE(run());
  const auto before = photo_vectors();
  write_text(options_.images / "050" / (id_of(4) + ".jpg"), "photo new");
  write_text(options_.images / "050" / (id_of(7) + ".jpg"), "photo 8");  // as another article's
  write_text(options_.images / "050" / (id_of(5) + ".jpg"), "photo repaired");
  options_.update = true;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(texts_encoded_, 0);
  EXPECT_EQ(images_encoded_, 4);  // two new ones, and the two that are still rejected
  EXPECT_EQ(summary->reused_photos, 14U);
  const auto updated = photo_vectors();
  EXPECT_EQ(updated.at(id_of(4)), photo_vector("photo new"));
  EXPECT_EQ(updated.at(id_of(7)), before.at(id_of(8)));
  options_.update = false;
  ASSERT_TRUE(run());
  EXPECT_EQ(photo_vectors(), updated);
}

TEST_F(PhotoTest, AnUpdateWithAnotherPrecisionReusesTextsAndSaysThatItEmbedsPhotos) {
  ASSERT_TRUE(run());
  vision_precision_ = "int8";
  options_.update = true;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(texts_encoded_, 0);
  EXPECT_EQ(summary->reused_photos, 0U);
  EXPECT_EQ(images_encoded_, 17);
  EXPECT_THAT(summary->notes, Contains(HasSubstr("every photo is embedded: this run has precision int8 instead of f32")));
}

TEST_F(PhotoTest, OtherPhotosLeaveTheWorkOnTextsAndOtherTextsThatOnPhotos) {
  options_.batches_in_flight = 1;
  fail_after_images_ = 6;
  ASSERT_FALSE(run());
  fail_after_images_ = -1;
  write_text(options_.images / "050" / (id_of(1) + ".jpg"), "photo new");
  const auto other_photos = run();
  ASSERT_TRUE(other_photos) << other_photos.error().message;
  EXPECT_EQ(other_photos->resumed_texts, 19U);
  EXPECT_EQ(texts_encoded_, 0);
  EXPECT_EQ(other_photos->resumed_photos, 0U);

  start_over();
  fail_after_images_ = 6;
  ASSERT_FALSE(run());
  fail_after_images_ = -1;
  write_text(options_.articles, articles_csv(23, " changed"));
  const auto other_texts = run();
  ASSERT_TRUE(other_texts) << other_texts.error().message;
  EXPECT_EQ(other_texts->resumed_texts, 0U);
  EXPECT_EQ(other_texts->resumed_photos, 6U);
  EXPECT_EQ(images_encoded_, 11);
  EXPECT_EQ(other_texts->rejected_photos, 4U);
}

TEST_F(PhotoTest, APhotoThatChangesOrGoesDuringTheRunIsRejected) {
  before_step_ = [&](std::string_view step) {
    if (step != "publish the rejects" && step != "create the work folder") return;
    write_text(options_.images / "050" / (id_of(1) + ".jpg"), "photo exchanged");
    std::filesystem::remove(options_.images / "050" / (id_of(2) + ".jpg"));
  };
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  const auto rejects = read_text(summary->rejects_file);
  EXPECT_THAT(rejects, HasSubstr("images,,,,it changed during the ingest,050/0500000001.jpg\n"));
  EXPECT_THAT(rejects, HasSubstr("images,,,,it is gone,050/0500000002.jpg\n"));
  EXPECT_FALSE(photo_vectors().contains(id_of(1)));
}

std::string sql_vector(const std::vector<float>& vector, float scale = 1) {
  std::string text = "[";
  for (const float value : vector) text += fmt::format("{}{:.9g}", text.size() > 1 ? "," : "", value * scale);
  return text + "]::FLOAT[]";
}

TEST_F(PhotoTest, SuppliedVectorsAreCheckedAndTheRestIsEmbedded) {
  auto own = photo_vector("photo 1");
  own[0] += 0.0004F;
  std::string rows = fmt::format("('{}', {})", id_of(1), sql_vector(own));
  rows += fmt::format(",('{}', {})", id_of(7), sql_vector(photo_vector("seen elsewhere")));  // its article has no photo here
  rows += fmt::format(",('{}', {})", id_of(4), sql_vector(photo_vector("photo 4"), 1.2F));
  rows += fmt::format(",('999', {})", sql_vector(photo_vector("photo 4")));
  options_.image_embeddings = inputs_.write_parquet("v.parquet", "SELECT * FROM (VALUES " + rows + ") AS t(article_id, image_embedding)");
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->supplied_image_vectors, 2U);
  EXPECT_EQ(summary->unknown_image_vectors, 1U);
  EXPECT_EQ(summary->embedded_photos, 16U);
  EXPECT_EQ(summary->image_vectors, 18U);
  EXPECT_THAT(read_text(summary->rejects_file), HasSubstr("image_embeddings,,,vector,\"its length is 1.2, not 1\",0500000004"));
  const auto vectors = photo_vectors();
  EXPECT_THAT(vectors.at(id_of(1)), Pointwise(FloatNear(1e-6F), own));
  EXPECT_THAT(vectors.at(id_of(7)), Pointwise(FloatNear(1e-6F), photo_vector("seen elsewhere")));
  EXPECT_THAT(vectors.at(id_of(4)), Pointwise(FloatNear(1e-6F), photo_vector("photo 4")));

  // An update keeps them while the photo is the same.
  options_.update = true;
  options_.image_embeddings.clear();
  write_text(options_.images / "050" / (id_of(2) + ".jpg"), "photo 1");
  const auto updated = run();
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_THAT(photo_vectors().at(id_of(1)), Pointwise(FloatNear(1e-6F), own));
  EXPECT_THAT(photo_vectors().at(id_of(7)), Pointwise(FloatNear(1e-6F), photo_vector("seen elsewhere")));
  // A supplied vector is its own article's only.
  EXPECT_THAT(photo_vectors().at(id_of(2)), Pointwise(FloatNear(1e-6F), photo_vector("photo 1")));
}

TEST_F(PhotoTest, SuppliedVectorsOfAnotherModelAreRefused) {
  const auto supply = [&](const std::string& rows) {
    options_.image_embeddings = inputs_.write_parquet("v.parquet", "SELECT * FROM (VALUES " + rows + ") AS t(article_id, embedding)");
    return run();
  };
  const auto refused = supply(fmt::format("('{}', {})", id_of(2), sql_vector(photo_vector("photo of another model"))));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_EQ(refused.error().field, "image_embeddings");
  EXPECT_THAT(refused.error().message, HasSubstr("article 0500000002 has cosine"));
  EXPECT_EQ(*data().read_current(), before_);

  const auto other_dimension = supply(fmt::format("('{}', [1.0, 0.0]::FLOAT[])", id_of(2)));
  ASSERT_FALSE(other_dimension);
  EXPECT_THAT(other_dimension.error().message, HasSubstr("2 numbers instead of 12"));

  options_.images.clear();
  const auto unseen = supply(fmt::format("('{}', {})", id_of(2), sql_vector(photo_vector("photo of another model"))));
  ASSERT_TRUE(unseen) << unseen.error().message;
  EXPECT_THAT(unseen->notes, Contains(HasSubstr("could not be compared")));
  EXPECT_EQ(unseen->image_vectors, 1U);

  vision_ = false;
  const auto off = run();
  ASSERT_FALSE(off);
  EXPECT_EQ(off.error().field, "image_embeddings");
  EXPECT_THAT(off.error().message, HasSubstr("vision_enabled=true"));
}

TEST_F(PhotoTest, AFolderWithoutPhotosIsSaid) {
  options_.images.clear();
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_THAT(summary->notes, Contains(HasSubstr("--images")));
}

}  // namespace
}  // namespace scalestyle::ingest
