// Cross-encoders against the reference's scores: small random models, their token ids given.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "nn/cross_encoder.hpp"
#include "nn/kernels/isa.hpp"
#include "support/golden_pairs.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::nn {
namespace {

struct Case {
  std::string model;
  Precision precision;
  double tolerance;  // of a logit
};

std::ostream& operator<<(std::ostream& out, const Case& given) {
  return out << given.model << ' ' << to_string(given.precision);
}

struct TokenPairs {
  explicit TokenPairs(const support::GoldenPairs& golden) {
    for (const support::GoldenPair& pair : golden.pairs) {
      const auto second = std::ranges::find(pair.types, 1);
      inputs.push_back({.ids = pair.ids, .second_segment = static_cast<std::size_t>(second - pair.types.begin())});
      if (pair.types.empty()) inputs.back().second_segment = pair.ids.size();
    }
  }
  std::vector<TokenInput> inputs;
};

std::vector<float> score(const CrossEncoder& model, const std::vector<TokenInput>& pairs) {
  std::vector<float> logits(pairs.size());
  CrossEncoder::Workspace workspace;
  const core::Status status = model.score(pairs, logits, workspace);
  EXPECT_TRUE(status.has_value()) << status.error().message;
  return logits;
}

class GoldenCrossEncoder : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static std::filesystem::path folder() { return support::shared_dir() / "golden" / GetParam().model; }
};

TEST_P(GoldenCrossEncoder, EveryScoreIsNearTheReferences) {
  SCALESTYLE_NEED(folder());
  const auto model = CrossEncoder::load(folder(), {.precision = GetParam().precision});
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const support::GoldenPairs golden = support::read_golden_pairs(folder() / "expected.json");
  ASSERT_GE(golden.pairs.size(), 12U);
  EXPECT_EQ((*model)->max_tokens(), golden.max_length);
  const std::vector<float> logits = score(**model, TokenPairs(golden).inputs);
  double worst = 0;
  for (std::size_t index = 0; index < golden.pairs.size(); ++index) {
    const support::GoldenPair& pair = golden.pairs[index];
    const double error = std::fabs(static_cast<double>(logits[index]) - static_cast<double>(pair.logit));
    EXPECT_LE(error, GetParam().tolerance) << "pair " << index << " of " << pair.ids.size() << " tokens";
    EXPECT_NEAR(calibrated_score(logits[index]), pair.sigmoid, GetParam().tolerance / 4 + 1e-7);
    worst = std::max(worst, error);
  }
  RecordProperty("worst_logit_error", std::to_string(worst));
  std::printf("worst logit error %.2e\n", worst);
}

// bf16 is not among them: its sums differ between instruction sets.
class ExactCrossEncoder : public GoldenCrossEncoder {};

TEST_P(ExactCrossEncoder, EveryInstructionSetGivesTheSameBits) {
  SCALESTYLE_NEED(folder());
  const auto model = CrossEncoder::load(folder(), {.precision = GetParam().precision});
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const support::GoldenPairs golden = support::read_golden_pairs(folder() / "expected.json");
  const TokenPairs pairs(golden);
  std::vector<float> expected;
  for (const kernels::Isa isa : kernels::supported_isas()) {
    ASSERT_TRUE(kernels::force_isa(kernels::to_string(isa)));
    const std::vector<float> logits = score(**model, pairs.inputs);
    if (expected.empty()) expected = logits;
    EXPECT_EQ(logits, expected) << kernels::to_string(isa);
  }
  ASSERT_TRUE(kernels::force_isa("auto"));
}

// Rounding errors do not average out over 32 channels of random weights as they do in real models.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* model : {"bert_cross_encoder", "xlmr_reranker"}) {
    all.push_back({model, Precision::kF32, 1e-5});
    all.push_back({model, Precision::kBf16, 0.06});
    all.push_back({model, Precision::kInt8, 0.3});
  }
  return all;
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return info.param.model + "_" + std::string(to_string(info.param.precision));
}

std::vector<Case> exact_cases() {
  std::vector<Case> exact = cases();
  std::erase_if(exact, [](const Case& one) { return one.precision == Precision::kBf16; });
  return exact;
}

INSTANTIATE_TEST_SUITE_P(SmallModels, GoldenCrossEncoder, ::testing::ValuesIn(cases()), case_name);
INSTANTIATE_TEST_SUITE_P(SmallModels, ExactCrossEncoder, ::testing::ValuesIn(exact_cases()), case_name);

}  // namespace
}  // namespace scalestyle::nn
