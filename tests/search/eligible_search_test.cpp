#include "search/eligible_search.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/task.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;

std::string name(std::size_t rank) { return "a" + std::to_string(rank); }

// Gives the articles a0, a1, … of `size` to every query, best first.
class FilterOnlyIndex final : public ports::VectorIndex {
 public:
  core::Task<core::Status> open(core::GenerationId, core::Deadline) override { co_return core::Status(); }
  void close(const core::GenerationId&) override {}
  core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId, std::vector<ports::VectorQuery> queries,
                                                                  core::Deadline) override {
    std::vector<std::size_t> ks;
    std::vector<ports::VectorHits> results;
    for (const auto& query : queries) {
      ks.push_back(query.k);
      ports::VectorHits& hits = results.emplace_back();
      hits.exact = exact;
      hits.rows_scanned = 1;
      for (std::size_t rank = 0; rank < std::min(query.k, size); ++rank) {
        hits.hits.push_back({*catalog::ArticleId::parse(name(rank)), 1.0F - 0.0001F * static_cast<float>(rank)});
      }
    }
    asked.push_back(std::move(ks));
    if (asked.size() > 1 && fails_second) co_return core::fail(ErrorCode::kUnavailable, "gone");
    co_return results;
  }
  core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId, catalog::ArticleId, core::Deadline) override {
    co_return core::fail(ErrorCode::kNotFound, "none");
  }

  std::size_t size = 1'000;
  bool exact = false;
  bool fails_second = false;
  std::vector<std::vector<std::size_t>> asked;  // the k of each call's queries
};

class EligibleSearchTest : public testing::Test {
 protected:
  using Allowed = std::function<bool(std::size_t query, std::size_t rank)>;

  core::Result<std::vector<ports::VectorHits>> search(std::vector<std::size_t> ks, const Allowed& allowed) {
    std::vector<ports::VectorQuery> queries(ks.size());
    for (std::size_t i = 0; i < ks.size(); ++i) queries[i].k = ks[i];
    const ShownHit shown = [&](std::size_t query, const catalog::ArticleId& article) {
      return allowed(query, std::stoul(article.text().substr(1)));
    };
    return core::sync_wait(search_eligible(engine_, core::GenerationId("g"), std::move(queries), shown, core::Deadline::never()));
  }
  static std::vector<std::string> ids(const ports::VectorHits& hits) {
    std::vector<std::string> all;
    for (const auto& hit : hits.hits) all.push_back(hit.article_id.text());
    return all;
  }

  FilterOnlyIndex index_;
  telemetry::Metrics metrics_;
  EligibleEngine engine_{index_, metrics_};
};

TEST(IngestedFilter, LeavesPricesOutOnceArticlesWereChanged) {
  auto filter = std::make_shared<catalog::Filter>();
  filter->price_max = 20.0;
  const GenerationVersion ingested{core::GenerationId("g"), 0}, changed{core::GenerationId("g"), 3};
  EXPECT_EQ(ingested_filter(ingested, nullptr), nullptr);
  EXPECT_EQ(ingested_filter(ingested, filter), filter);
  EXPECT_EQ(ingested_filter(changed, filter), nullptr) << "nothing else was in it";
  (*filter)[catalog::FilterField::kColour].push_back("Red");
  const auto rest = ingested_filter(changed, filter);
  ASSERT_NE(rest, nullptr);
  EXPECT_FALSE(rest->price_max);
  EXPECT_THAT((*rest)[catalog::FilterField::kColour], ElementsAre("Red"));
  filter->price_max.reset();
  EXPECT_EQ(ingested_filter(changed, filter), filter);
}

TEST_F(EligibleSearchTest, AnExactAnswerIsTakenAsItIs) {
  index_.exact = true;
  const auto found = search({3}, [](std::size_t, std::size_t) { return false; });
  EXPECT_THAT(ids((*found)[0]), ElementsAre("a0", "a1", "a2"));
  EXPECT_EQ(engine_.outside.value(), 0);
  EXPECT_EQ(index_.asked.size(), 1U);
}

TEST_F(EligibleSearchTest, WhatMayNotBeShownIsLeftOutAndReplaced) {
  const auto found = search({4, 3, 2}, [](std::size_t query, std::size_t rank) { return query == 1 || rank % 2 == 1; });
  ASSERT_TRUE(found);
  EXPECT_THAT(ids((*found)[0]), ElementsAre("a1", "a3", "a5", "a7"));
  EXPECT_THAT(ids((*found)[1]), ElementsAre("a0", "a1", "a2"));
  EXPECT_THAT(ids((*found)[2]), ElementsAre("a1", "a3"));
  EXPECT_THAT(index_.asked, ElementsAre(ElementsAre(4, 3, 2), ElementsAre(20, 10)));
  EXPECT_EQ(engine_.again.value(), 2);
  EXPECT_EQ(engine_.outside.value(), 2 + 1 + 10 + 5);
  EXPECT_EQ(engine_.missing.value(), 0);
  EXPECT_EQ((*found)[0].rows_scanned, 2U);
  EXPECT_FALSE((*found)[0].exact);
}

TEST_F(EligibleSearchTest, AnAnswerThatWasNotFullIsNotAskedForAgain) {
  index_.size = 5;
  const auto found = search({10}, [](std::size_t, std::size_t rank) { return rank == 4; });
  EXPECT_THAT(ids((*found)[0]), ElementsAre("a4"));
  EXPECT_EQ(index_.asked.size(), 1U);
  EXPECT_EQ(engine_.outside.value(), 4);
  EXPECT_EQ(engine_.missing.value(), 0);  // there is no more
}

TEST_F(EligibleSearchTest, ItIsAskedAgainOnceAndNotBeyondTheLimit) {
  index_.size = 100'000;
  auto found = search({10}, [](std::size_t, std::size_t rank) { return rank >= 50'000; });
  EXPECT_THAT(ids((*found)[0]), IsEmpty());
  EXPECT_THAT(index_.asked, ElementsAre(ElementsAre(10), ElementsAre(kMostVectorHits)));
  EXPECT_EQ(engine_.missing.value(), 10);
  index_.asked.clear();
  found = search({kMostVectorHits}, [](std::size_t, std::size_t rank) { return rank > 0; });
  EXPECT_EQ((*found)[0].hits.size(), kMostVectorHits - 1);
  EXPECT_EQ(index_.asked.size(), 1U);
  EXPECT_EQ(engine_.missing.value(), 11);
}

TEST_F(EligibleSearchTest, ASecondQuestionThatFailsLeavesTheFirstAnswer) {
  index_.fails_second = true;
  const auto found = search({4}, [](std::size_t, std::size_t rank) { return rank > 1; });
  ASSERT_TRUE(found);
  EXPECT_THAT(ids((*found)[0]), ElementsAre("a2", "a3"));
  EXPECT_EQ(engine_.missing.value(), 2);
  index_.asked.clear();
  const auto nothing = search({4}, [](std::size_t, std::size_t rank) { return rank > 10; });
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace scalestyle::search
