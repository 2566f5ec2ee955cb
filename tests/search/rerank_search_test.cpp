// Searches that a cross-encoder reranks: the order, how far it got, what an answer says of it, and what is left without it.
// The clock stands still but for what a pair takes.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

#include "search/reranker.hpp"
#include "search/search_service.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/slow_pair_scorer.hpp"

namespace scalestyle::search {
namespace {

using std::chrono::milliseconds;

constexpr int kArticles = 60;
constexpr auto kPerPair = milliseconds(10);

class RerankSearchTest : public testing::Test {
 protected:
  RerankSearchTest() {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { pool_.run(); });
    const std::vector<std::string> types{"Dress", "Shirt", "Socks", "Trousers"};
    std::vector<catalog::Article> articles;
    for (int i = 0; i < kArticles; ++i) {
      auto article = support::make_article(id_of(i), "Name " + std::to_string(i));
      article[catalog::Attribute::kColour] = i % 3 == 0 ? "Red" : "Blue";
      article[catalog::Attribute::kProductType] = types[static_cast<std::size_t>(i) % types.size()];
      article.product_code = std::to_string(i);
      articles.push_back(std::move(article));
    }
    catalogs_.publish(support::make_snapshot("a", articles, encoder_.info()));
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  }
  ~RerankSearchTest() override {
    pool_.stop();
    for (auto& thread : threads_) thread.join();
  }

  static std::string id_of(int number) { return "000000" + std::to_string(1000 + number); }

  SearchService& make(bool with_reranker = true) {
    services_.push_back(std::make_unique<SearchService>(
        SearchService::Dependencies{.generations = holder_, .encoder = encoder_, .index = index_, .pool = pool_,
                                    .timers = timers_, .clock = clock_, .metrics = metrics_,
                                    .reranker = with_reranker ? &reranker_ : nullptr},
        SearchOptions()));
    return *services_.back();
  }
  [[nodiscard]] SearchRequest request(const std::string& query, milliseconds time = kMaxDeadline) const {
    SearchRequest wanted;
    wanted.query = query;
    wanted.k = kMaxK;
    wanted.deadline = core::Deadline::after(time, clock_);
    return wanted;
  }
  static SearchAnswer run(SearchService& service, SearchRequest wanted) {
    return core::sync_wait(service.search(std::move(wanted))).value();
  }
  static std::vector<std::string> ids(const SearchAnswer& answer) {
    std::vector<std::string> list;
    for (const AnswerItem& item : answer.items) list.emplace_back(item.article.id());
    return list;
  }
  static StageOutcome stage(const SearchAnswer& answer) {
    const auto found = std::ranges::find(answer.stages, Stage::kRerank, &StageReport::stage);
    EXPECT_NE(found, answer.stages.end());
    return found == answer.stages.end() ? StageOutcome::kFailed : found->outcome;
  }

  support::FakeClock clock_;
  telemetry::Metrics metrics_;
  std::vector<std::unique_ptr<SearchService>> services_;
  core::WorkerPool pool_{{.threads = 2}, clock_};
  core::TimerQueue timers_{clock_};
  std::vector<std::thread> threads_;
  support::FakeTextEncoder encoder_{pool_};
  support::FakeCatalogStore catalogs_;
  support::FakeVectorIndex index_{catalogs_, pool_};
  SnapshotHolder holder_{catalogs_, index_, encoder_.info()};
  support::SlowPairScorer scorer_{clock_, kPerPair};
  Reranker reranker_{{.scorer = scorer_, .timers = timers_, .clock = clock_, .metrics = metrics_}, {}};
};

TEST_F(RerankSearchTest, TheCrossEncoderOrdersTheListAndTheAnswerSaysSo) {
  auto wanted = request("red socks");
  wanted.explain = true;
  const auto answer = run(make(), wanted);
  ASSERT_TRUE(answer.rerank);
  EXPECT_EQ(answer.rerank->model, "slow-scorer");
  EXPECT_EQ(answer.rerank->precision, "f32");
  EXPECT_EQ(answer.rerank->planned, 50U);
  EXPECT_EQ(answer.rerank->scored, 50U);
  EXPECT_EQ(stage(answer), StageOutcome::kOk);
  EXPECT_TRUE(answer.degradations.empty());
  EXPECT_EQ(answer.total, static_cast<std::size_t>(kArticles));
  const auto fused = run(make(false), wanted);
  for (std::size_t i = 0; i < answer.items.size(); ++i) {
    const AnswerItem& item = answer.items[i];
    const ItemExplanation& why = *item.explanation;
    ASSERT_EQ(why.cross_encoder.has_value(), i < 50);
    if (why.cross_encoder) {
      EXPECT_EQ(item.score, why.cross_encoder->score);
    }
    if (i > 0 && i < 50) {
      EXPECT_GE(answer.items[i - 1].explanation->cross_encoder->logit, why.cross_encoder->logit);
    }
    if (i > 0) {
      EXPECT_LE(item.score, answer.items[i - 1].score);
    }
    // Everything about the legs is as it was.
    const auto id = [](const AnswerItem& other) { return other.article.id(); };
    const auto before = std::ranges::find(fused.items, item.article.id(), id);
    ASSERT_NE(before, fused.items.end());
    EXPECT_EQ(why.fused_score, before->explanation->base_score);
    ASSERT_EQ(why.legs.size(), before->explanation->legs.size());
    for (std::size_t leg = 0; leg < why.legs.size(); ++leg) EXPECT_EQ(why.legs[leg].rank, before->explanation->legs[leg].rank);
  }
}

TEST_F(RerankSearchTest, ADeadlineDecidesTheDepthAndNotTheCandidates) {
  const auto patient = run(make(), request("red socks", milliseconds(4'000)));
  const auto hurried = run(make(), request("red socks", milliseconds(40)));
  EXPECT_EQ(patient.rerank->scored, 50U);
  EXPECT_EQ(patient.rerank->planned, 50U);
  EXPECT_TRUE(patient.degradations.empty());
  EXPECT_EQ(hurried.rerank->scored, 2U);  // 30 ms are for it, less what an answer needs
  EXPECT_EQ(hurried.rerank->planned, 20U);
  EXPECT_EQ(hurried.degradations, std::vector{DegradationReason::kRerankPartial});
  EXPECT_EQ(stage(hurried), StageOutcome::kLate);
  auto first = ids(patient);
  auto second = ids(hurried);
  EXPECT_NE(first, second);
  std::ranges::sort(first);
  std::ranges::sort(second);
  EXPECT_EQ(first, second);
  // The same deadline, the same answer.
  EXPECT_EQ(ids(run(make(), request("red socks", milliseconds(40)))), ids(hurried));
}

TEST_F(RerankSearchTest, WhoHasMoreTimeGoesOnWhereAnotherStopped) {
  auto& service = make();
  const auto patient_alone = run(make(), request("red socks", milliseconds(4'000)));
  const std::size_t pairs = scorer_.pairs();
  const auto hurried = run(service, request("red socks", milliseconds(40)));
  EXPECT_EQ(hurried.rerank->scored, 2U);
  const auto patient = run(service, request("red socks", milliseconds(4'000)));
  EXPECT_EQ(patient.list_source, ListSource::kKept);
  EXPECT_EQ(patient.rerank->scored, 50U);
  EXPECT_EQ(scorer_.pairs() - pairs, 50U);  // the first two were not judged again
  EXPECT_EQ(ids(patient), ids(patient_alone));
  // And now the hurried one has it all, for nothing.
  const auto again = run(service, request("red socks", milliseconds(40)));
  EXPECT_EQ(again.rerank->scored, 50U);
  EXPECT_TRUE(again.degradations.empty());
  EXPECT_EQ(ids(again), ids(patient));
  EXPECT_EQ(scorer_.pairs() - pairs, 50U);
  // A depth that is asked for is kept to.
  auto shallow = request("red socks");
  shallow.rerank.depth = 2;
  EXPECT_EQ(ids(run(service, shallow)), ids(hurried));
  EXPECT_EQ(scorer_.pairs() - pairs, 50U);
}

TEST_F(RerankSearchTest, ARequestMayAskForADepthOrForNone) {
  auto& service = make();
  auto wanted = request("red socks");
  wanted.rerank.depth = 3;
  const auto shallow = run(service, wanted);
  EXPECT_EQ(shallow.rerank->planned, 3U);
  EXPECT_EQ(shallow.rerank->scored, 3U);
  EXPECT_TRUE(shallow.degradations.empty());

  wanted.rerank = {.enabled = false};
  const std::size_t pairs = scorer_.pairs();
  const auto none = run(service, wanted);
  EXPECT_FALSE(none.rerank);
  EXPECT_EQ(stage(none), StageOutcome::kSkipped);
  EXPECT_EQ(scorer_.pairs(), pairs);
  const auto without = run(make(false), request("red socks"));
  EXPECT_FALSE(without.rerank);
  EXPECT_EQ(stage(without), StageOutcome::kSkipped);
  EXPECT_TRUE(without.degradations.empty());
  EXPECT_EQ(ids(none), ids(without));
  EXPECT_EQ(shallow.total, none.total);
}

TEST_F(RerankSearchTest, WithoutItsScorerTheFusedOrderIsServedAndMarked) {
  const auto fused = run(make(false), request("red socks"));
  scorer_.fail_from(1);
  const auto answer = run(make(), request("red socks"));
  EXPECT_EQ(ids(answer), ids(fused));
  EXPECT_EQ(answer.degradations, std::vector{DegradationReason::kRerankUnavailable});
  EXPECT_EQ(stage(answer), StageOutcome::kFailed);
  EXPECT_EQ(answer.rerank->scored, 0U);
}

TEST_F(RerankSearchTest, NamedArticlesStayFirst) {
  const auto answer = run(make(), request("socks " + id_of(7)));
  EXPECT_EQ(answer.items.front().article.id(), id_of(7));
  EXPECT_EQ(answer.items.front().score, 1);
  const std::size_t pairs = scorer_.pairs();
  const auto alone = run(make(), request(id_of(7)));
  EXPECT_EQ(ids(alone), std::vector{id_of(7)});
  EXPECT_EQ(stage(alone), StageOutcome::kSkipped);
  EXPECT_EQ(scorer_.pairs(), pairs);
}

TEST_F(RerankSearchTest, WhatWordsAloneFoundIsRerankedToo) {
  encoder_.fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto answer = run(make(), request("Red TROUSRES"));
  EXPECT_EQ(answer.degradations, std::vector{DegradationReason::kInferenceUnavailable});
  EXPECT_EQ(stage(answer), StageOutcome::kOk);
  EXPECT_LT(answer.total, static_cast<std::size_t>(kArticles));
  EXPECT_EQ(answer.items.front().article.colour(), "Red");
}

}  // namespace
}  // namespace scalestyle::search
