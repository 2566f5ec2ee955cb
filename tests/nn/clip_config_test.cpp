#include "nn/clip_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

std::string config_json(const std::string& from = "", const std::string& to = "") {
  std::string text =
      R"({"model_type":"clip","projection_dim":512,)"
      R"("text_config":{"hidden_act":"quick_gelu","hidden_size":512,"num_hidden_layers":12,"num_attention_heads":8,)"
      R"("intermediate_size":2048,"max_position_embeddings":77,"vocab_size":49408,"eos_token_id":2,"layer_norm_eps":1e-5},)"
      R"("vision_config":{"hidden_act":"quick_gelu","hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,)"
      R"("intermediate_size":3072,"image_size":224,"patch_size":32,"num_channels":3,"layer_norm_eps":1e-5}})";
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(ClipConfig, ReadsTheHubsForm) {
  const auto config = parse_clip_config(config_json(), "f");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->vision.hidden, 768U);
  EXPECT_EQ(config->text.heads, 8U);
  EXPECT_EQ(config->patches(), 49U);
  EXPECT_EQ(config->patch_values(), 3072U);
  EXPECT_EQ(config->dimension, 512U);
  EXPECT_EQ(config->text.activation, kernels::Activation::kQuickGelu);
  EXPECT_FLOAT_EQ(config->vision.layer_norm_epsilon, 1e-5F);
  // Of the former end token, 2, the files say nothing true.
  EXPECT_EQ(config->end_token, 49407);
}

TEST(ClipConfig, TowersAreReadApart) {
  const auto config = parse_clip_config(
      R"({"model_type":"clip","projection_dim":640,"text_config":{"hidden_act":"gelu","vocab_size":1000,"eos_token_id":998},)"
      R"("vision_config":{"patch_size":16,"layer_norm_eps":1e-6}})",
      "f");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->text.activation, kernels::Activation::kGeluErf);
  EXPECT_EQ(config->vision.activation, kernels::Activation::kQuickGelu);
  EXPECT_EQ(config->end_token, 998);
  EXPECT_EQ(config->patches(), 196U);
  EXPECT_EQ(config->dimension, 640U);
  EXPECT_FLOAT_EQ(config->vision.layer_norm_epsilon, 1e-6F);
  EXPECT_FLOAT_EQ(config->text.layer_norm_epsilon, 1e-5F);
}

TEST(ClipConfig, WhatIsLeftOutIsViTB32s) {
  for (const char* text : {R"({"model_type":"clip"})", R"({"model_type":"clip","text_config":null,"vision_config":{}})"}) {
    const auto config = parse_clip_config(text, "f");
    ASSERT_TRUE(config.has_value()) << config.error().message;
    EXPECT_EQ(config->vision.hidden, 768U);
    EXPECT_EQ(config->vision.heads, 12U);
    EXPECT_EQ(config->text.intermediate, 2048U);
    EXPECT_EQ(config->end_token, 49407);
  }
}

TEST(ClipConfig, ASectionRepeatedByAnOldWriterCounts) {
  const auto config = parse_clip_config(
      config_json("\"model_type\":\"clip\"",
                  R"("model_type":"clip","vision_config_dict":null,"text_config_dict":{"hidden_act":"gelu"})"),
      "f");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->text.activation, kernels::Activation::kGeluErf);
  EXPECT_EQ(config->vision.activation, kernels::Activation::kQuickGelu);
}

TEST(ClipConfig, RefusesWhatItCannotCompute) {
  const auto expect = [](const std::string& text, ErrorCode code, const std::string& part) {
    const auto config = parse_clip_config(text, "model/config.json");
    ASSERT_FALSE(config.has_value()) << text;
    EXPECT_EQ(config.error().code, code) << text;
    EXPECT_THAT(config.error().message, HasSubstr(part));
    EXPECT_THAT(config.error().message, HasSubstr("model/config.json"));
  };
  expect("{", ErrorCode::kDataLoss, "not JSON");
  expect("[]", ErrorCode::kDataLoss, "not a JSON object");
  expect("{}", ErrorCode::kUnsupported, "model_type");
  expect(config_json("\"clip\"", "\"siglip\""), ErrorCode::kUnsupported, "model_type");
  expect(config_json("\"quick_gelu\"", "\"relu\""), ErrorCode::kUnsupported, "text_config.hidden_act");
  expect(config_json("\"quick_gelu\"", "7"), ErrorCode::kUnsupported, "text_config.hidden_act");
  expect(config_json("\"text_config\":{", "\"text_config\":7,\"other\":{"), ErrorCode::kDataLoss, "must be an object");
  expect(config_json("\"hidden_size\":512", "\"hidden_size\":511"), ErrorCode::kDataLoss, "text_config.hidden_size 511");
  expect(config_json("\"hidden_size\":768", "\"hidden_size\":\"768\""), ErrorCode::kDataLoss, "vision_config.hidden_size");
  expect(config_json("\"hidden_size\":768", "\"hidden_size\":0"), ErrorCode::kDataLoss, "vision_config.hidden_size");
  expect(config_json("\"num_attention_heads\":12", "\"num_attention_heads\":-12"), ErrorCode::kDataLoss, "num_attention_heads");
  expect(config_json("\"intermediate_size\":3072", "\"intermediate_size\":99999999999"), ErrorCode::kDataLoss,
         "vision_config.intermediate_size");
  expect(config_json("\"image_size\":224", "\"image_size\":1e3"), ErrorCode::kDataLoss, "image_size");
  expect(config_json("\"image_size\":224", "\"image_size\":230"), ErrorCode::kUnsupported, "patch_size");
  expect(config_json("\"patch_size\":32", "\"patch_size\":1"), ErrorCode::kUnsupported, "50176 patches");
  expect(config_json("\"patch_size\":32", "\"patch_size\":224"), ErrorCode::kUnsupported, "150528 values");
  expect(config_json("\"num_channels\":3", "\"num_channels\":4"), ErrorCode::kUnsupported, "num_channels");
  expect(config_json("\"eos_token_id\":2", "\"eos_token_id\":49408"), ErrorCode::kDataLoss, "eos_token_id");
  expect(config_json("\"eos_token_id\":2", "\"eos_token_id\":[2]"), ErrorCode::kDataLoss, "eos_token_id");
  expect(config_json("\"layer_norm_eps\":1e-5", "\"layer_norm_eps\":1"), ErrorCode::kDataLoss, "text_config.layer_norm_eps");
  expect(config_json("\"projection_dim\":512", "\"projection_dim\":null"), ErrorCode::kDataLoss, "projection_dim");
}

TEST(ClipConfig, ReadsItsFile) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(read_clip_config(folder.path()).error().code, ErrorCode::kNotFound);
  std::ofstream(folder / "config.json") << config_json();
  EXPECT_EQ(read_clip_config(folder.path())->vision.layers, 12U);
}

}  // namespace
}  // namespace scalestyle::nn
