#include "nn/token_sampler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "nn/kernels_support.hpp"
#include "nn/portable_math.hpp"

namespace scalestyle::nn {
namespace {

std::vector<std::int32_t> draw(const Sampling& sampling, const std::vector<float>& logits, std::size_t count) {
  TokenSampler sampler(sampling);
  std::vector<std::int32_t> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(sampler.choose(logits));
  return tokens;
}

TEST(TokenSampler, GreedyTakesTheFirstOfTheLikeliest) {
  EXPECT_EQ(likeliest_token(std::vector<float>{1, 3, -2, 3}), 1);
  EXPECT_EQ(draw({.temperature = 0, .top_p = 0.5F, .seed = 7}, {1, 3, -2, 3}, 3), (std::vector<std::int32_t>{1, 1, 1}));
}

TEST(TokenSampler, ASeedDecidesEveryDraw) {
  const auto logits = kernels::test::random_floats(1000, 3);
  for (const float top_p : {1.0F, 0.8F}) {
    const Sampling sampling{.temperature = 1, .top_p = top_p, .seed = 42};
    const auto first = draw(sampling, logits, 50);
    EXPECT_EQ(draw(sampling, logits, 50), first);
    EXPECT_NE(draw({.temperature = 1, .top_p = top_p, .seed = 43}, logits, 50), first);
    for (const kernels::Isa isa : kernels::supported_isas()) {
      const kernels::test::WithIsa forced(isa);
      EXPECT_EQ(draw(sampling, logits, 50), first) << kernels::to_string(isa);
    }
  }
}

TEST(TokenSampler, TopPLeavesTheUnlikelyOut) {
  // Shares 0.5, 0.25, 0.125, 0.125.
  const std::vector<float> logits = {std::log(0.125F), std::log(0.5F), std::log(0.125F), std::log(0.25F)};
  const auto seen = [&](float top_p) {
    const auto tokens = draw({.temperature = 1, .top_p = top_p, .seed = 1}, logits, 400);
    return std::set(tokens.begin(), tokens.end());
  };
  EXPECT_EQ(seen(0.4F), (std::set<std::int32_t>{1}));
  EXPECT_EQ(seen(0.7F), (std::set<std::int32_t>{1, 3}));
  EXPECT_EQ(seen(0.8F), (std::set<std::int32_t>{0, 1, 3}));  // of two equal ones the lower id
  EXPECT_EQ(seen(1.0F), (std::set<std::int32_t>{0, 1, 2, 3}));
}

TEST(TokenSampler, DrawsFollowTheShares) {
  const std::vector<float> logits = {0, std::log(2.0F), std::log(5.0F)};
  for (const float temperature : {1.0F, 2.0F}) {
    for (const float top_p : {1.0F, 0.999F}) {
      std::map<std::int32_t, double> counts;
      for (const std::int32_t token : draw({.temperature = temperature, .top_p = top_p, .seed = 9}, logits, 20000)) counts[token] += 1;
      const auto weight = [&](double share) { return std::pow(share, 1 / double{temperature}); };
      const double sum = weight(1) + weight(2) + weight(5);
      EXPECT_NEAR(counts[0] / 20000, weight(1) / sum, 0.02);
      EXPECT_NEAR(counts[1] / 20000, weight(2) / sum, 0.02);
      EXPECT_NEAR(counts[2] / 20000, weight(5) / sum, 0.02);
    }
  }
}

TEST(PortableMath, SineCosineAndLogAreTheLibrarys) {
  for (double x = -40; x < 40; x += 0.0137) {
    const auto turn = portable_sine_cosine(x);
    EXPECT_NEAR(turn.sine, std::sin(x), 1e-12) << x;
    EXPECT_NEAR(turn.cosine, std::cos(x), 1e-12) << x;
  }
  for (double x = 3; x < 1e6; x *= 1.37) {
    const auto turn = portable_sine_cosine(x);
    EXPECT_NEAR(turn.sine, std::sin(x), 1e-12) << x;
    EXPECT_NEAR(turn.cosine, std::cos(x), 1e-12) << x;
    EXPECT_NEAR(portable_log(x), std::log(x), 1e-14 * std::log(x)) << x;
    EXPECT_NEAR(portable_log(1 / x), std::log(1 / x), 1e-14 * std::log(x)) << x;
  }
}

}  // namespace
}  // namespace scalestyle::nn
