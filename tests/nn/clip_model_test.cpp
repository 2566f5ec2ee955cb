// CLIP's promises that need no real weights, on the small golden model (random weights, heads of 8, pictures of 64 pixels
// in 4 patches).
#include "nn/clip_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "golden_texts.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

constexpr std::size_t kDimension = 32;
constexpr std::size_t kImageValues = std::size_t{3} * 64 * 64;
constexpr std::int32_t kStart = 912;
constexpr std::int32_t kEnd = 913;

std::filesystem::path small_model() { return support::shared_dir() / "golden" / "clip"; }

std::unique_ptr<const ClipModel> load_small(Precision precision) {
  auto model = ClipModel::load(small_model(), {.precision = precision});
  if (!model) throw std::runtime_error(model.error().message);
  return std::move(*model);
}

std::vector<float> random_images(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> pixels(count * kImageValues);
  for (float& value : pixels) value = static_cast<float>(random() % 256) / 64.0F - 2.0F;
  return pixels;
}

std::vector<std::vector<std::int32_t>> random_texts(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<std::int32_t>> texts(count);
  for (auto& text : texts) {
    text.resize(2 + random() % 76);
    for (auto& id : text) id = static_cast<std::int32_t>(random() % kStart);
    text.front() = kStart;
    text.back() = kEnd;
  }
  return texts;
}

void need(const core::Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

std::vector<float> encode_images(const ClipModel& model, std::span<const float> pixels, ClipWorkspace& workspace,
                                 Team* team = nullptr) {
  std::vector<float> out(pixels.size() / kImageValues * kDimension);
  need(model.encode_images(pixels, out, workspace, team));
  return out;
}

std::vector<float> encode_texts(const ClipModel& model, const std::vector<std::vector<std::int32_t>>& texts,
                                ClipWorkspace& workspace, Team* team = nullptr) {
  const std::vector<TokenSequence> sequences(texts.begin(), texts.end());
  std::vector<float> out(texts.size() * kDimension);
  need(model.encode_texts(sequences, out, workspace, team));
  return out;
}

std::vector<float> slice(const std::vector<float>& all, std::size_t index) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(index * kDimension);
  return {first, first + kDimension};
}

TEST(SmallClip, KnowsItself) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(Precision::kF32);
  EXPECT_EQ(model->dimension(), kDimension);
  EXPECT_EQ(model->image_size(), 64U);
  EXPECT_EQ(model->max_tokens(), 77U);
  EXPECT_EQ(model->vocabulary_size(), 914U);
  EXPECT_EQ(model->end_token(), kEnd);
  EXPECT_EQ(model->weights_hash().size(), 64U);
  EXPECT_GT(model->weight_bytes(), 0U);
  EXPECT_GT(model->image_operations(), 2.0 * 4 * 3072 * 32);  // the patch embedding alone
  EXPECT_GT(model->text_operations(10), model->text_operations(9));
  EXPECT_EQ(ClipModel::load(small_model(), {.weights_sha256 = "known"}).value()->weights_hash(), "known");
}

class EveryClipPrecision : public ::testing::TestWithParam<Precision> {};

// 120 pictures of 5 tokens are three chunks.
TEST_P(EveryClipPrecision, AVectorsBytesDoNotDependOnItsBatch) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(GetParam());
  ClipWorkspace workspace;
  const std::vector<float> pixels = random_images(120, 1);
  const std::vector<float> images = encode_images(*model, pixels, workspace);
  for (std::size_t index = 0; index < 120; index += 7) {
    ClipWorkspace fresh;
    const auto one = std::span(pixels).subspan(index * kImageValues, kImageValues);
    const std::vector<float> alone = encode_images(*model, one, fresh);
    ASSERT_EQ(alone, slice(images, index)) << "picture " << index;
    EXPECT_NEAR(cosine(alone, alone), 1.0, 1e-6);
    double length = 0;
    for (const float value : alone) length += static_cast<double>(value) * static_cast<double>(value);
    EXPECT_NEAR(length, 1.0, 1e-5);
  }
  auto texts = random_texts(40, 2);
  const std::vector<float> together = encode_texts(*model, texts, workspace);
  for (std::size_t index = 0; index < texts.size(); ++index) {
    ClipWorkspace fresh;
    ASSERT_EQ(encode_texts(*model, {texts[index]}, fresh), slice(together, index)) << "text " << index;
  }
  std::ranges::reverse(texts);
  EXPECT_EQ(slice(encode_texts(*model, texts, workspace), 39), slice(together, 0));
}

TEST_P(EveryClipPrecision, ATeamGivesTheBytesOfOneThread) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(GetParam());
  const std::vector<float> pixels = random_images(3, 3);
  const auto texts = random_texts(5, 4);
  ClipWorkspace workspace;
  const std::vector<float> images = encode_images(*model, pixels, workspace);
  const std::vector<float> vectors = encode_texts(*model, texts, workspace);
  for (const std::size_t helpers : {0U, 1U, 3U}) {
    Team team;
    std::vector<std::jthread> threads;
    for (std::size_t helper = 0; helper < helpers; ++helper) threads.emplace_back([&team] { team.help(); });
    for (int round = 0; round < 10; ++round) {
      ASSERT_EQ(encode_images(*model, pixels, workspace, &team), images) << helpers << " helpers";
      ASSERT_EQ(encode_texts(*model, texts, workspace, &team), vectors) << helpers << " helpers";
    }
    team.close();
  }
  EXPECT_EQ(encode_images(*model, pixels, workspace), images);
}

TEST_P(EveryClipPrecision, ThreadsShareAModel) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(GetParam());
  const std::vector<float> pixels = random_images(4, 5);
  const auto texts = random_texts(6, 6);
  ClipWorkspace workspace;
  const std::vector<float> images = encode_images(*model, pixels, workspace);
  const std::vector<float> vectors = encode_texts(*model, texts, workspace);
  std::vector<std::pair<std::vector<float>, std::vector<float>>> results(3);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        ClipWorkspace own;
        result.second = encode_texts(*model, texts, own);
        result.first = encode_images(*model, pixels, own);
      });
    }
  }
  for (const auto& result : results) {
    EXPECT_EQ(result.first, images);
    EXPECT_EQ(result.second, vectors);
  }
}

TEST_P(EveryClipPrecision, AWarmWorkspaceDoesNotGrow) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(GetParam());
  ClipWorkspace workspace;
  const std::vector<float> pixels = random_images(60, 7);
  const auto texts = random_texts(20, 8);
  encode_images(*model, pixels, workspace);
  encode_texts(*model, texts, workspace);
  const std::size_t size = workspace.size_bytes();
  EXPECT_GT(size, 0U);
  for (std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{60}}) {
    encode_images(*model, std::span(pixels).first(count * kImageValues), workspace);
    encode_texts(*model, texts, workspace);
    EXPECT_EQ(workspace.size_bytes(), size);
  }
}

TEST_P(EveryClipPrecision, WhatStandsBehindTheEndChangesNothing) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(GetParam());
  ClipWorkspace workspace;
  const std::vector<std::int32_t> text{kStart, 17, 300, 4, kEnd};
  std::vector<std::int32_t> padded = text;
  padded.resize(77, kEnd);
  std::vector<std::int32_t> followed = text;
  followed.insert(followed.end(), {kStart, 5, kEnd, 0});
  const std::vector<float> vectors = encode_texts(*model, {text, padded, followed}, workspace);
  EXPECT_EQ(slice(vectors, 1), slice(vectors, 0));
  EXPECT_EQ(slice(vectors, 2), slice(vectors, 0));
  const std::vector<float> other = encode_texts(*model, {{kStart, 17, 300, 5, kEnd}}, workspace);
  EXPECT_NE(other, slice(vectors, 0));
}

INSTANTIATE_TEST_SUITE_P(All, EveryClipPrecision, ::testing::Values(Precision::kF32, Precision::kBf16, Precision::kInt8),
                         [](const auto& given) { return std::string(to_string(given.param)); });

// Rounding errors do not average out over 32 channels of random weights as they do in real models.
TEST(SmallClip, NarrowPrecisionsStayNearF32) {
  SCALESTYLE_NEED(small_model());
  const std::vector<float> pixels = random_images(20, 9);
  const auto texts = random_texts(20, 10);
  ClipWorkspace workspace;
  const auto exact = load_small(Precision::kF32);
  const std::vector<float> images = encode_images(*exact, pixels, workspace);
  const std::vector<float> vectors = encode_texts(*exact, texts, workspace);
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const auto narrow = load_small(precision);
    const double gate = precision == Precision::kBf16 ? 0.999 : 0.99;
    for (std::size_t index = 0; index < 20; ++index) {
      EXPECT_GT(cosine(slice(images, index), slice(encode_images(*narrow, pixels, workspace), index)), gate) << index;
      EXPECT_GT(cosine(slice(vectors, index), slice(encode_texts(*narrow, texts, workspace), index)), gate) << index;
    }
  }
}

TEST(SmallClip, OneWorkspaceServesDifferentModels) {
  SCALESTYLE_NEED(small_model());
  const std::vector<float> pixels = random_images(2, 11);
  const auto texts = random_texts(2, 12);
  ClipWorkspace shared;
  for (int round = 0; round < 2; ++round) {
    for (const Precision precision : {Precision::kF32, Precision::kInt8, Precision::kBf16}) {
      const auto model = load_small(precision);
      ClipWorkspace own;
      EXPECT_EQ(encode_images(*model, pixels, shared), encode_images(*model, pixels, own));
      EXPECT_EQ(encode_texts(*model, texts, shared), encode_texts(*model, texts, own));
    }
  }
}

TEST(SmallClip, RefusesPicturesItCannotEncode) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(Precision::kF32);
  ClipWorkspace workspace;
  std::vector<float> pixels = random_images(1, 13);
  std::vector<float> out(kDimension);
  const auto refused = [&](std::size_t values, std::size_t room) {
    return model->encode_images(std::span(pixels).first(values), std::span(out).first(room), workspace).error();
  };
  EXPECT_EQ(refused(kImageValues - 1, kDimension).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused(kImageValues, kDimension - 1).message, HasSubstr("31"));
  EXPECT_THAT(refused(0, kDimension).message, HasSubstr("12288"));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    pixels[77] = bad;
    EXPECT_EQ(refused(kImageValues, kDimension).code, ErrorCode::kInvalidArgument);
  }
  EXPECT_TRUE(model->encode_images({}, {}, workspace).has_value());
}

TEST(SmallClip, RefusesTextsItCannotEncode) {
  SCALESTYLE_NEED(small_model());
  const auto model = load_small(Precision::kF32);
  ClipWorkspace workspace;
  std::vector<float> out(kDimension);
  const auto refused = [&](const std::vector<std::int32_t>& ids, std::size_t room) {
    const TokenSequence text(ids);
    return model->encode_texts({&text, 1}, std::span(out).first(room), workspace).error();
  };
  EXPECT_EQ(refused({}, kDimension).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused({kStart, 5}, kDimension).message, HasSubstr("913"));
  EXPECT_THAT(refused({kStart, 914, kEnd}, kDimension).message, HasSubstr("914"));
  EXPECT_THAT(refused({kStart, -1, kEnd}, kDimension).message, HasSubstr("-1"));
  EXPECT_THAT(refused(std::vector<std::int32_t>(78, kEnd), kDimension).message, HasSubstr("78"));
  EXPECT_THAT(refused({kStart, kEnd}, kDimension - 1).message, HasSubstr("31"));
  EXPECT_TRUE(model->encode_texts({}, {}, workspace).has_value());
}

class DamagedClip : public ::testing::Test {
 protected:
  // The small model with `from` in one of its files changed to `to`, of the same length in the weights.
  core::Error load_changed(const std::string& name, const std::string& from, const std::string& to) {
    std::filesystem::create_directories(folder_ / "model");
    for (const char* file : {"config.json", "model.safetensors"}) {
      std::stringstream text;
      text << std::ifstream(small_model() / file, std::ios::binary).rdbuf();
      std::string bytes = text.str();
      if (file == name) {
        if (bytes.find(from) == std::string::npos) throw std::runtime_error(from);
        bytes.replace(bytes.find(from), from.size(), to);
      }
      std::ofstream(folder_ / "model" / file, std::ios::binary) << bytes;
    }
    const auto model = ClipModel::load(folder_ / "model", {});
    return model ? core::Error{} : model.error();
  }

 private:
  support::TemporaryFolder folder_;
};

TEST_F(DamagedClip, IsRefusedByFileAndKeyOrTensor) {
  SCALESTYLE_NEED(small_model());
  const auto expect = [this](const std::string& file, const std::string& from, const std::string& to, ErrorCode code,
                             const std::string& named) {
    SCOPED_TRACE(from + " to " + to);
    const core::Error error = load_changed(file, from, to);
    EXPECT_EQ(error.code, code);
    EXPECT_THAT(error.message, HasSubstr(file));
    EXPECT_THAT(error.message, HasSubstr(named));
  };
  expect("config.json", "\"clip\"", "\"blip\"", ErrorCode::kUnsupported, "model_type");
  const std::string weights = "model.safetensors";
  expect(weights, "text_model.final_layer_norm.bias", "text_model.final_layer_norm.xxxx", ErrorCode::kDataLoss,
         "text_model.final_layer_norm.bias");
  expect(weights, "vision_model.pre_layrnorm.weight", "vision_model.pre_layernorm.weigh", ErrorCode::kDataLoss,
         "vision_model.pre_layrnorm.weight");
  expect(weights, "visual_projection.weight", "visual_projection.wxxxxx", ErrorCode::kDataLoss, "visual_projection.weight");
  expect(weights, "class_embedding", "glass_embedding", ErrorCode::kDataLoss, "vision_model.embeddings.class_embedding");
  expect(weights, "[32,3,32,32]", "[3,32,32,32]", ErrorCode::kDataLoss, "patch_embedding.weight");
}

TEST_F(DamagedClip, ShapesMustBeTheConfigurations) {
  SCALESTYLE_NEED(small_model());
  const auto expect = [this](const std::string& from, const std::string& to, const std::string& tensor) {
    const core::Error error = load_changed("config.json", from, to);
    EXPECT_EQ(error.code, ErrorCode::kDataLoss) << from;
    EXPECT_THAT(error.message, HasSubstr(tensor));
  };
  expect("\"image_size\": 64", "\"image_size\": 96", "vision_model.embeddings.position_embedding.weight");
  expect("\"vocab_size\": 914", "\"vocab_size\": 915", "text_model.embeddings.token_embedding.weight");
  expect("\"projection_dim\": 32", "\"projection_dim\": 64", "visual_projection.weight");
  expect("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "text_model.encoder.layers.2.self_attn.q_proj.weight");
}

TEST(SmallClip, RefusesIncompleteModels) {
  SCALESTYLE_NEED(small_model());
  const support::TemporaryFolder folder;
  EXPECT_EQ(ClipModel::load(folder.path(), {}).error().code, ErrorCode::kNotFound);
  std::filesystem::copy_file(small_model() / "config.json", folder / "config.json");
  EXPECT_EQ(ClipModel::load(folder.path(), {}).error().code, ErrorCode::kNotFound);
  std::filesystem::copy_file(small_model() / "model.safetensors", folder / "model.safetensors");
  EXPECT_TRUE(ClipModel::load(folder.path(), {}).has_value());
}

}  // namespace
}  // namespace scalestyle::nn
