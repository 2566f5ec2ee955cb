// What searches say and serve while the breaker of something behind them is open.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "search/dependency_probes.hpp"
#include "search/guarded_ports.hpp"
#include "visual_fixture.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using testing::Contains;
using enum DegradationReason;

// A server that took the call and says nothing; no worker waits for it.
class SilentEncoder final : public ports::TextEncoder {
 public:
  explicit SilentEncoder(const ports::EncoderInfo& info) : info_(info) {}
  const ports::EncoderInfo& info() const override { return info_; }
  core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string>, core::Deadline) override {
    co_await gate.pass();
    co_return core::fail(ErrorCode::kCancelled, "the test is over");
  }
  support::FakeGate gate;

 private:
  ports::EncoderInfo info_;
};

class BreakerSearchTest : public VisualFixture {
 protected:
  ~BreakerSearchTest() override {
    silent.gate.release();
    compute_.stop();
    services_.clear();
  }

  SearchService& make_guarded(bool in_redis = true) {
    return make_with({.generations = holder_, .encoder = encoder, .index = index, .pool = compute_.pool(), .timers = compute_.timers(),
                      .clock = clock_, .metrics = metrics_, .features = &features, .features_in_redis = in_redis,
                      .popularity = &popularity_, .reranker = &reranker, .images = &images, .image_index = &photos_},
                     {});
  }
  [[nodiscard]] DependencyGuard::Dependencies services() { return {compute_.timers(), clock_, metrics_}; }
  static core::Error away() { return {ErrorCode::kUnavailable, "away"}; }
  // Each another query, so that no list is a kept one.
  SearchRequest next(const std::string& shopper = {}) {
    auto wanted = request("Name " + std::to_string(++asked_), shopper);
    return wanted;
  }

  DependencyGuard encoder_guard{{.name = "inference"}, services()};
  DependencyGuard index_guard{{.name = "vectors"}, services()};
  DependencyGuard scorer_guard{{.name = "reranking"}, services()};
  DependencyGuard image_guard{{.name = "vision"}, services()};
  DependencyGuard features_guard{{.name = "features"}, services()};
  GuardedTextEncoder encoder{encoder_, encoder_guard};
  GuardedVectorIndex index{index_, index_guard};
  GuardedPairScorer scorer{scorer_, scorer_guard};
  GuardedImageEncoder images{images_, image_guard};
  GuardedFeatureStore features{features_, features_guard};
  SilentEncoder silent{encoder_.info()};
  GuardedTextEncoder silent_encoder{silent, encoder_guard};
  Reranker reranker{{.scorer = scorer, .timers = compute_.timers(), .clock = clock_, .metrics = metrics_}, {}};

 private:
  int asked_ = 0;
};

TEST_F(BreakerSearchTest, WithoutTheEncoderListsGoByWordsAtOnce) {
  auto& service = make_guarded();
  encoder_.fail_with(away());
  for (int i = 0; i < 5; ++i) {
    const auto outcome = run(service, next());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->degradations, std::vector{kInferenceUnavailable});
  }
  const std::size_t calls = encoder_.batches().size();
  const auto outcome = run(service, next());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->degradations, std::vector{kDownstreamCircuitOpen});
  EXPECT_FALSE(outcome->items.empty());
  EXPECT_FALSE(outcome->fallback_source);
  EXPECT_EQ(encoder_.batches().size(), calls);
  const auto nothing = run(service, request("zzzz"));  // no word of it is known
  ASSERT_TRUE(nothing);
  EXPECT_THAT(nothing->degradations, Contains(kDownstreamCircuitOpen));
  EXPECT_EQ(nothing->fallback_source, FallbackSource::kGlobalPopular);
}

// Past their guards, of which one is open.
TEST_F(BreakerSearchTest, EachIsProbedByTheLeastOfItsWork) {
  make_guarded();
  encoder_.fail_with(away());
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(core::sync_wait(encoder.encode({"a"}, in(std::chrono::seconds(1)))));
  EXPECT_EQ(encoder_guard.state(), core::BreakerState::kOpen);
  encoder_.fail_with(std::nullopt);
  const std::vector<DependencyGuard::Probe> probes{probe_of(encoder_), probe_of(images_), probe_of(features_),
                                                   [this](core::Deadline deadline) { return index.probe(deadline); }};
  const auto probe = [&](std::size_t which) { return core::sync_wait(probes[which](in(std::chrono::seconds(1)))); };
  EXPECT_EQ(probe(3).error().code, ErrorCode::kFailedPrecondition);  // nothing was opened through it
  ASSERT_TRUE(core::sync_wait(index.open(holder_.serving()->info().id, in(std::chrono::seconds(1)))));
  for (std::size_t i = 0; i < probes.size(); ++i) EXPECT_TRUE(probe(i)) << i;
  const core::GenerationId rejected("another");  // opened and given up again: the one before it is looked into
  static_cast<void>(core::sync_wait(index.open(rejected, in(std::chrono::seconds(1)))));
  index.close(rejected);
  EXPECT_TRUE(probe(3));
  encoder_.fail_with(away());
  images_.fail_with(away());
  features_.fail_with(away());
  index_.fail_search_with(away());
  for (std::size_t i = 0; i < probes.size(); ++i) EXPECT_EQ(probe(i).error().code, ErrorCode::kUnavailable) << i;
}

TEST_F(BreakerSearchTest, WithoutTheVectorsListsGoByWords) {
  auto& service = make_guarded();
  index_.fail_search_with(away());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run(service, next())->degradations, std::vector{kRetrievalUnavailable});
  const auto outcome = run(service, next());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->degradations, std::vector{kDownstreamCircuitOpen});
  EXPECT_FALSE(outcome->items.empty());
}

TEST_F(BreakerSearchTest, WithoutTheRerankerListsStayAsFused) {
  auto& service = make_guarded();
  scorer_.fail_with(away());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(run(service, next())->degradations, std::vector{kRerankUnavailable}) << i;
  EXPECT_EQ(scorer_guard.state(), core::BreakerState::kOpen);
}

TEST_F(BreakerSearchTest, WithoutPicturesAHybridSearchHasItsText) {
  auto& service = make_guarded();
  images_.fail_with(away());
  for (int i = 0; i < 5; ++i) {
    const auto outcome = run(service, hybrid("Name " + std::to_string(i), photo_of(i)));
    EXPECT_THAT(outcome->degradations, Contains(kHybridImagePathFailedTextOnly)) << i;
  }
  EXPECT_EQ(image_guard.state(), core::BreakerState::kOpen);
  const auto outcome = run(service, like(photo_of(7)));
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->degradations, Contains(kDownstreamCircuitOpen));
  EXPECT_EQ(outcome->fallback_source, FallbackSource::kGlobalPopular);
}

TEST_F(BreakerSearchTest, FeaturesInRedisAreNamed) {
  auto& service = make_guarded();
  features_.fail_with(core::Error{ErrorCode::kDeadlineExceeded, "late"});
  EXPECT_EQ(run(service, next("u"))->degradations, (std::vector{kPersonalizationUnavailable, kRedisTimeout}));
  features_.fail_with(away());
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(run(service, next("u"))->degradations, (std::vector{kPersonalizationUnavailable, kRedisUnavailable})) << i;
  }
  EXPECT_EQ(features_guard.state(), core::BreakerState::kOpen);
  EXPECT_EQ(run(make_guarded(false), next("u"))->degradations, std::vector{kPersonalizationUnavailable});
}

// A hung encoder: each search waits for its stage until the breaker has seen enough of it, and none after that.
TEST_F(BreakerSearchTest, AHungEncoderOpensItsBreaker) {
  silent.gate.hold();
  auto& service = make_with({.generations = holder_, .encoder = silent_encoder, .index = index, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .popularity = &popularity_},
                            {});
  for (int i = 0; i < 5; ++i) {
    auto wanted = next();
    wanted.deadline = in(std::chrono::milliseconds(200));
    const auto outcome = run(service, std::move(wanted));
    ASSERT_TRUE(outcome);
    EXPECT_THAT(outcome->degradations, Contains(kInferenceTimeout));
  }
  // The guard ends a call a little after its deadline, when the search has gone on already.
  for (int i = 0; i < 200 && encoder_guard.state() == core::BreakerState::kClosed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(encoder_guard.state(), core::BreakerState::kOpen);
  EXPECT_EQ(run(service, next())->degradations, std::vector{kDownstreamCircuitOpen});
}

}  // namespace
}  // namespace scalestyle::search
