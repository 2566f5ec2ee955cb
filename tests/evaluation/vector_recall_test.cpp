#include "evaluation/vector_recall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "support/fake_clock.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::evaluation {
namespace {

using testing::HasSubstr;

// Answers by brute force, then spoils the answer as the test wants.
class FakeIndex final : public ports::VectorIndex {
 public:
  explicit FakeIndex(const support::IndexedVectors& vectors) : vectors_(vectors) {}

  core::Task<core::Status> open(core::GenerationId, core::Deadline) override { co_return core::Status(); }
  void close(const core::GenerationId&) override {}
  core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId, std::vector<ports::VectorQuery> queries,
                                                                  core::Deadline) override {
    std::vector<ports::VectorHits> answers;
    for (const auto& query : queries) {
      ports::VectorHits answer;
      for (std::size_t row = 0; row < vectors_.ids.size(); ++row) {
        if (query.eligible && !query.eligible->test({static_cast<std::uint32_t>(row)})) continue;
        float score = 0;
        for (std::size_t i = 0; i < vectors_.dimension; ++i) score += vectors_.row(row)[i] * query.vector[i];
        answer.hits.push_back({vectors_.ids[row], score});
      }
      std::ranges::sort(answer.hits, [this](const auto& a, const auto& b) {
        if (a.score != b.score) return a.score > b.score;
        return ties_backwards ? b.article_id < a.article_id : a.article_id < b.article_id;
      });
      if (answer.hits.size() > query.k) answer.hits.erase(answer.hits.begin() + static_cast<std::ptrdiff_t>(query.k), answer.hits.end());
      answer.exact = exact;
      if (spoil) spoil(answer.hits);
      answers.push_back(std::move(answer));
    }
    co_return answers;
  }
  core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId, catalog::ArticleId article, core::Deadline) override {
    const auto found = std::ranges::find(vectors_.ids, article);
    if (found == vectors_.ids.end()) co_return core::fail(core::ErrorCode::kNotFound, article.text() + " has no vector");
    const auto row = vectors_.row(static_cast<std::size_t>(found - vectors_.ids.begin()));
    co_return std::vector<float>(row.begin(), row.end());
  }

  std::function<void(std::vector<ports::VectorHit>&)> spoil{};
  bool exact = true;
  bool ties_backwards = false;

 private:
  const support::IndexedVectors& vectors_;
};

class VectorRecallTest : public testing::Test {
 protected:
  void SetUp() override {
    catalog::CatalogBuilder builder;
    for (const auto& id : vectors_.ids) ASSERT_TRUE(builder.add(support::sample_article(id.text())));
    articles_.emplace(std::move(builder).build().value());
    queries_ = sample_rows(exact(), 20, 3);
  }
  retrieval::ExactVectors exact() const { return {vectors_.ids.size(), vectors_.dimension, vectors_.values}; }
  core::Result<VectorRecall> evaluate() {
    return evaluate_vectors({index_, core::GenerationId("g"), *articles_, exact()}, queries_, clock_, options_);
  }

  support::IndexedVectors vectors_ = support::random_vectors(300, 16, 1);
  std::optional<catalog::Catalog> articles_;
  FakeIndex index_{vectors_};
  support::FakeClock clock_;
  std::vector<std::vector<float>> queries_;
  VectorRecallOptions options_{.depths = {5, 10}, .resamples = 100, .seed = 1};
};

TEST_F(VectorRecallTest, AnExactIndexHasAll) {
  const auto recall = evaluate().value();
  EXPECT_EQ(recall.recall[0].mean, 1.0);
  EXPECT_EQ(recall.least[1], 1.0);
  EXPECT_EQ(recall.queries, 20U);
  EXPECT_TRUE(recall.claims_exact);
  options_.eligible_share = 0.12;
  EXPECT_EQ(evaluate()->recall[1].mean, 1.0);
  options_.eligible_share = 0.0001;  // often nothing at all is eligible
  EXPECT_EQ(evaluate()->recall[1].mean, 1.0);
}

TEST_F(VectorRecallTest, WhatIsMissingIsCountedAtItsDepth) {
  index_.exact = false;
  index_.spoil = [](auto& hits) { hits.erase(hits.begin()); };  // the first of ten
  const auto recall = evaluate().value();
  EXPECT_NEAR(recall.recall[0].mean, 0.8, 1e-12);  // places 2 to 6, of which the sixth is not among the five best
  EXPECT_NEAR(recall.recall[1].mean, 0.9, 1e-12);
  EXPECT_FALSE(recall.claims_exact);
  EXPECT_THAT(to_text(recall), HasSubstr("calls its answers approximate"));
  EXPECT_NEAR(boost::json::parse(to_json(recall)).at("measures").at("recall@10").at("mean").as_double(), 0.9, 1e-12);
}

TEST_F(VectorRecallTest, EqualVectorsMayComeInAnyOrder) {
  for (std::size_t row = 1; row < 100; ++row) {
    std::ranges::copy(vectors_.row(0), vectors_.values.begin() + static_cast<std::ptrdiff_t>(row * vectors_.dimension));
  }
  queries_ = {{vectors_.row(0).begin(), vectors_.row(0).end()}};
  index_.ties_backwards = true;
  EXPECT_EQ(evaluate()->recall[0].mean, 1.0);
}

TEST_F(VectorRecallTest, AnIndexThatBreaksItsPromisesIsFoundOut) {
  index_.spoil = [](auto& hits) { hits[1] = hits[0]; };
  EXPECT_THAT(evaluate().error().message, HasSubstr("which it gave before"));
  index_.spoil = [](auto& hits) { hits[0].article_id = catalog::ArticleId::parse("elsewhere").value(); };
  EXPECT_THAT(evaluate().error().message, HasSubstr("which the generation lacks"));
  options_.eligible_share = 0.3;
  index_.spoil = [this](auto& hits) {
    for (const auto& id : vectors_.ids) hits.push_back({id, 0});
    std::erase_if(hits, [&](const auto& hit) { return &hit != &hits[0] && hit.article_id == hits[0].article_id; });
  };
  EXPECT_EQ(evaluate().error().code, core::ErrorCode::kInternal);
}

TEST_F(VectorRecallTest, MistakesAreErrors) {
  options_.depths = {};
  EXPECT_EQ(evaluate().error().field, "depths");
  options_.depths = {0};
  EXPECT_EQ(evaluate().error().field, "depths");
  options_ = {.eligible_share = 0};
  EXPECT_EQ(evaluate().error().field, "eligible_share");
  options_ = {};
  queries_ = {};
  EXPECT_EQ(evaluate().error().field, "sample");
  queries_ = {{1.0F}};
  EXPECT_EQ(evaluate().error().field, "queries");
}

TEST_F(VectorRecallTest, SampledRowsDependOnTheSeedAlone) {
  EXPECT_EQ(sample_rows(exact(), 20, 3), queries_);
  EXPECT_NE(sample_rows(exact(), 20, 4), queries_);
  EXPECT_EQ(sample_rows(exact(), 1'000, 3).size(), 300U);
}

}  // namespace
}  // namespace scalestyle::evaluation
