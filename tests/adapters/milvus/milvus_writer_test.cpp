#include "adapters/milvus/milvus_collection_writer.hpp"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "catalog/catalog.hpp"
#include "milvus_servers.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_generation_use.hpp"

namespace scalestyle::adapters::milvus {
namespace {

using core::ErrorCode;
using core::GenerationId;

constexpr std::size_t kDimension = 8;

class MilvusWriterTest : public MilvusTest {
 protected:
  void SetUp() override {
    MilvusTest::SetUp();
    if (IsSkipped()) return;
    writer_ = connection_->writer({.collection_prefix = prefix_, .index = MilvusIndexType::kFlat});
    index_ = connection_->index({.collection_prefix = prefix_});
  }
  void TearDown() override {
    if (writer_ == nullptr) return;
    for (const char* id : {"g1", "g2", "g3", "g4"}) EXPECT_TRUE(core::sync_wait(writer_->drop(GenerationId(id), never_)));
  }

  core::Status open(MilvusVectorIndex& index, const std::string& id) {
    return core::sync_wait(index.open(GenerationId(id), never_));
  }
  ErrorCode refusal(const std::string& id) {
    const auto status = open(*index_, id);
    EXPECT_FALSE(status);
    return status ? ErrorCode::kInternal : status.error().code;
  }
  // The ids that a search finds, best first.
  std::vector<std::string> found(const std::string& id, const std::vector<float>& vector, std::size_t k,
                                 std::shared_ptr<const catalog::Filter> filter = nullptr) {
    const auto hits = core::sync_wait(
        index_->search(GenerationId(id), {{.vector = vector, .k = k, .filter = filter, .eligible = nullptr}}, never_));
    EXPECT_TRUE(hits) << hits.error().message;
    std::vector<std::string> ids;
    if (hits) {
      for (const auto& hit : (*hits)[0].hits) ids.push_back(hit.article_id.text());
    }
    return ids;
  }
  static std::shared_ptr<const catalog::Filter> priced_below(double bound) {
    auto filter = std::make_shared<catalog::Filter>();
    filter->price_max = bound;
    return filter;
  }
  static std::vector<float> unit(std::size_t axis) {
    std::vector<float> vector(kDimension, 0.0F);
    vector[axis] = 1.0F;
    return vector;
  }

  const core::Deadline never_ = core::Deadline::never();
  std::unique_ptr<MilvusCollectionWriter> writer_;
  std::unique_ptr<MilvusVectorIndex> index_;
};

TEST_P(MilvusWriterTest, ACollectionIsSearchedOnlyOnceItIsComplete) {
  const auto vectors = support::random_vectors(60, kDimension, 1);
  const GenerationId id("g1");
  EXPECT_EQ(refusal("g1"), ErrorCode::kNotFound);
  ASSERT_TRUE(core::sync_wait(writer_->begin(id, sample_encoder(kDimension), never_)));
  EXPECT_EQ(refusal("g1"), ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(core::sync_wait(writer_->insert(id, rows_of(vectors), never_)));
  EXPECT_EQ(refusal("g1"), ErrorCode::kFailedPrecondition);
  const auto miscounted = core::sync_wait(writer_->complete(id, 61, never_));
  ASSERT_FALSE(miscounted);
  EXPECT_EQ(miscounted.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(miscounted.error().message, testing::AllOf(testing::HasSubstr("60"), testing::HasSubstr("61")));
  EXPECT_EQ(refusal("g1"), ErrorCode::kFailedPrecondition);
  // A new run begins anew.
  write_collection(*writer_, "g1", vectors);
  ASSERT_TRUE(open(*index_, "g1"));
  EXPECT_EQ(found("g1", unit(0), 100).size(), 60U);
  EXPECT_EQ(core::sync_wait(writer_->begin(id, sample_encoder(kDimension), never_)).error().code, ErrorCode::kAlreadyExists);
}

TEST_P(MilvusWriterTest, VectorsOfAnotherModelOrDimensionAreRefused) {
  write_collection(*writer_, "g1", support::random_vectors(20, kDimension, 2));
  const auto refusal_of = [&](const ports::EncoderInfo& query) {
    const auto other = connection_->index({.collection_prefix = prefix_, .query_encoder = query});
    const auto status = open(*other, "g1");
    EXPECT_FALSE(status);
    if (status) return std::string();
    EXPECT_EQ(status.error().code, ErrorCode::kFailedPrecondition);
    return status.error().message;
  };
  auto query = sample_encoder(kDimension);
  const auto good = connection_->index({.collection_prefix = prefix_, .query_encoder = query});
  EXPECT_TRUE(open(*good, "g1"));
  query.dimension = 16;
  EXPECT_THAT(refusal_of(query), testing::AllOf(testing::HasSubstr(" 8 "), testing::HasSubstr("16")));
  query = sample_encoder(kDimension);
  query.model = "other-model";
  EXPECT_THAT(refusal_of(query), testing::AllOf(testing::HasSubstr("some-model"), testing::HasSubstr("other-model")));

  auto wrong = rows_of(support::random_vectors(3, kDimension, 3));
  wrong[1].vector.resize(5);
  EXPECT_EQ(core::sync_wait(writer_->upsert(GenerationId("g1"), wrong, never_)).error().code, ErrorCode::kInvalidArgument);
  for (auto& row : wrong) row.vector.resize(5);
  EXPECT_FALSE(core::sync_wait(writer_->upsert(GenerationId("g1"), wrong, never_)));  // the server says so
}

TEST_P(MilvusWriterTest, AGenerationIsFilledFromItsCatalogueOnce) {
  std::vector<catalog::Article> articles;
  for (int i = 0; i < 30; ++i) {
    articles.push_back(support::make_article(std::to_string(1000 + i), "name"));
    articles.back().price = i;
  }
  const auto snapshot = support::make_snapshot("g1", articles, sample_encoder(kDimension));
  const auto vectors = support::random_vectors(10, kDimension, 4);
  std::vector<catalog::RowIndex> rows;
  for (std::uint32_t i = 0; i < 10; ++i) rows.push_back({i * 3});
  const GenerationVectors some{
      .encoder = sample_encoder(kDimension), .catalog = snapshot->catalog.get(), .values = vectors.values, .rows = rows};
  const GenerationId id("g1");
  ASSERT_TRUE(core::sync_wait(writer_->fill(id, some, never_)));
  ASSERT_TRUE(core::sync_wait(writer_->fill(id, some, never_)));  // as it is
  ASSERT_TRUE(open(*index_, "g1"));
  EXPECT_EQ(found("g1", unit(0), 100).size(), 10U);
  EXPECT_EQ(found("g1", unit(0), 100, priced_below(6)).size(), 3U);  // rows 0, 3 and 6
  auto other = some;
  other.encoder.model = "other-model";
  const auto refused = core::sync_wait(writer_->fill(id, other, never_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("other-model"));
  other.rows = {};
  EXPECT_EQ(core::sync_wait(writer_->fill(id, other, never_)).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(MilvusWriterTest, PhotosHaveACollectionOfTheirOwn) {
  const auto photo_writer = connection_->writer(
      {.collection_prefix = prefix_, .kind = MilvusCollectionKind::kPhotos, .index = MilvusIndexType::kFlat});
  const auto photos = connection_->index({.collection_prefix = prefix_, .kind = MilvusCollectionKind::kPhotos});
  EXPECT_EQ(open(*photos, "g1").error().code, ErrorCode::kNotFound);
  write_collection(*writer_, "g1", support::random_vectors(20, kDimension, 5));
  // A generation without photos opens; its searches fail.
  ASSERT_TRUE(open(*photos, "g1"));
  const ports::VectorQuery query{.vector = unit(0), .k = 5, .filter = nullptr, .eligible = nullptr};
  EXPECT_EQ(core::sync_wait(photos->search(GenerationId("g1"), {query}, never_)).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(core::sync_wait(photos->vector_of(GenerationId("g1"), *catalog::ArticleId::parse("1000"), never_)).error().code,
            ErrorCode::kFailedPrecondition);
  photos->close(GenerationId("g1"));
  write_collection(*photo_writer, "g1", support::random_vectors(7, kDimension, 6));
  ASSERT_TRUE(open(*photos, "g1"));
  const auto hits = core::sync_wait(
      photos->search(GenerationId("g1"), {{.vector = unit(0), .k = 50, .filter = nullptr, .eligible = nullptr}}, never_));
  ASSERT_TRUE(hits);
  EXPECT_EQ((*hits)[0].hits.size(), 7U);
  EXPECT_TRUE(core::sync_wait(photo_writer->drop(GenerationId("g1"), never_)));
}

TEST_P(MilvusWriterTest, ChangesAreSeenSoon) {
  auto vectors = support::random_vectors(50, kDimension, 7);
  write_collection(*writer_, "g1", vectors);
  ASSERT_TRUE(open(*index_, "g1"));
  const GenerationId id("g1");
  const auto& first = vectors.ids[0];

  // A new article and a new vector of an old one.
  MilvusRow fresh{.id = *catalog::ArticleId::parse("5"), .vector = unit(1), .values = {}, .price = 3.0};
  MilvusRow moved{.id = first, .vector = unit(2), .values = {}, .price = 9.5};
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto upserted = core::sync_wait(writer_->upsert(id, {fresh, moved}, never_));
    ASSERT_TRUE(upserted) << upserted.error().message;
  }
  EXPECT_TRUE(eventually([&] { return found("g1", unit(1), 1) == std::vector<std::string>{"0000000005"}; }));
  EXPECT_TRUE(eventually([&] { return found("g1", unit(2), 1) == std::vector<std::string>{first.text()}; }));
  EXPECT_EQ(found("g1", unit(1), 200).size(), 51U);  // each once

  // A new price; the vector stays.
  catalog::Article cheap = support::make_article("5", "cheap");
  cheap.price = 1.5;
  EXPECT_TRUE(eventually([&] { return found("g1", unit(1), 200, priced_below(2)).empty(); }));
  const auto updated = core::sync_wait(writer_->update(id, {cheap, support::make_article("77", "unknown")}, never_));
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(*updated, 1U);
  EXPECT_TRUE(eventually([&] { return found("g1", unit(1), 200, priced_below(2)) == std::vector<std::string>{"0000000005"}; }));
  const auto vector = core::sync_wait(index_->vector_of(id, cheap.id, never_));
  ASSERT_TRUE(vector);
  EXPECT_EQ(*vector, unit(1));

  // Gone; what is not there is no error.
  ASSERT_TRUE(core::sync_wait(writer_->remove(id, {cheap.id, *catalog::ArticleId::parse("88")}, never_)));
  EXPECT_TRUE(eventually([&] { return found("g1", unit(1), 200).size() == 50U; }));
  EXPECT_EQ(core::sync_wait(index_->vector_of(id, cheap.id, never_)).error().code, ErrorCode::kNotFound);
}

TEST_P(MilvusWriterTest, LargeInsertionsGoInSeveralMessages) {
  const auto writer = connection_->writer(
      {.collection_prefix = prefix_, .index = MilvusIndexType::kFlat, .batch_bytes = std::size_t{64} << 10U});
  write_collection(*writer, "g1", support::random_vectors(3'000, kDimension, 8));
  ASSERT_TRUE(open(*index_, "g1"));
  EXPECT_EQ(found("g1", unit(0), kMaxMilvusHits).size(), 3'000U);
}

TEST_P(MilvusWriterTest, OnlyWhatNobodyReportsIsDropped) {
  const auto names = [&](const std::vector<std::string>& ids) {
    std::vector<std::string> all;
    for (const auto& id : ids) all.push_back(collection_name(prefix_, MilvusCollectionKind::kTexts, GenerationId(id)));
    return all;
  };
  for (const char* id : {"g1", "g2", "g3"}) write_collection(*writer_, id, support::random_vectors(5, kDimension, 9));
  ASSERT_TRUE(core::sync_wait(writer_->begin(GenerationId("g4"), sample_encoder(kDimension), never_)));  // being filled
  support::FakeGenerationUse use(connection_->clock());
  use.fail_with(core::Error{ErrorCode::kUnavailable, "no registry"});
  EXPECT_FALSE(core::sync_wait(writer_->drop_unused(use, {GenerationId("g3")}, never_)));
  use.fail_with(std::nullopt);
  ASSERT_TRUE(core::sync_wait(use.report("gateway", GenerationId("g1"), std::chrono::seconds(600), never_)));
  auto dropped = core::sync_wait(writer_->drop_unused(use, {GenerationId("g3")}, never_));
  ASSERT_TRUE(dropped) << dropped.error().message;
  EXPECT_EQ(*dropped, names({"g2"}));
  EXPECT_TRUE(open(*index_, "g1"));
  EXPECT_TRUE(open(*index_, "g3"));
  EXPECT_EQ(refusal("g2"), ErrorCode::kNotFound);
  use.forget("gateway");
  const auto impatient = connection_->writer({.collection_prefix = prefix_, .abandoned_after = std::chrono::milliseconds(0)});
  dropped = core::sync_wait(impatient->drop_unused(use, {GenerationId("g3")}, never_));
  ASSERT_TRUE(dropped);
  EXPECT_THAT(*dropped, testing::UnorderedElementsAreArray(names({"g1", "g4"})));
}

// A search of what is not in Milvus' memory any more fails, and has it loaded again.
TEST_P(MilvusWriterTest, WhatNobodyReportsIsReleasedAndLoadedAgainWhereItIsNeeded) {
  write_collection(*writer_, "g1", support::random_vectors(30, kDimension, 10));
  support::FakeGenerationUse use(connection_->clock());
  const auto leaving = connection_->index({.collection_prefix = prefix_, .release_delay = std::chrono::milliseconds(10)}, &use);
  ASSERT_TRUE(open(*index_, "g1"));
  EXPECT_EQ(found("g1", unit(0), 5).size(), 5U);
  const ports::VectorQuery query{.vector = unit(0), .k = 5, .filter = nullptr, .eligible = nullptr};
  const auto outcome = [&] { return core::sync_wait(index_->search(GenerationId("g1"), {query}, never_)); };

  ASSERT_TRUE(core::sync_wait(use.report("other", GenerationId("g1"), std::chrono::seconds(600), never_)));
  ASSERT_TRUE(open(*leaving, "g1"));
  leaving->close(GenerationId("g1"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(outcome());  // another needs it
  use.forget("other");
  ASSERT_TRUE(open(*leaving, "g1"));
  leaving->close(GenerationId("g1"));
  // The server may answer from memory until it has released it; milvus-lite loads by itself.
  std::optional<core::Error> failure;
  const auto end = connection_->clock().steady_now() + std::chrono::seconds(5);
  while (!failure && connection_->clock().steady_now() < end) {
    if (auto each = outcome(); !each) failure = each.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (!is_lite()) {
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, ErrorCode::kUnavailable) << failure->message;
  }
  EXPECT_TRUE(eventually([&] { return outcome().has_value(); }));
}

INSTANTIATE_TEST_SUITE_P(Servers, MilvusWriterTest, testing::Values(kMilvus, kMilvusLite), server_name);

}  // namespace
}  // namespace scalestyle::adapters::milvus
