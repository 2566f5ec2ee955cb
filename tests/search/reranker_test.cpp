#include "search/reranker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "catalog/rerank_text.hpp"
#include "search/base_list.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/slow_pair_scorer.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using std::chrono::milliseconds;

constexpr std::size_t kArticles = 40;
constexpr auto kPerPair = milliseconds(10);

// Every product has two rows. Articles 0, 8 and 16 and their siblings have equal texts.
catalog::Catalog make_catalog() {
  const std::vector<std::string> words{"red", "blue", "linen", "dress", "socks"};
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < kArticles; ++i) {
    auto article = support::make_article(std::to_string(1000 + i), words[i % 5] + " " + words[i * 7 % 3]);
    article.product_code = std::to_string(i / 2);
    if (i < 18 && i % 8 < 2) {
      article.name = "plain";
      article.description = "plain";
    }
    builder.add(article).value();
  }
  return std::move(builder).build().value();
}

class RerankerTest : public testing::Test {
 protected:
  RerankerTest() {
    for (std::uint32_t i = 0; i < kArticles; ++i) {
      list_.rows.push_back(catalog::RowIndex{i});
      list_.scores.push_back(1 - 0.01 * i);
    }
  }

  // The time until the deadline is the scorer's alone: no budget cuts it.
  [[nodiscard]] RerankRequest request(std::optional<std::size_t> depth, milliseconds time = milliseconds(10'000)) const {
    return {.query = "red linen dress", .articles = &articles_, .rows = list_.rows, .scores = list_.scores, .depth = depth,
            .deadline = core::Deadline::after(time, clock_)};
  }
  Reranker& make(PairScoreCache* cache = nullptr, ports::PairScorer* first = nullptr, RerankOptions options = {}) {
    reranker_ = std::make_unique<Reranker>(
        Reranker::Dependencies{.scorer = scorer_, .timers = timers_, .clock = clock_, .metrics = metrics_,
                               .first_scorer = first, .cache = cache},
        options);
    return *reranker_;
  }
  static RerankOutcome run(Reranker& reranker, RerankRequest wanted) {
    return core::sync_wait(reranker.rerank(std::move(wanted)));
  }
  [[nodiscard]] BaseList applied(const RerankOutcome& outcome) const {
    BaseList list = list_;
    apply(outcome, articles_, list);
    return list;
  }

  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
  support::SlowPairScorer scorer_{clock_, kPerPair};
  catalog::Catalog articles_ = make_catalog();
  BaseList list_;
  std::unique_ptr<Reranker> reranker_;
};

TEST_F(RerankerTest, OrdersAListByTheCrossEncoder) {
  const auto outcome = run(make(), request(kArticles));
  EXPECT_EQ(outcome.status, RerankStatus::kComplete);
  EXPECT_EQ(outcome.depth(), kArticles);
  ASSERT_EQ(outcome.passes.size(), 1U);
  EXPECT_EQ(outcome.passes[0].planned, kArticles);
  EXPECT_EQ(outcome.passes[0].model, "slow-scorer");
  const BaseList list = applied(outcome);
  std::vector<float> logits;
  for (std::size_t i = 0; i < kArticles; ++i) {
    const auto* judged = outcome.judgement(list.rows[i]);
    ASSERT_NE(judged, nullptr);
    EXPECT_EQ(judged->logit, support::fake_logit("red linen dress", catalog::rerank_text_v1(articles_.row(list.rows[i]))));
    EXPECT_EQ(list.scores[i], static_cast<double>(judged->score));
    logits.push_back(judged->logit);
  }
  EXPECT_TRUE(std::ranges::is_sorted(logits, std::greater<>()));
}

TEST_F(RerankerTest, EqualTextsAreScoredOnce) {
  const auto outcome = run(make(), request(kArticles));
  std::set<std::string> distinct;
  for (std::uint32_t i = 0; i < kArticles; ++i) distinct.insert(catalog::rerank_text_v1(articles_.row(catalog::RowIndex{i})));
  EXPECT_LT(distinct.size(), kArticles);
  EXPECT_EQ(scorer_.pairs(), distinct.size());
  EXPECT_EQ(outcome.passes[0].pairs_computed, distinct.size());

  // The best row of each product: the sibling that has its text has its judgement too, one with another text has none.
  const auto shallow = run(make(), request(kArticles / 2));
  EXPECT_EQ(shallow.depth(), kArticles / 2);
  for (std::uint32_t i = 0; i < kArticles; i += 2) {
    const bool is_twin = i < 18 && i % 8 == 0;
    ASSERT_NE(shallow.judgement(catalog::RowIndex{i}), nullptr);
    ASSERT_EQ(shallow.judgement(catalog::RowIndex{i + 1}) != nullptr, is_twin) << i;
    if (is_twin) {
      EXPECT_EQ(shallow.judgement(catalog::RowIndex{i})->logit, shallow.judgement(catalog::RowIndex{i + 1})->logit);
    }
  }
}

TEST_F(RerankerTest, TheDeadlineCutsAPrefixOfTheSameJudgements) {
  const auto whole = run(make(), request(30));
  for (const int time : {0, 5, 15, 75, 120}) {
    const core::SteadyTime start = clock_.steady_now();
    const auto cut = run(make(), request(30, milliseconds(time)));
    EXPECT_LE(clock_.steady_now() - start, milliseconds(time));
    EXPECT_EQ(cut.status, RerankStatus::kPartial);
    EXPECT_EQ(cut.passes[0].planned, 30U);
    EXPECT_LT(cut.depth(), 30U);
    EXPECT_EQ(cut.error(), nullptr);
    if (time >= 15) {
      EXPECT_GE(cut.depth(), 1U) << "where there is time, something is reranked";
    }
    for (std::size_t i = 0; i < cut.depth(); ++i) EXPECT_EQ(cut.passes[0].judged[i], whole.passes[0].judged[i]);
    auto rows = applied(cut).rows;
    std::ranges::sort(rows);
    EXPECT_EQ(rows, list_.rows);
  }
}

TEST_F(RerankerTest, AShallowOutcomeIsContinued) {
  const auto fresh = run(make(), request(30));
  const std::size_t all = scorer_.pairs();
  const auto shallow = run(make(), request(30, milliseconds(95)));
  ASSERT_EQ(shallow.status, RerankStatus::kPartial);
  ASSERT_GT(shallow.depth(), 0U);
  const std::size_t before = scorer_.pairs();
  auto more = request(30);
  more.known = &shallow;
  const auto deeper = run(*reranker_, more);
  EXPECT_EQ(deeper.status, RerankStatus::kComplete);
  EXPECT_EQ(deeper.passes[0].judged, fresh.passes[0].judged);
  EXPECT_LT(scorer_.pairs() - before, all);
  EXPECT_GE(deeper.passes[0].pairs_cached, shallow.depth());
  EXPECT_EQ(applied(deeper).rows, applied(fresh).rows);
}

TEST_F(RerankerTest, TheCacheSavesTheWorkAndChangesNothing) {
  PairScoreCache cache(1 << 20, clock_);
  const auto first = run(make(&cache), request(30));
  const std::size_t pairs = scorer_.pairs();
  const auto second = run(*reranker_, request(30));
  EXPECT_EQ(scorer_.pairs(), pairs);
  EXPECT_EQ(second.passes[0].judged, first.passes[0].judged);
  EXPECT_EQ(second.passes[0].pairs_cached, 30U);
  EXPECT_EQ(second.passes[0].pairs_computed, 0U);
  EXPECT_EQ(second.status, RerankStatus::kComplete);
  // Blanks do not make another query; words do.
  auto spaced = request(30);
  spaced.query = "  red \t linen  dress ";
  EXPECT_EQ(run(*reranker_, spaced).passes[0].pairs_cached, 30U);
  EXPECT_EQ(scorer_.pairs(), pairs);
  spaced.query = "Red linen dress";
  EXPECT_EQ(run(*reranker_, spaced).passes[0].pairs_cached, 0U);
  // No time at all: what is known is used all the same.
  const auto hurried = run(*reranker_, request(30, milliseconds(0)));
  EXPECT_EQ(hurried.status, RerankStatus::kComplete);
  EXPECT_EQ(hurried.passes[0].judged, first.passes[0].judged);
}

TEST_F(RerankerTest, AFailureIsTold) {
  scorer_.fail_from(1);
  const auto nothing = run(make(), request(30));
  EXPECT_EQ(nothing.status, RerankStatus::kUnavailable);
  ASSERT_NE(nothing.error(), nullptr);
  EXPECT_EQ(nothing.error()->code, ErrorCode::kUnavailable);
  EXPECT_EQ(nothing.depth(), 0U);
  const BaseList list = applied(nothing);
  EXPECT_EQ(list.rows, list_.rows);
  EXPECT_EQ(list.scores, list_.scores);

  scorer_.fail_from(scorer_.calls() + 2);  // the second chunk
  const auto part = run(make(), request(30));
  EXPECT_EQ(part.status, RerankStatus::kPartial);
  EXPECT_NE(part.error(), nullptr);
  EXPECT_GT(part.depth(), 0U);
  EXPECT_LT(part.depth(), 30U);
}

TEST_F(RerankerTest, NamedRowsStayAndNothingToDoIsNoWork) {
  auto wanted = request(10);
  wanted.pinned = 3;
  const auto outcome = run(make(), wanted);
  const BaseList list = applied(outcome);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(list.rows[i], catalog::RowIndex{i});
    EXPECT_EQ(outcome.judgement(catalog::RowIndex{i}), nullptr);
  }
  wanted.pinned = kArticles;
  EXPECT_EQ(run(make(), wanted).status, RerankStatus::kNothing);
  EXPECT_TRUE(run(make(), {.query = "q", .articles = &articles_}).is_empty());
}

TEST_F(RerankerTest, PlansWhatTheMachineAffords) {
  EXPECT_EQ(make().usual_depth(), 15U);  // 100 pairs a second of 50 tokens; taken for 64 tokens before any was seen
  const auto outcome = run(*reranker_, request({}, milliseconds(600)));
  EXPECT_EQ(outcome.passes[0].planned, 15U);
  EXPECT_EQ(outcome.status, RerankStatus::kComplete);
  EXPECT_EQ(reranker_->usual_depth(), 20U);
  EXPECT_EQ(reranker_->planned_depth(core::Deadline::after(milliseconds(40), clock_), {}), 20U);
  EXPECT_EQ(reranker_->planned_depth(core::Deadline::never(), {}), 50U);
  EXPECT_EQ(reranker_->planned_depth(core::Deadline::never(), 120), 120U);
  EXPECT_EQ(run(*reranker_, request({}, milliseconds(600))).status, RerankStatus::kComplete);
  const auto hurried = run(*reranker_, request({}, milliseconds(40)));
  EXPECT_EQ(hurried.passes[0].planned, 20U);
  EXPECT_EQ(hurried.status, RerankStatus::kPartial);
  const auto patient = run(*reranker_, request({}, milliseconds(4'000)));
  EXPECT_EQ(patient.passes[0].planned, kArticles);
  EXPECT_EQ(patient.status, RerankStatus::kComplete);
}

TEST_F(RerankerTest, ASmallModelChoosesWhatTheLargeOneJudges) {
  support::SlowPairScorer small(clock_, milliseconds(1), "small-scorer");
  const auto outcome = run(make(nullptr, &small, {.first_pass_depth = 40}), request(6));
  ASSERT_EQ(outcome.passes.size(), 2U);
  EXPECT_EQ(outcome.passes[0].model, "small-scorer");
  EXPECT_EQ(outcome.passes[0].scored, 40U);
  EXPECT_EQ(outcome.passes[1].model, "slow-scorer");
  EXPECT_EQ(outcome.depth(), 6U);
  EXPECT_EQ(outcome.status, RerankStatus::kComplete);
  // The large one judges the best products of the small one's list, and its judgements lead.
  BaseList expected = list_;
  RerankOutcome first_alone;
  first_alone.passes = {outcome.passes[0]};
  apply(first_alone, articles_, expected);
  std::set<std::uint32_t> products;
  std::vector<catalog::RowIndex> chosen;
  for (const auto row : expected.rows) {
    if (products.insert(articles_.product_of(row)).second) chosen.push_back(row);
  }
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(outcome.passes[1].judged[i].row, chosen[i]);
  EXPECT_NE(reranker_->fingerprint().find("small-scorer"), std::string::npos);

  // A first pass that fails leaves the second to the fused list, and is told.
  small.fail_from(1);
  const auto without = run(*reranker_, request(6));
  EXPECT_EQ(without.status, RerankStatus::kUnavailable);
  EXPECT_EQ(without.depth(), 6U);
}

TEST_F(RerankerTest, AFirstPassTakesHalfOfTheTimeAtMost) {
  support::SlowPairScorer small(clock_, kPerPair, "small-scorer");
  const core::SteadyTime start = clock_.steady_now();
  const auto outcome = run(make(nullptr, &small, {.first_pass_depth = 40}), request(40, milliseconds(200)));
  EXPECT_LE(clock_.steady_now() - start, milliseconds(200));
  EXPECT_EQ(outcome.status, RerankStatus::kPartial);
  EXPECT_GE(outcome.passes[0].scored, 9U);  // pairs; more rows where texts are equal
  EXPECT_LT(outcome.passes[0].scored, 40U);
  EXPECT_GE(outcome.passes[1].scored, 9U);
}

// With threads of their own, and clocks that run.
class ThreadedRerankerTest : public RerankerTest {
 protected:
  ~ThreadedRerankerTest() override {
    fake_.release();
    compute_.stop();
  }
  support::ComputeThreads compute_;
  support::FakePairScorer fake_{compute_.pool(), compute_.clock()};
  Reranker threaded_{{.scorer = fake_, .timers = compute_.timers(), .clock = compute_.clock(), .metrics = metrics_}, {}};
};

TEST_F(ThreadedRerankerTest, LeavesAScorerThatDoesNotEnd) {
  fake_.hold();
  auto wanted = request(30);
  wanted.deadline = core::Deadline::after(milliseconds(20), compute_.clock());
  const auto outcome = run(threaded_, wanted);
  EXPECT_EQ(outcome.status, RerankStatus::kPartial);
  EXPECT_EQ(outcome.depth(), 0U);
}

TEST_F(ThreadedRerankerTest, EndsWhenTheCallerGoes) {
  fake_.hold();
  auto wanted = request(30);
  wanted.deadline = core::Deadline::never();
  std::atomic<bool> cancelled{false};
  const auto noted = [](Reranker& reranker, RerankRequest work, std::atomic<bool>& flag) -> core::Task<bool> {
    const RerankOutcome outcome = co_await reranker.rerank(std::move(work));
    flag = outcome.status == RerankStatus::kCancelled;
    co_return true;
  };
  auto operation = core::start(noted(threaded_, wanted, cancelled), [](bool) {});
  fake_.wait_until_held(1);
  operation.cancel();
  EXPECT_TRUE(cancelled);  // on this thread
}

TEST_F(ThreadedRerankerTest, AScorerWithoutNumbersIsAFailure) {
  class Broken final : public ports::PairScorer {
   public:
    [[nodiscard]] const ports::ScorerInfo& info() const override { return info_; }
    [[nodiscard]] double tokens_per_second() const override { return 0; }
    [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string, std::vector<std::string> texts,
                                                                    core::Deadline) override {
      ports::PairScores scores;
      scores.scores.assign(texts.size(), {std::numeric_limits<float>::quiet_NaN(), 0.5F});
      co_return scores;
    }

   private:
    ports::ScorerInfo info_{"broken", "", "f32", "sigmoid", 512};
  } broken;
  Reranker reranker({.scorer = broken, .timers = compute_.timers(), .clock = compute_.clock(), .metrics = metrics_}, {});
  auto wanted = request(30);
  wanted.deadline = core::Deadline::never();
  const auto outcome = run(reranker, wanted);
  EXPECT_EQ(outcome.status, RerankStatus::kUnavailable);
  EXPECT_EQ(outcome.error()->code, ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace scalestyle::search
