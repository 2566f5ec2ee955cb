#include "search/recall_sampler.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "search/eligible_search.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;

ports::VectorHit hit(const std::string& id) { return {*catalog::ArticleId::parse(id), 0.5F}; }

// Gives what the test says, and notes what it was asked.
class ScriptedIndex final : public ports::VectorIndex {
 public:
  core::Task<core::Status> open(core::GenerationId generation, core::Deadline) override {
    opened.push_back(generation.value());
    if (fails) co_return core::fail(ErrorCode::kNotFound, "no such generation");
    co_return core::Status();
  }
  void close(const core::GenerationId& generation) override { closed.push_back(generation.value()); }
  core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId, std::vector<ports::VectorQuery> queries,
                                                                  core::Deadline) override {
    std::vector<ports::VectorHits> results(queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      ks.push_back(queries[i].k);
      results[i].hits = hits;
      results[i].exact = exact;
    }
    co_return results;
  }
  core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId, catalog::ArticleId, core::Deadline) override {
    co_return core::fail(ErrorCode::kNotFound, "none");
  }

  std::vector<ports::VectorHit> hits;
  bool exact = true;
  bool fails = false;
  std::vector<std::string> opened;
  std::vector<std::string> closed;
  std::vector<std::size_t> ks;
};

class RecallSamplerTest : public testing::Test {
 protected:
  RecallSampler sampler(std::size_t one_in) { return RecallSampler({index_, *pool_, clock_}, one_in, metrics_); }
  // Does what was queued, on this thread. Nothing can be queued in this pool afterwards.
  void finish() {
    pool_->stop();
    pool_->run();
  }
  std::string shown() { return metrics_.render(); }

  support::FakeClock clock_;
  std::unique_ptr<core::WorkerPool> pool_ = std::make_unique<core::WorkerPool>(core::WorkerPool::Options{}, clock_);
  ScriptedIndex index_;
  telemetry::Metrics metrics_;
};

TEST(RecallOf, IsTheShareOfTheExactAnswer) {
  EXPECT_DOUBLE_EQ(recall_of({hit("a"), hit("b")}, {hit("b"), hit("c"), hit("d"), hit("a")}), 0.5);
  EXPECT_DOUBLE_EQ(recall_of({}, {hit("a")}), 0);
  EXPECT_DOUBLE_EQ(recall_of({hit("a")}, {}), 1);
}

TEST_F(RecallSamplerTest, ComparesAsManyAsWereFound) {
  index_.hits = {hit("a"), hit("c")};
  auto sampled = sampler(1);
  ports::VectorQuery query;
  query.k = 1'000;
  sampled.offer(core::GenerationId("g1"), query, {hit("a"), hit("b")});
  EXPECT_TRUE(index_.ks.empty());  // not on the caller's thread
  finish();
  EXPECT_THAT(index_.opened, ElementsAre("g1"));
  EXPECT_THAT(index_.ks, ElementsAre(2));
  EXPECT_THAT(shown(), HasSubstr("scalestyle_vector_recall_ratio_sum 0.5\n"));
  EXPECT_THAT(shown(), HasSubstr("scalestyle_vector_recall_samples_total{outcome=\"compared\"} 1\n"));
}

TEST_F(RecallSamplerTest, ChoosesOneInSoManyAndNeverTwoAtOnce) {
  auto sampled = sampler(3);
  for (int i = 0; i < 7; ++i) sampled.offer(core::GenerationId("g1"), {}, {hit("a")});  // the first, fourth and seventh
  finish();
  EXPECT_EQ(index_.ks.size(), 1U);
  EXPECT_THAT(shown(), HasSubstr("{outcome=\"compared\"} 1\n"));
  EXPECT_THAT(shown(), HasSubstr("{outcome=\"busy\"} 2\n"));
}

TEST_F(RecallSamplerTest, NeverComparesMoreThanItsDepth) {
  auto sampled = sampler(1);
  sampled.offer(core::GenerationId("g1"), {}, std::vector<ports::VectorHit>(kRecallDepth + 50, hit("a")));
  finish();
  EXPECT_THAT(index_.ks, ElementsAre(kRecallDepth));
}

TEST_F(RecallSamplerTest, CountsWhatCannotBeCompared) {
  index_.fails = true;
  auto sampled = sampler(1);
  sampled.offer(core::GenerationId("g1"), {}, {hit("a")});
  finish();
  EXPECT_THAT(shown(), HasSubstr("{outcome=\"failed\"} 1\n"));
  EXPECT_THAT(shown(), HasSubstr("scalestyle_vector_recall_ratio_count 0\n"));
}

TEST_F(RecallSamplerTest, APoolThatTakesNothingIsNoFault) {
  auto sampled = sampler(1);
  finish();
  sampled.offer(core::GenerationId("g1"), {}, {hit("a")});
  sampled.offer(core::GenerationId("g1"), {}, {hit("a")});
  EXPECT_THAT(shown(), HasSubstr("{outcome=\"busy\"} 2\n"));
}

TEST_F(RecallSamplerTest, IsOfferedAnswersThatAreNotExact) {
  auto sampled = sampler(1);
  ScriptedIndex engine_index;
  engine_index.hits = {hit("a"), hit("b"), hit("c")};
  EligibleEngine engine(engine_index, metrics_);
  engine.sampler = &sampled;
  const ShownHit shown_hit = [](std::size_t, const catalog::ArticleId& article) { return article.text() != "b"; };
  const auto ask = [&] {
    std::vector<ports::VectorQuery> queries(1);
    queries[0].k = 5;
    return core::sync_wait(
        search_eligible(engine, core::GenerationId("g1"), std::move(queries), shown_hit, core::Deadline::never()));
  };
  ASSERT_TRUE(ask());  // exact: as it is
  engine_index.exact = false;
  ASSERT_TRUE(ask());
  finish();
  EXPECT_THAT(index_.ks, ElementsAre(2));  // without what may not be shown
}

}  // namespace
}  // namespace scalestyle::search
