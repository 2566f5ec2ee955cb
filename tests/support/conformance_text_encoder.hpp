#pragma once
// What every TextEncoder must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Local, TextEncoderConformance, ::testing::Values(TextEncoderFactory{…}));

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::support {

class TextEncoderEngine {
 public:
  virtual ~TextEncoderEngine() = default;
  [[nodiscard]] virtual ports::TextEncoder& encoder() = 0;
};
using TextEncoderFactory = std::function<std::unique_ptr<TextEncoderEngine>()>;

class TextEncoderConformance : public ::testing::TestWithParam<TextEncoderFactory> {
 protected:
  TextEncoderConformance() : engine_(GetParam()()) {}
  core::Result<ports::EmbeddingBatch> encode(std::vector<std::string> texts) {
    return core::sync_wait(engine_->encoder().encode(std::move(texts), core::Deadline::never()));
  }
  std::unique_ptr<TextEncoderEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TextEncoderConformance);

TEST_P(TextEncoderConformance, TellsWhatDecidesItsVectors) {
  const ports::EncoderInfo& info = engine_->encoder().info();
  EXPECT_FALSE(info.model.empty());
  EXPECT_TRUE(info.precision == "f32" || info.precision == "bf16" || info.precision == "int8") << info.precision;
  EXPECT_GT(info.dimension, 0U);
  EXPECT_GT(info.max_tokens, 1U);
}

TEST_P(TextEncoderConformance, GivesOneUnitVectorAText) {
  const std::size_t dimension = engine_->encoder().info().dimension;
  const auto batch = encode({"red dress", "", "a warm knitted jumper with a high collar", "\xE6\x9C\x8D"});
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->dimension, dimension);
  ASSERT_EQ(batch->values.size(), 4 * dimension);
  EXPECT_GE(batch->tokens, 8U);
  for (std::size_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < dimension; ++j) {
      sum += static_cast<double>(batch->values[i * dimension + j]) * static_cast<double>(batch->values[i * dimension + j]);
    }
    EXPECT_NEAR(std::sqrt(sum), 1, 1e-4) << i;
  }
}

TEST_P(TextEncoderConformance, AVectorDoesNotDependOnItsBatch) {
  const std::size_t dimension = engine_->encoder().info().dimension;
  std::vector<std::string> texts;
  for (int i = 0; i < 37; ++i) texts.push_back("shirt number " + std::to_string(i) + std::string(static_cast<std::size_t>(i * 7 % 50), 'x'));
  const auto batch = encode(texts);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->values.size(), texts.size() * dimension);
  for (std::size_t i = 0; i < texts.size(); i += 5) {
    const auto alone = encode({texts[i]});
    ASSERT_TRUE(alone) << alone.error().message;
    EXPECT_TRUE(std::equal(alone->values.begin(), alone->values.end(), batch->values.begin() + static_cast<std::ptrdiff_t>(i * dimension))) << i;
  }
}

TEST_P(TextEncoderConformance, NoTextGivesNoVector) {
  const auto batch = encode({});
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->values.empty());
  EXPECT_EQ(batch->dimension, engine_->encoder().info().dimension);
}

TEST_P(TextEncoderConformance, ALongTextIsCutAndBadUtf8Refused) {
  std::string words;
  for (int i = 0; i < 4000; ++i) words += "dress ";
  const auto cut = encode({words});
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_LE(cut->tokens, engine_->encoder().info().max_tokens);
  const auto bad = encode({"fine", "\xFF\xFE"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, core::ErrorCode::kInvalidArgument);
}

TEST_P(TextEncoderConformance, APassedDeadlineEndsTheCall) {
  const core::SystemClock clock;
  const auto late = core::sync_wait(
      engine_->encoder().encode({"dress"}, core::Deadline::at(clock.steady_now() - std::chrono::seconds(1))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::kDeadlineExceeded);
}

}  // namespace scalestyle::support
