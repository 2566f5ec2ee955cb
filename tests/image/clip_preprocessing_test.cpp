#include "image/clip_preprocessing.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <string>

#include "core/files.hpp"
#include "image/resize.hpp"
#include "nn/safetensors.hpp"
#include "support/picture_files.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::image {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

core::Result<ClipPreprocessing> read(const std::string& json) {
  const support::TemporaryFolder folder;
  std::ofstream(folder / "preprocessor_config.json") << json;
  return read_clip_preprocessing(folder.path());
}

void expect_refused(const std::string& json, ErrorCode code, const std::string& message) {
  const auto how = read(json);
  ASSERT_FALSE(how) << json;
  EXPECT_EQ(how.error().code, code) << json;
  EXPECT_THAT(how.error().message, HasSubstr("preprocessor_config.json"));
  EXPECT_THAT(how.error().message, HasSubstr(message));
}

TEST(ClipPreprocessingConfig, OldAndNewForms) {
  const auto old = read(R"({"crop_size": 64, "size": 72, "resample": 3, "do_resize": true, "image_mean": [0.5, 0.25, 0],
                            "image_std": [1, 0.5, 0.25], "feature_extractor_type": "CLIPFeatureExtractor"})");
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->resize_short_side, 72U);
  EXPECT_EQ(old->crop, 64U);
  EXPECT_EQ(old->mean, (std::array<float, 3>{0.5F, 0.25F, 0}));
  EXPECT_EQ(old->deviation, (std::array<float, 3>{1, 0.5F, 0.25F}));
  const auto newer = read(R"({"crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256},
                              "rescale_factor": 0.00392156862745098, "do_rescale": true, "do_convert_rgb": true})");
  ASSERT_TRUE(newer) << newer.error().message;
  EXPECT_EQ(newer->resize_short_side, 256U);
  EXPECT_EQ(newer->crop, 224U);
  EXPECT_EQ(newer->mean[0], 0.48145466F);
  EXPECT_TRUE(read("{}"));
}

TEST(ClipPreprocessingConfig, WhatIsNotDoneIsRefused) {
  expect_refused("{", ErrorCode::kDataLoss, "not JSON");
  expect_refused("[]", ErrorCode::kDataLoss, "not a JSON object");
  expect_refused(R"({"size": 0})", ErrorCode::kDataLoss, "size must be a whole number from 1 to 4096");
  expect_refused(R"({"size": "224"})", ErrorCode::kDataLoss, "size must be");
  expect_refused(R"({"size": {"height": 224, "width": 224}})", ErrorCode::kDataLoss, "shortest_edge");
  expect_refused(R"({"crop_size": {"height": 224, "width": 200}})", ErrorCode::kDataLoss, "crop_size must be");
  expect_refused(R"({"crop_size": 300})", ErrorCode::kDataLoss, "crop_size must be at most size, 224");
  expect_refused(R"({"image_mean": [0.5, 0.5]})", ErrorCode::kDataLoss, "image_mean must be three numbers");
  expect_refused(R"({"image_std": [1, 1, 0]})", ErrorCode::kDataLoss, "image_std must be three positive numbers");
  expect_refused(R"({"resample": 2})", ErrorCode::kUnsupported, "resample must be 3");
  expect_refused(R"({"do_center_crop": false})", ErrorCode::kUnsupported, "do_center_crop must be true");
  expect_refused(R"({"rescale_factor": 1})", ErrorCode::kUnsupported, "rescale_factor must be 1/255");
  const support::TemporaryFolder folder;
  EXPECT_EQ(read_clip_preprocessing(folder.path()).error().code, ErrorCode::kNotFound);
}

TEST(Preprocess, RefusesWhatDoesNotFit) {
  const ClipPreprocessing how{.resize_short_side = 8, .crop = 8};
  std::vector<float> out(3 * 8 * 8);
  EXPECT_FALSE(preprocess(Picture{}, how, out));
  Picture short_of_bytes = support::quadrants(9, 9);
  short_of_bytes.rgb.pop_back();
  EXPECT_FALSE(preprocess(short_of_bytes, how, out));
  EXPECT_FALSE(preprocess(support::quadrants(9, 9), how, std::span(out).first(191)));
  EXPECT_FALSE(preprocess(support::quadrants(9, 9), {.resize_short_side = 7, .crop = 8}, out));
}

TEST(Preprocess, ExtremeShapes) {
  const ClipPreprocessing how;
  std::vector<float> out(3 * 224 * 224);
  for (const auto& [width, height] : {std::pair{1U, 1U}, {1U, 16384U}, {16384U, 1U}, {3U, 2U}, {2000U, 224U}, {224U, 225U}}) {
    ASSERT_TRUE(preprocess(support::plain(width, height, 0x336699), how, out));
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const float value = (0.2F * static_cast<float>(channel + 1) - how.mean[channel]) / how.deviation[channel];
      for (std::size_t i = 0; i < 224UL * 224; ++i) {
        ASSERT_NEAR(out[channel * 224 * 224 + i], value, 1e-5) << width << " x " << height;
      }
    }
  }
}

// ---- equal to the reference processor

class ClipGolden : public ::testing::TestWithParam<const char*> {
 protected:
  static std::filesystem::path folder() { return support::shared_dir() / "golden" / "clip"; }
  static Picture picture_of(const nn::TensorView& tensor) {
    Picture picture{static_cast<std::uint32_t>(tensor.shape[1]), static_cast<std::uint32_t>(tensor.shape[0]), {}};
    const auto* values = reinterpret_cast<const std::uint8_t*>(tensor.bytes.data());
    picture.rgb.assign(values, values + tensor.bytes.size());
    return picture;
  }
};

TEST_P(ClipGolden, EqualToTheReferenceProcessor) {
  SCALESTYLE_NEED(folder());
  const auto tensors = nn::SafetensorsFile::open(folder() / "expected_images.safetensors");
  ASSERT_TRUE(tensors) << tensors.error().message;
  const auto how = read_clip_preprocessing(folder());
  ASSERT_TRUE(how) << how.error().message;
  const std::string name = GetParam();
  const Picture rgb = picture_of(tensors->tensors().find(name + ".rgb")->second);
  const Picture resized = picture_of(tensors->tensors().find(name + ".resized")->second);
  const auto& expected = tensors->tensors().find(name + ".pixel_values")->second;

  const ResizeWindow whole{resized.width, resized.height, 0, 0, resized.width, resized.height};
  EXPECT_EQ(resize_bicubic(rgb, whole), resized.rgb);

  std::vector<float> out(3UL * how->crop * how->crop);
  ASSERT_TRUE(preprocess(rgb, *how, out));
  std::vector<float> values(out.size());
  ASSERT_EQ(expected.bytes.size(), values.size() * sizeof(float));
  std::memcpy(values.data(), expected.bytes.data(), expected.bytes.size());
  EXPECT_EQ(out, values);
}

// From the file on. The reference drops an alpha channel and so shows what is hidden below it: that file differs on purpose.
TEST_P(ClipGolden, DecodesLikeTheReference) {
  SCALESTYLE_NEED(folder());
  const auto tensors = nn::SafetensorsFile::open(folder() / "expected_images.safetensors");
  ASSERT_TRUE(tensors) << tensors.error().message;
  const std::string name = GetParam();
  const Picture rgb = picture_of(tensors->tensors().find(name + ".rgb")->second);
  const auto file = core::MappedFile::open(folder() / "images" / name);
  ASSERT_TRUE(file) << file.error().message;
  const auto picture = decode(file->bytes(), {.max_time = std::chrono::hours(1)});
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(picture->width, rgb.width);
  EXPECT_EQ(picture->height, rgb.height);
  if (name != "shapes_rgba.png") {
    EXPECT_EQ(picture->rgb, rgb.rgb);
    return;
  }
  // One rectangle has alpha 128.
  std::size_t different = 0;
  for (std::size_t i = 0; i < rgb.rgb.size(); ++i) {
    if (picture->rgb[i] == rgb.rgb[i]) continue;
    ++different;
    EXPECT_NEAR(picture->rgb[i], 255 - (255 - rgb.rgb[i]) * 128 / 255.0, 0.5);
  }
  EXPECT_GT(different, 3U * 2000);
  EXPECT_LT(different, 3U * 51 * 61 + 1);
}

INSTANTIATE_TEST_SUITE_P(Images, ClipGolden, ::testing::Values("gradient.png", "shapes_rgba.png", "waves.jpg"),
                         [](const auto& file) { return std::string(file.param, std::strchr(file.param, '.')); });

}  // namespace
}  // namespace scalestyle::image
