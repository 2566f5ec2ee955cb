// What may be wrong with a Qwen2 model's config.json and with an index of several safetensors files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <string>

#include "nn/qwen2_config.hpp"
#include "nn/qwen2_support.hpp"
#include "nn/safetensors_shards.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using ::testing::HasSubstr;
using core::ErrorCode;

// As Qwen2-1.5B-Instruct's on the hub.
const std::string kConfig = R"({"architectures":["Qwen2ForCausalLM"],"attention_dropout":0.0,"bos_token_id":151643,)"
                            R"("eos_token_id":151645,"hidden_act":"silu","hidden_size":1536,"initializer_range":0.02,)"
                            R"("intermediate_size":8960,"max_position_embeddings":32768,"max_window_layers":28,)"
                            R"("model_type":"qwen2","num_attention_heads":12,"num_hidden_layers":28,)"
                            R"("num_key_value_heads":2,"rms_norm_eps":1e-06,"rope_theta":1000000.0,"sliding_window":32768,)"
                            R"("tie_word_embeddings":true,"torch_dtype":"bfloat16","use_sliding_window":false,)"
                            R"("vocab_size":151936})";

std::string with(const std::string& from, const std::string& to) {
  std::string config = kConfig;
  const auto at = config.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return config.replace(at, from.size(), to);
}

TEST(Qwen2Config, ReadsTheHubs) {
  const auto config = parse_qwen2_config(kConfig, "config.json");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->head_width(), 128U);
  EXPECT_EQ(config->key_value_width(), 256U);
  EXPECT_EQ(config->vocabulary, 151936U);
  EXPECT_EQ(config->rope_theta, 1e6);
  EXPECT_TRUE(config->tied_head);
}

TEST(Qwen2Config, ReadsNewerNamesAndDefaults) {
  const auto config = parse_qwen2_config(
      with(R"("rope_theta":1000000.0)", R"("rope_scaling":null,"rope_parameters":{"rope_theta":5e5,"rope_type":"default"})"), "c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->rope_theta, 5e5);
  const auto untied = parse_qwen2_config(with(R"("tie_word_embeddings":true,)", ""), "c");
  ASSERT_TRUE(untied) << untied.error().message;
  EXPECT_FALSE(untied->tied_head);
}

TEST(Qwen2Config, RefusesWhatIsNotComputed) {
  const std::pair<std::string, std::string> changes[] = {
      {R"("model_type":"qwen2")", R"("model_type":"llama")"},
      {R"("model_type":"qwen2",)", ""},
      {R"("silu")", R"("gelu")"},
      {R"("use_sliding_window":false)", R"("use_sliding_window":true)"},
      {R"("rope_theta":1000000.0)", R"("rope_scaling":{"type":"yarn","factor":4.0})"},
      {R"("num_attention_heads":12)", R"("num_attention_heads":64)"},
      {R"("hidden_act")", R"("head_dim":64,"hidden_act")"},
  };
  for (const auto& [from, to] : changes) {
    const auto config = parse_qwen2_config(with(from, to), "c.json");
    ASSERT_FALSE(config) << to;
    EXPECT_EQ(config.error().code, ErrorCode::kUnsupported) << config.error().message;
    EXPECT_THAT(config.error().message, HasSubstr("c.json"));
  }
}

TEST(Qwen2Config, RefusesDamage) {
  const std::pair<std::string, std::string> changes[] = {
      {kConfig, "[]"},
      {kConfig, "{"},
      {R"("hidden_size":1536)", R"("hidden_size":0)"},
      {R"("hidden_size":1536)", R"("hidden_size":1e9)"},
      {R"("num_key_value_heads":2)", R"("num_key_value_heads":5)"},
      {R"("vocab_size":151936)", R"("vocab_size":"many")"},
      {R"("rms_norm_eps":1e-06)", R"("rms_norm_eps":-1)"},
      {R"("tie_word_embeddings":true)", R"("tie_word_embeddings":1)"},
  };
  for (const auto& [from, to] : changes) {
    const auto config = parse_qwen2_config(with(from, to), "c.json");
    ASSERT_FALSE(config) << to;
    EXPECT_EQ(config.error().code, ErrorCode::kDataLoss) << config.error().message;
  }
}

class Shards : public ::testing::Test {
 protected:
  void SetUp() override {
    test::write_tensors(folder_ / "one.safetensors", {{"a", TensorType::kU8, {2}, "xy"}});
    test::write_tensors(folder_ / "two.safetensors", {{"b", TensorType::kU8, {1}, "z"}});
  }
  core::Result<SafetensorsShards> open(const std::string& index) const {
    std::ofstream(folder_ / "model.safetensors.index.json") << index;
    return SafetensorsShards::open(folder_.path());
  }
  support::TemporaryFolder folder_;
};

TEST_F(Shards, FindsATensorInItsFile) {
  const auto shards = open(R"({"metadata":{},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  ASSERT_TRUE(shards) << shards.error().message;
  EXPECT_TRUE(shards->contains("b"));
  const std::array<std::uint64_t, 1> two{2};
  EXPECT_TRUE(shards->find("a", two));
  const auto other_shape = shards->find("b", two);
  ASSERT_FALSE(other_shape);
  EXPECT_THAT(other_shape.error().message, HasSubstr("two.safetensors"));
  const auto missing = shards->find("c", two);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kDataLoss);
}

TEST_F(Shards, RefusesADamagedIndex) {
  for (const char* index : {"", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
                            R"({"weight_map":{"a":"../one.safetensors"}})", R"({"weight_map":{"a":"/etc/passwd"}})",
                            R"({"weight_map":{"a":"two.safetensors"}})", R"({"weight_map":{"a":""}})"}) {
    const auto shards = open(index);
    ASSERT_FALSE(shards) << index;
    EXPECT_EQ(shards.error().code, ErrorCode::kDataLoss) << shards.error().message;
  }
  const auto missing = open(R"({"weight_map":{"a":"three.safetensors"}})");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(Shards, NothingThereIsNotFound) {
  const support::TemporaryFolder empty;
  const auto shards = SafetensorsShards::open(empty.path());
  ASSERT_FALSE(shards);
  EXPECT_EQ(shards.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::nn
