#include "nn/bert_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

std::string config_json(const std::string& from = "", const std::string& to = "") {
  std::string text =
      R"({"model_type":"bert","hidden_act":"gelu","hidden_size":384,"num_hidden_layers":12,"num_attention_heads":12,)"
      R"("intermediate_size":1536,"max_position_embeddings":512,"vocab_size":30522,"type_vocab_size":2,"layer_norm_eps":1e-12})";
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(BertConfig, ReadsTheHubsForm) {
  const auto config = parse_bert_config(config_json(), "f");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->hidden, 384U);
  EXPECT_EQ(config->head_width(), 32U);
  EXPECT_FLOAT_EQ(config->layer_norm_epsilon, 1e-12F);
}

TEST(BertConfig, XlmRobertaCountsPositionsFromBehindThePadding) {
  EXPECT_EQ(parse_bert_config(config_json(), "f")->first_position, 0U);
  const auto config = parse_bert_config(config_json("\"bert\"", "\"xlm-roberta\",\"pad_token_id\":1"), "f");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->type, BertType::kXlmRoberta);
  EXPECT_EQ(config->first_position, 2U);
  EXPECT_EQ(config->max_tokens(), 510U);
}

TEST(BertConfig, RefusesWhatItCannotCompute) {
  const auto expect = [](const std::string& text, ErrorCode code, const std::string& part) {
    const auto config = parse_bert_config(text, "model/config.json");
    ASSERT_FALSE(config.has_value()) << text;
    EXPECT_EQ(config.error().code, code);
    EXPECT_THAT(config.error().message, HasSubstr(part));
    EXPECT_THAT(config.error().message, HasSubstr("model/config.json"));
  };
  expect("{", ErrorCode::kDataLoss, "not JSON");
  expect("7", ErrorCode::kDataLoss, "not a JSON object");
  expect(config_json("\"bert\"", "\"xlm-roberta\",\"pad_token_id\":512"), ErrorCode::kDataLoss, "pad_token_id");
  expect(config_json("\"bert\"", "\"xlm-roberta\",\"pad_token_id\":-1"), ErrorCode::kDataLoss, "pad_token_id");
  expect(config_json("\"bert\"", "\"t5\""), ErrorCode::kUnsupported, "model_type");
  expect(config_json("\"gelu\"", "\"relu\""), ErrorCode::kUnsupported, "hidden_act");
  expect(config_json("384", "385"), ErrorCode::kDataLoss, "num_attention_heads");
  expect(config_json("384", "0"), ErrorCode::kDataLoss, "hidden_size");
  expect(config_json("384", "-384"), ErrorCode::kDataLoss, "hidden_size");
  expect(config_json("384", "1e99"), ErrorCode::kDataLoss, "hidden_size");
  expect(config_json("30522", "99999999999"), ErrorCode::kDataLoss, "vocab_size");
  expect(config_json("\"vocab_size\"", "\"x\""), ErrorCode::kDataLoss, "vocab_size");
  expect(config_json("1e-12", "\"small\""), ErrorCode::kDataLoss, "layer_norm_eps");
}

TEST(Pooling, ReadFromTheFolder) {
  const support::TemporaryFolder temporary;
  const std::filesystem::path folder = temporary / "model";
  EXPECT_FALSE(read_pooling(folder)->has_value());
  std::filesystem::create_directories(folder / "1_Pooling");
  const auto write = [&folder](const std::string& text) { std::ofstream(folder / "1_Pooling" / "config.json") << text; };
  write(R"({"word_embedding_dimension":384,"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
  EXPECT_EQ(read_pooling(folder)->value(), Pooling::kCls);
  write(R"({"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true})");
  EXPECT_EQ(read_pooling(folder)->value(), Pooling::kMean);
  for (const char* text : {R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})",
                           R"({"pooling_mode_max_tokens":true})", R"({})"}) {
    write(text);
    EXPECT_EQ(read_pooling(folder).error().code, ErrorCode::kUnsupported);
  }
  write("{");
  EXPECT_EQ(read_pooling(folder).error().code, ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace scalestyle::nn
