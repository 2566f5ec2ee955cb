#include "adapters/embedded/metered_models.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

#include "support/fake_clock.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using testing::HasSubstr;

constexpr auto kTime = std::chrono::milliseconds(100);

// Each takes a tenth of a second, and fails where it is told to.
class SlowTextEncoder final : public ports::TextEncoder {
 public:
  SlowTextEncoder(support::FakeClock& clock, std::optional<core::ErrorCode> fault) : clock_(clock), fault_(fault) {}

  const ports::EncoderInfo& info() const override { return info_; }
  core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts, core::Deadline) override {
    clock_.advance(kTime);
    if (fault_) co_return core::fail(*fault_, "as the test wants it");
    co_return ports::EmbeddingBatch{.dimension = 1, .values = std::vector<float>(texts.size(), 1.0F), .tokens = 7 * texts.size()};
  }

 private:
  support::FakeClock& clock_;
  std::optional<core::ErrorCode> fault_;
  ports::EncoderInfo info_{.model = "m", .weights_hash = "h", .precision = "f32", .dimension = 1, .max_tokens = 9};
};

class SlowPairScorer final : public ports::PairScorer {
 public:
  explicit SlowPairScorer(support::FakeClock& clock) : clock_(clock) {}

  const ports::ScorerInfo& info() const override { return info_; }
  double tokens_per_second() const override { return 5; }
  core::Task<core::Result<ports::PairScores>> score(std::string, std::vector<std::string> texts, core::Deadline) override {
    clock_.advance(kTime);
    co_return ports::PairScores{.scores = std::vector<ports::PairScore>(texts.size()), .pairs_computed = 2, .tokens = 40};
  }

 private:
  support::FakeClock& clock_;
  ports::ScorerInfo info_{};
};

class MeteredModelsTest : public testing::Test {
 protected:
  void encode(std::optional<core::ErrorCode> fault) {
    MeteredTextEncoder encoder(std::make_unique<SlowTextEncoder>(clock_, fault), metrics_, clock_);
    const auto batch = core::sync_wait(encoder.encode({"a", "b"}, core::Deadline::never()));
    EXPECT_EQ(batch.has_value(), !fault);
  }

  support::FakeClock clock_;
  telemetry::Metrics metrics_;
};

TEST_F(MeteredModelsTest, CountsTextsTokensAndTime) {
  encode({});
  encode({});
  const std::string text = metrics_.render();
  EXPECT_THAT(text, HasSubstr("scalestyle_model_items_total{model=\"text\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_tokens_total{model=\"text\"} 28\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_failures_total{model=\"text\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_call_seconds_count{model=\"text\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_call_seconds_bucket{model=\"text\",le=\"0.05\"} 0\n"));
}

TEST_F(MeteredModelsTest, CountsFailuresButNotTheCallersLeaving) {
  encode(core::ErrorCode::kUnavailable);
  encode(core::ErrorCode::kCancelled);
  const std::string text = metrics_.render();
  EXPECT_THAT(text, HasSubstr("scalestyle_model_failures_total{model=\"text\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_call_seconds_count{model=\"text\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_items_total{model=\"text\"} 0\n"));
}

TEST_F(MeteredModelsTest, CountsPairsThatWereComputed) {
  MeteredPairScorer scorer(std::make_unique<SlowPairScorer>(clock_), metrics_, clock_, "first_pair");
  ASSERT_TRUE(core::sync_wait(scorer.score("q", {"a", "b", "a"}, core::Deadline::never())));
  EXPECT_EQ(scorer.tokens_per_second(), 5);
  const std::string text = metrics_.render();
  EXPECT_THAT(text, HasSubstr("scalestyle_model_items_total{model=\"first_pair\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_model_tokens_total{model=\"first_pair\"} 40\n"));
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
