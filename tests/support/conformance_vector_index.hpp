#pragma once
// What every VectorIndex must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Local, VectorIndexConformance, ::testing::Values(VectorIndexFactory{…}));

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/vector_index.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::support {

class VectorIndexEngine {
 public:
  virtual ~VectorIndexEngine() = default;
  [[nodiscard]] virtual ports::VectorIndex& index() = 0;
  virtual void publish(const core::GenerationId& id, const IndexedVectors& vectors) = 0;
  [[nodiscard]] virtual bool exact() const = 0;  // approximate engines answer for recall ≥ 0.9 only
  // Whether it says so; an engine that goes by filters alone never does.
  [[nodiscard]] virtual bool claims_exact() const { return exact(); }
  // Engines without bitmaps find what is beyond `eligible` too: the caller leaves it out.
  [[nodiscard]] virtual bool takes_bitmap() const { return true; }
  // Which of equal scores at the end of an answer are in it: the lowest article ids, or the engine's choice.
  [[nodiscard]] virtual bool chooses_ties_by_article() const { return true; }
};
// Null, with the reason on standard error, where its server cannot be had: the tests are skipped.
using VectorIndexFactory = std::function<std::unique_ptr<VectorIndexEngine>()>;

class VectorIndexConformance : public ::testing::TestWithParam<VectorIndexFactory> {
 protected:
  VectorIndexConformance() : engine_(GetParam()()) {}

  void SetUp() override {
    if (engine_ == nullptr) GTEST_SKIP() << "the engine's server cannot be had on this machine";
  }

  core::Status open(const std::string& id) {
    return core::sync_wait(engine_->index().open(core::GenerationId(id), core::Deadline::never()));
  }
  core::Result<std::vector<ports::VectorHits>> search(const std::string& id, std::vector<ports::VectorQuery> queries) {
    return core::sync_wait(engine_->index().search(core::GenerationId(id), std::move(queries), core::Deadline::never()));
  }

  // The nearest rows by brute force: (score, row), best first, ties by row.
  [[nodiscard]] std::vector<std::pair<double, std::size_t>> brute_force(const IndexedVectors& vectors,
                                                                        const ports::VectorQuery& query) const {
    std::vector<std::pair<double, std::size_t>> all;
    for (std::size_t row = 0; row < vectors.ids.size(); ++row) {
      if (restricts(query) && !query.eligible->test({static_cast<std::uint32_t>(row)})) continue;
      double score = 0;
      for (std::size_t i = 0; i < vectors.dimension; ++i) {
        score += static_cast<double>(vectors.row(row)[i]) * static_cast<double>(query.vector[i]);
      }
      all.emplace_back(score, row);
    }
    std::ranges::sort(all, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    all.resize(std::min(all.size(), query.k));
    return all;
  }

  [[nodiscard]] bool restricts(const ports::VectorQuery& query) const {
    return query.eligible != nullptr && engine_->takes_bitmap();
  }

  void expect_nearest(const IndexedVectors& vectors, const ports::VectorQuery& query, const ports::VectorHits& found) const {
    constexpr double kScoreError = 1e-5;
    const auto wanted = brute_force(vectors, query);
    ASSERT_EQ(found.hits.size(), wanted.size());
    std::size_t common = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto row = std::ranges::find(vectors.ids, found.hits[i].article_id);
      ASSERT_NE(row, vectors.ids.end());
      if (restricts(query)) {
        EXPECT_TRUE(query.eligible->test({static_cast<std::uint32_t>(row - vectors.ids.begin())}));
      }
      common += found.hits[i].score >= wanted.back().first - kScoreError ? 1U : 0U;
      if (i > 0) {
        EXPECT_LE(found.hits[i].score, found.hits[i - 1].score);
      }
      if (engine_->exact()) {
        EXPECT_NEAR(found.hits[i].score, wanted[i].first, kScoreError) << "rank " << i;
      }
    }
    EXPECT_EQ(found.exact, engine_->claims_exact());
    EXPECT_GE(static_cast<double>(common), 0.9 * static_cast<double>(wanted.size()));
  }

  std::unique_ptr<VectorIndexEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VectorIndexConformance);

TEST_P(VectorIndexConformance, FindsTheNearestWithAndWithoutAnEligibleSet) {
  const auto vectors = random_vectors(700, 24, 1);
  engine_->publish(core::GenerationId("g1"), vectors);
  ASSERT_TRUE(open("g1"));
  std::mt19937 random(2);
  std::vector<ports::VectorQuery> queries;
  for (const std::size_t k : {1U, 10U, 100U, 700U, 1000U}) {
    for (const unsigned every : {0U, 2U, 9U, 300U}) {
      ports::VectorQuery query{.vector = random_unit_vector(random, 24), .k = k, .filter = nullptr, .eligible = nullptr};
      if (every > 0) {
        catalog::Bitmap bits(700);
        for (std::uint32_t row = 0; row < 700; row += every) bits.set({row});
        query.eligible = std::make_shared<const catalog::Bitmap>(std::move(bits));
      }
      queries.push_back(std::move(query));
    }
  }
  const auto batch = search("g1", queries);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->size(), queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    SCOPED_TRACE(i);
    expect_nearest(vectors, queries[i], (*batch)[i]);
    const auto alone = search("g1", {queries[i]});
    ASSERT_TRUE(alone) << alone.error().message;
    ASSERT_EQ((*alone)[0].hits.size(), (*batch)[i].hits.size());
    for (std::size_t j = 0; j < (*alone)[0].hits.size(); ++j) {
      EXPECT_EQ((*alone)[0].hits[j].article_id, (*batch)[i].hits[j].article_id);
      EXPECT_EQ((*alone)[0].hits[j].score, (*batch)[i].hits[j].score);
    }
  }
}

TEST_P(VectorIndexConformance, EqualScoresAreOrderedByArticle) {
  auto vectors = random_vectors(40, 8, 3);
  for (std::size_t row = 0; row < 40; ++row) std::ranges::copy(vectors.row(0), vectors.values.begin() + static_cast<std::ptrdiff_t>(row * 8));
  engine_->publish(core::GenerationId("ties"), vectors);
  ASSERT_TRUE(open("ties"));
  const std::vector<float> query(vectors.row(0).begin(), vectors.row(0).end());
  const auto found = search("ties", {{.vector = query, .k = 5, .filter = nullptr, .eligible = nullptr}});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ((*found)[0].hits.size(), 5U);
  const auto& hits = (*found)[0].hits;
  EXPECT_TRUE(std::ranges::is_sorted(hits, {}, &ports::VectorHit::article_id));
  if (!engine_->chooses_ties_by_article()) return;
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(hits[i].article_id, vectors.ids[i]);
}

TEST_P(VectorIndexConformance, TellsTheVectorOfAnArticle) {
  const auto vectors = random_vectors(40, 8, 12);
  engine_->publish(core::GenerationId("g1"), vectors);
  const auto ask = [&](const std::string& generation, const catalog::ArticleId& article) {
    return core::sync_wait(engine_->index().vector_of(core::GenerationId(generation), article, core::Deadline::never()));
  };
  EXPECT_EQ(ask("g1", vectors.ids[0]).error().code, core::ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(open("g1"));
  for (std::size_t row = 0; row < vectors.ids.size(); ++row) {
    const auto vector = ask("g1", vectors.ids[row]);
    ASSERT_TRUE(vector) << vector.error().message;
    ASSERT_EQ(vector->size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR((*vector)[i], vectors.row(row)[i], 1e-6);
  }
  for (const char* unknown : {"1", "1001", "9999999999", "zzz"}) {
    EXPECT_EQ(ask("g1", *catalog::ArticleId::parse(unknown)).error().code, core::ErrorCode::kNotFound) << unknown;
  }
  const core::SystemClock clock;
  const auto late = core::sync_wait(engine_->index().vector_of(core::GenerationId("g1"), vectors.ids[0],
                                                               core::Deadline::at(clock.steady_now() - std::chrono::seconds(1))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::kDeadlineExceeded);
}

TEST_P(VectorIndexConformance, NothingEligibleGivesNothing) {
  engine_->publish(core::GenerationId("g1"), random_vectors(70, 8, 4));
  ASSERT_TRUE(open("g1"));
  const auto none = std::make_shared<const catalog::Bitmap>(70);
  const auto found = search("g1", {{.vector = std::vector<float>(8, 0.35355339F), .k = 5, .filter = nullptr, .eligible = none}});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE((*found)[0].hits.empty());
  const auto no_queries = search("g1", {});
  ASSERT_TRUE(no_queries);
  EXPECT_TRUE(no_queries->empty());
}

TEST_P(VectorIndexConformance, SeveralGenerationsAreOpenAtATimeUntilTheyAreClosed) {
  const auto first = random_vectors(50, 8, 5);
  const auto second = random_vectors(60, 8, 6);
  engine_->publish(core::GenerationId("g1"), first);
  engine_->publish(core::GenerationId("g2"), second);
  ASSERT_TRUE(open("g1"));
  ASSERT_TRUE(open("g2"));
  ASSERT_TRUE(open("g2"));
  std::mt19937 random(7);
  const ports::VectorQuery query{.vector = random_unit_vector(random, 8), .k = 10, .filter = nullptr, .eligible = nullptr};
  expect_nearest(first, query, (*search("g1", {query}))[0]);
  expect_nearest(second, query, (*search("g2", {query}))[0]);
  engine_->index().close(core::GenerationId("g1"));
  engine_->index().close(core::GenerationId("never opened"));
  const auto closed = search("g1", {query});
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, core::ErrorCode::kFailedPrecondition);
  expect_nearest(second, query, (*search("g2", {query}))[0]);
}

TEST_P(VectorIndexConformance, WrongCallsAreToldApart) {
  engine_->publish(core::GenerationId("g1"), random_vectors(50, 8, 8));
  EXPECT_EQ(open("missing").error().code, core::ErrorCode::kNotFound);
  EXPECT_EQ(open("../g1").error().code, core::ErrorCode::kNotFound);
  std::vector<float> vector(8, 0.35355339F);
  EXPECT_EQ(search("g1", {{.vector = vector, .k = 5, .filter = nullptr, .eligible = nullptr}}).error().code,
            core::ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(open("g1"));
  EXPECT_EQ(search("g1", {{.vector = vector, .k = 0, .filter = nullptr, .eligible = nullptr}}).error().code,
            core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(search("g1", {{.vector = vector, .k = 16385, .filter = nullptr, .eligible = nullptr}}).error().code,
            core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(search("g1", {{.vector = std::vector<float>(7, 0.5F), .k = 5, .filter = nullptr, .eligible = nullptr}}).error().code,
            core::ErrorCode::kInvalidArgument);
  const core::SystemClock clock;
  const auto late = core::sync_wait(engine_->index().search(
      core::GenerationId("g1"), {{.vector = vector, .k = 5, .filter = nullptr, .eligible = nullptr}},
      core::Deadline::at(clock.steady_now() - std::chrono::seconds(1))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::kDeadlineExceeded);
}

TEST_P(VectorIndexConformance, ThreadsSearchWhileGenerationsComeAndGo) {
  const auto first = random_vectors(300, 16, 9);
  engine_->publish(core::GenerationId("g1"), first);
  engine_->publish(core::GenerationId("g2"), random_vectors(200, 16, 10));
  ASSERT_TRUE(open("g1"));
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 3; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 40; ++i) {
        const ports::VectorQuery query{.vector = random_unit_vector(random, 16), .k = 10, .filter = nullptr, .eligible = nullptr};
        const auto found = search("g1", {query, query});
        ASSERT_TRUE(found) << found.error().message;
        expect_nearest(first, query, (*found)[1]);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(open("g2"));
    engine_->index().close(core::GenerationId("g2"));
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace scalestyle::support
