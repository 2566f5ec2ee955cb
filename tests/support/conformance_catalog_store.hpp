#pragma once
// What every CatalogStore must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Local, CatalogStoreConformance, ::testing::Values(CatalogStoreFactory{…}));

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/catalog_store.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::support {

// An engine under test: the store, and the way generations get into it.
class CatalogStoreEngine {
 public:
  virtual ~CatalogStoreEngine() = default;
  [[nodiscard]] virtual ports::CatalogStore& store() = 0;
  // Makes a complete generation of `articles` and, with `make_current`, the one to serve.
  virtual void publish(const ports::GenerationInfo& info, const std::vector<catalog::Article>& articles,
                       bool make_current) = 0;
};
using CatalogStoreFactory = std::function<std::unique_ptr<CatalogStoreEngine>()>;

class CatalogStoreConformance : public ::testing::TestWithParam<CatalogStoreFactory> {
 protected:
  CatalogStoreConformance() : engine_(GetParam()()) {}
  core::Result<core::GenerationId> current() { return core::sync_wait(engine_->store().current(core::Deadline::never())); }
  core::Result<std::shared_ptr<const ports::CatalogSnapshot>> load(const std::string& id) {
    return core::sync_wait(engine_->store().load(core::GenerationId(id), core::Deadline::never()));
  }
  std::unique_ptr<CatalogStoreEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CatalogStoreConformance);

TEST_P(CatalogStoreConformance, AnEmptyStoreHasNoCurrentGeneration) {
  const auto none = current();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, core::ErrorCode::kNotFound);
  EXPECT_FALSE(none.error().message.empty());
}

TEST_P(CatalogStoreConformance, EveryColumnComesBackAsItWentIn) {
  std::vector<catalog::Article> articles = {sample_article("0000000003"), sample_article("0000000001"), sample_article("a/b..c")};
  articles[0].price = 0.1;
  articles[0].purchase_count = 7;
  articles[0].image_path = "000/0000000003.jpg";
  articles[1].price = 0;
  articles[1].available = false;
  articles[2].name = "";
  articles[2].description = "";
  articles[2][catalog::Attribute::kColour] = "";
  engine_->publish(sample_info("first"), articles, true);
  ASSERT_EQ(current()->value(), "first");
  const auto snapshot = load("first");
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  const ports::GenerationInfo& info = (*snapshot)->info;
  const ports::GenerationInfo wanted = sample_info("first");
  EXPECT_EQ(info.id, wanted.id);
  EXPECT_EQ(info.articles, 3U);
  EXPECT_EQ(info.document_encoder.model, wanted.document_encoder.model);
  EXPECT_EQ(info.document_encoder.weights_hash, wanted.document_encoder.weights_hash);
  EXPECT_EQ(info.document_encoder.precision, wanted.document_encoder.precision);
  EXPECT_EQ(info.document_encoder.dimension, wanted.document_encoder.dimension);
  EXPECT_EQ(info.document_encoder.max_tokens, wanted.document_encoder.max_tokens);
  EXPECT_EQ(info.text_format, wanted.text_format);
  EXPECT_EQ(info.currency, wanted.currency);
  EXPECT_EQ(info.price_scale, wanted.price_scale);
  EXPECT_EQ(info.created_at, wanted.created_at);
  const catalog::Catalog& catalog = *(*snapshot)->catalog;
  ASSERT_EQ(catalog.size(), 3U);
  EXPECT_EQ(catalog.row({0}).to_article(), articles[1]);  // rows are in the order of ids
  EXPECT_EQ(catalog.row({1}).to_article(), articles[0]);
  EXPECT_EQ(catalog.row({2}).to_article(), articles[2]);
}

TEST_P(CatalogStoreConformance, ASwitchIsSeenAndTheOldGenerationCanStillBeRead) {
  engine_->publish(sample_info("first"), {sample_article("1")}, true);
  const auto held = load("first");
  ASSERT_TRUE(held) << held.error().message;
  engine_->publish(sample_info("second"), {sample_article("1"), sample_article("2")}, false);
  EXPECT_EQ(current()->value(), "first");
  EXPECT_EQ((*load("second"))->catalog->size(), 2U);
  engine_->publish(sample_info("third"), {sample_article("1"), sample_article("2"), sample_article("3")}, true);
  EXPECT_EQ(current()->value(), "third");
  EXPECT_EQ((*load("third"))->catalog->size(), 3U);
  EXPECT_EQ((*load("first"))->catalog->size(), 1U);
  EXPECT_EQ((*held)->catalog->row({0}).id(), "0000000001");
}

TEST_P(CatalogStoreConformance, AnUnknownGenerationIsNotFound) {
  engine_->publish(sample_info("first"), {sample_article("1")}, true);
  for (const char* id : {"other", "", "../first", "/etc", "."}) {
    const auto missing = load(id);
    ASSERT_FALSE(missing) << id;
    EXPECT_EQ(missing.error().code, core::ErrorCode::kNotFound) << id;
  }
}

TEST_P(CatalogStoreConformance, APassedDeadlineEndsTheCall) {
  engine_->publish(sample_info("first"), {sample_article("1")}, true);
  const core::SystemClock clock;
  const auto passed = core::Deadline::at(clock.steady_now() - std::chrono::seconds(1));
  const auto late = core::sync_wait(engine_->store().load(core::GenerationId("first"), passed));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::kDeadlineExceeded);
}

}  // namespace scalestyle::support
