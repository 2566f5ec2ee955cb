// Searches reranked by cross-encoders on our kernels: small stand-in weights of both families, with their own tokenizers.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "adapters/embedded/local_pair_scorer.hpp"
#include "catalog/rerank_text.hpp"
#include "search/reranker.hpp"
#include "search/search_service.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/shared_data.hpp"

namespace scalestyle {
namespace {

using adapters::embedded::LocalPairScorer;

constexpr std::size_t kArticles = 40;
constexpr const char* kQuery = "red linen dress";

// Articles that words and colours tell apart; every second one is another colour of the product before it.
std::vector<catalog::Article> articles() {
  const std::vector<std::string> names{"Linen dress", "Jersey top", "Padded jacket", "Slim jeans", "Ankle socks"};
  std::vector<catalog::Article> list;
  for (std::size_t i = 0; i < kArticles; ++i) {
    auto article = support::make_article(std::to_string(1000 + i), names[i / 2 % names.size()] + " " + std::to_string(i / 2));
    article.product_code = "p" + std::to_string(i / 2);
    article[catalog::Attribute::kColour] = i % 2 == 0 ? "Red" : "Blue";
    list.push_back(std::move(article));
  }
  return list;
}

class RerankedSearch : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto folder = support::shared_dir() / "golden" / GetParam();
    SCALESTYLE_NEED(folder);
    LocalPairScorer::Options options;
    options.model_dir = folder;
    options.model_name = GetParam();
    options.model = {.precision = nn::Precision::kF32, .weights_sha256 = "not computed for the test"};
    scorer_ = LocalPairScorer::load(options, compute_.pool(), compute_.clock()).value();
    cache_ = std::make_unique<search::PairScoreCache>(1 << 20, compute_.clock());
    reranker_ = std::make_unique<search::Reranker>(
        search::Reranker::Dependencies{.scorer = *scorer_, .timers = compute_.timers(), .clock = compute_.clock(),
                                       .metrics = metrics_, .cache = cache_.get()},
        search::RerankOptions());
    catalogs_.publish(support::make_snapshot("a", articles(), encoder_.info()));
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
    service_ = std::make_unique<search::SearchService>(
        search::SearchService::Dependencies{.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                                            .timers = compute_.timers(), .clock = compute_.clock(), .metrics = metrics_,
                                            .reranker = reranker_.get()},
        search::SearchOptions());
  }
  void TearDown() override { compute_.stop(); }

  search::SearchAnswer run(std::size_t depth) {
    search::SearchRequest request;
    request.query = kQuery;
    request.k = search::kMaxK;
    request.collapse = false;
    request.explain = true;
    request.rerank.depth = depth;
    return core::sync_wait(service_->search(std::move(request))).value();
  }
  // The model itself, asked for one article alone.
  float logit_of(const catalog::ArticleView& article) {
    auto scored = core::sync_wait(scorer_->score(kQuery, {catalog::rerank_text_v1(article)}, core::Deadline::never()));
    return scored.value().scores.at(0).logit;
  }

  telemetry::Metrics metrics_;
  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore catalogs_;
  support::FakeVectorIndex index_{catalogs_, compute_.pool()};
  search::SnapshotHolder holder_{catalogs_, index_, encoder_.info()};
  std::unique_ptr<LocalPairScorer> scorer_;
  std::unique_ptr<search::PairScoreCache> cache_;
  std::unique_ptr<search::Reranker> reranker_;
  std::unique_ptr<search::SearchService> service_;
};

TEST_P(RerankedSearch, AnyDepthHasTheModelsOwnScoresInItsOrder) {
  for (const std::size_t depth : {std::size_t{5}, std::size_t{12}, kArticles}) {
    const auto answer = run(depth);
    ASSERT_TRUE(answer.rerank);
    EXPECT_EQ(answer.rerank->model, GetParam());
    EXPECT_EQ(answer.rerank->scored, depth);
    EXPECT_EQ(answer.rerank->planned, depth);
    EXPECT_TRUE(answer.degradations.empty());
    ASSERT_EQ(answer.items.size(), kArticles);
    std::vector<double> logits;
    for (const auto& item : answer.items) {
      if (!item.explanation->cross_encoder) continue;
      logits.push_back(item.explanation->cross_encoder->logit);
      EXPECT_EQ(static_cast<float>(logits.back()), logit_of(item.article)) << item.article.id();
      EXPECT_EQ(item.score, item.explanation->cross_encoder->score);
    }
    EXPECT_EQ(logits.size(), depth);
    EXPECT_TRUE(std::ranges::is_sorted(logits, std::greater<>()));
    EXPECT_EQ(cache_->statistics().entries, depth);
    EXPECT_EQ(run(depth).rerank->cached_pairs, depth);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RerankedSearch, testing::Values("bert_cross_encoder", "xlmr_reranker"),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace scalestyle
