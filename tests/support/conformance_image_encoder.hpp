#pragma once
// What every ImageEncoder must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Local, ImageEncoderConformance, ::testing::Values(ImageEncoderFactory{…}));

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/image_encoder.hpp"

namespace scalestyle::support {

class ImageEncoderEngine {
 public:
  virtual ~ImageEncoderEngine() = default;
  [[nodiscard]] virtual ports::ImageEncoder& encoder() = 0;
  // At least three files that are pictures, all different; and one that is none.
  [[nodiscard]] virtual std::vector<std::string> pictures() = 0;
  [[nodiscard]] virtual std::string no_picture() { return "no picture"; }
};
using ImageEncoderFactory = std::function<std::unique_ptr<ImageEncoderEngine>()>;

class ImageEncoderConformance : public ::testing::TestWithParam<ImageEncoderFactory> {
 protected:
  ImageEncoderConformance() : engine_(GetParam()()) {}
  auto encode(const std::vector<std::string>& files, core::Deadline deadline = core::Deadline::never()) {
    std::vector<ports::EncodedImage> images;
    for (const std::string& file : files) images.push_back(std::make_shared<const std::string>(file));
    return core::sync_wait(engine_->encoder().encode_images(std::move(images), deadline));
  }
  auto encode_texts(std::vector<std::string> texts) {
    return core::sync_wait(engine_->encoder().encode_texts(std::move(texts), core::Deadline::never()));
  }
  static double length(const std::vector<float>& vector) {
    double sum = 0;
    for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum);
  }
  std::unique_ptr<ImageEncoderEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ImageEncoderConformance);

TEST_P(ImageEncoderConformance, TellsWhatDecidesItsVectors) {
  const ports::EncoderInfo& info = engine_->encoder().info();
  EXPECT_FALSE(info.model.empty());
  EXPECT_TRUE(info.precision == "f32" || info.precision == "bf16" || info.precision == "int8") << info.precision;
  EXPECT_GT(info.dimension, 0U);
  EXPECT_GT(info.max_tokens, 1U);
}

TEST_P(ImageEncoderConformance, EachPictureHasAUnitVectorOfItsOwn) {
  const std::vector<std::string> files = engine_->pictures();
  const auto together = encode(files);
  ASSERT_TRUE(together) << together.error().message;
  ASSERT_EQ(together->size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    ASSERT_TRUE((*together)[i]) << (*together)[i].error().message;
    EXPECT_EQ((*together)[i]->size(), engine_->encoder().info().dimension);
    EXPECT_NEAR(length(*(*together)[i]), 1, 1e-4);
    const auto alone = encode({files[i]});
    ASSERT_TRUE(alone && alone->front());
    EXPECT_EQ(*alone->front(), *(*together)[i]) << i;
  }
}

TEST_P(ImageEncoderConformance, WhatIsNoPictureHurtsNoOther) {
  const std::vector<std::string> files = engine_->pictures();
  const auto mixed = encode({files[0], engine_->no_picture(), files[1]});
  ASSERT_TRUE(mixed) << mixed.error().message;
  ASSERT_EQ(mixed->size(), 3U);
  EXPECT_TRUE((*mixed)[0]);
  ASSERT_FALSE((*mixed)[1]);
  EXPECT_EQ((*mixed)[1].error().code, core::ErrorCode::kUnsupported);
  EXPECT_FALSE((*mixed)[1].error().message.empty());
  ASSERT_TRUE((*mixed)[2]);
  EXPECT_EQ(*(*mixed)[2], *encode({files[1]})->front());
}

TEST_P(ImageEncoderConformance, TextsAreInTheSameSpace) {
  const std::size_t dimension = engine_->encoder().info().dimension;
  const auto batch = encode_texts({"a striped shirt", "red dress", "a striped shirt"});
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->dimension, dimension);
  ASSERT_EQ(batch->values.size(), 3 * dimension);
  const auto row = [&](std::size_t i) {
    const auto begin = batch->values.begin() + static_cast<std::ptrdiff_t>(i * dimension);
    return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(dimension));
  };
  EXPECT_NEAR(length(row(1)), 1, 1e-4);
  EXPECT_EQ(row(0), row(2));
  EXPECT_EQ(row(1), encode_texts({"red dress"})->values);
}

TEST_P(ImageEncoderConformance, NothingGivesNothing) {
  const auto pictures = encode({});
  ASSERT_TRUE(pictures) << pictures.error().message;
  EXPECT_TRUE(pictures->empty());
  const auto texts = encode_texts({});
  ASSERT_TRUE(texts) << texts.error().message;
  EXPECT_TRUE(texts->values.empty());
}

TEST_P(ImageEncoderConformance, APassedDeadlineEndsTheCall) {
  const core::SystemClock clock;
  const auto late = encode(engine_->pictures(), core::Deadline::at(clock.steady_now() - std::chrono::seconds(1)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::kDeadlineExceeded);
}

}  // namespace scalestyle::support
