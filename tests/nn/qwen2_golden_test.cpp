// Qwen2 against the reference's logits and greedy tokens: a small random model with grouped queries and a tied head.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "nn/kernels/isa.hpp"
#include "nn/kernels_support.hpp"
#include "nn/qwen2_model.hpp"
#include "nn/qwen2_session.hpp"
#include "nn/qwen2_support.hpp"
#include "nn/token_sampler.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using test::GoldenChat;

std::filesystem::path folder() { return support::shared_dir() / "golden" / "qwen2"; }

std::unique_ptr<const Qwen2Model> load(const std::filesystem::path& from, Precision precision) {
  auto model = Qwen2Model::load(from, {.precision = precision});
  EXPECT_TRUE(model.has_value()) << model.error().message;
  return model ? std::move(*model) : nullptr;
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

// The logits after the prompt, and after each of its greedy tokens but the last.
std::vector<std::vector<float>> all_logits(const Qwen2Model& model, const GoldenChat& chat, Team* team = nullptr) {
  auto session = Qwen2Session::create(model, chat.prompt.size() + chat.greedy.size());
  EXPECT_TRUE(session.has_value());
  std::vector<std::vector<float>> logits;
  EXPECT_TRUE((*session)->prefill(chat.prompt, team));
  logits.push_back(copy((*session)->logits()));
  for (std::size_t index = 0; index + 1 < chat.greedy.size(); ++index) {
    EXPECT_TRUE((*session)->next(chat.greedy[index], team));
    logits.push_back(copy((*session)->logits()));
  }
  return logits;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  return dot / std::sqrt(aa * bb);
}

class GoldenQwen2 : public ::testing::Test {
 protected:
  void SetUp() override {
    SCALESTYLE_NEED(folder());
    chats_ = test::read_golden_chats(folder());
    ASSERT_EQ(chats_.size(), 3U);
  }
  std::vector<GoldenChat> chats_;
};

TEST_F(GoldenQwen2, LogitsAndGreedyTokensAreTheReferences) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    const auto model = load(folder(), precision);
    ASSERT_NE(model, nullptr);
    double worst = 0;
    for (const GoldenChat& chat : chats_) {
      const auto logits = all_logits(*model, chat);
      ASSERT_EQ(logits.front().size(), chat.logits.size());
      for (std::size_t id = 0; id < chat.logits.size(); ++id) {
        worst = std::max(worst, std::fabs(double{logits.front()[id]} - double{chat.logits[id]}));
      }
      ASSERT_EQ(chat.greedy.size(), 20U);
      for (std::size_t step = 0; step < chat.greedy.size(); ++step) {
        EXPECT_EQ(likeliest_token(logits[step]), chat.greedy[step]) << "step " << step;
      }
    }
    EXPECT_LE(worst, 1e-4);
    std::printf("%s: worst logit error %.2e\n", std::string(to_string(precision)).c_str(), worst);
  }
}

// The weights are bf16 numbers: as such and as f32 they are the same numbers.
TEST_F(GoldenQwen2, Bf16GivesTheBitsOfF32) {
  const auto f32 = load(folder(), Precision::kF32);
  const auto bf16 = load(folder(), Precision::kBf16);
  for (const GoldenChat& chat : chats_) EXPECT_EQ(all_logits(*f32, chat), all_logits(*bf16, chat));
}

// A random model of width 64 is far harder on int8 than a trained one of width 1,536: the bounds are what it reaches.
TEST_F(GoldenQwen2, Int8IsNear) {
  const auto reference = load(folder(), Precision::kBf16);
  const auto int8 = load(folder(), Precision::kInt8);
  double least = 1;
  std::size_t agreed = 0;
  std::size_t steps = 0;
  for (const GoldenChat& chat : chats_) {
    const auto expected = all_logits(*reference, chat);
    const auto got = all_logits(*int8, chat);
    for (std::size_t step = 0; step < expected.size(); ++step) {
      least = std::min(least, cosine(expected[step], got[step]));
      if (likeliest_token(expected[step]) == likeliest_token(got[step])) ++agreed;
      ++steps;
    }
  }
  std::printf("int8: least cosine of logits %.6f, same likeliest token at %zu of %zu steps\n", least, agreed, steps);
  EXPECT_GE(least, 0.998);
  EXPECT_GE(agreed, steps - 3);
}

TEST_F(GoldenQwen2, EveryInstructionSetGivesTheSameBits) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const auto model = load(folder(), precision);
    std::vector<std::vector<float>> expected;
    for (const kernels::Isa isa : kernels::supported_isas()) {
      const kernels::test::WithIsa forced(isa);
      const auto logits = all_logits(*model, chats_[0]);
      if (expected.empty()) expected = logits;
      EXPECT_EQ(logits, expected) << kernels::to_string(isa);
    }
  }
}

TEST_F(GoldenQwen2, ATeamDoesNotChangeABit) {
  const auto model = load(folder(), Precision::kBf16);
  const auto expected = all_logits(*model, chats_[1]);
  Team team;
  std::jthread helper([&] { team.help(); });
  EXPECT_EQ(all_logits(*model, chats_[1], &team), expected);
  team.close();
}

// 1, 7 and 96 rows at a time are other tiles of the products, and other batches.
TEST_F(GoldenQwen2, HowATextIsDividedDoesNotChangeABit) {
  const auto model = load(folder(), Precision::kInt8);
  std::vector<std::int32_t> text;
  while (text.size() < 230) text.insert(text.end(), chats_[2].prompt.begin(), chats_[2].prompt.end());
  text.resize(230);
  std::vector<float> expected;
  for (const std::size_t piece : {230U, 96U, 7U, 1U}) {
    auto session = Qwen2Session::create(*model, 230);
    ASSERT_TRUE(session);
    for (std::size_t first = 0; first < text.size(); first += piece) {
      ASSERT_TRUE((*session)->prefill(std::span(text).subspan(first, std::min(piece, text.size() - first))));
    }
    EXPECT_EQ((*session)->length(), 230U);
    if (expected.empty()) expected = copy((*session)->logits());
    EXPECT_EQ(copy((*session)->logits()), expected) << piece;
  }
}

TEST_F(GoldenQwen2, ShardsAndAHeadOfItsOwnGiveTheSame) {
  auto tensors = test::read_tensors(folder() / "model.safetensors");
  auto head = *std::ranges::find(tensors, std::string("model.embed_tokens.weight"), &test::StoredTensor::name);
  head.name = "lm_head.weight";
  tensors.push_back(head);
  const support::TemporaryFolder copy_folder;
  const auto middle = tensors.begin() + static_cast<std::ptrdiff_t>(tensors.size() / 2);
  const std::array<std::vector<test::StoredTensor>, 2> shards = {std::vector(tensors.begin(), middle),
                                                                 std::vector(middle, tensors.end())};
  std::string index;
  for (std::size_t shard = 0; shard < 2; ++shard) {
    const std::string name = "model-0000" + std::to_string(shard + 1) + "-of-00002.safetensors";
    test::write_tensors(copy_folder / name, shards[shard]);
    for (const auto& tensor : shards[shard]) index += (index.empty() ? "\"" : ",\"") + tensor.name + "\":\"" + name + "\"";
  }
  std::ofstream(copy_folder / "model.safetensors.index.json") << R"({"weight_map":{)" << index << "}}";
  std::ifstream config_stream(folder() / "config.json");
  std::string config((std::istreambuf_iterator<char>(config_stream)), std::istreambuf_iterator<char>());
  const std::string tied = "\"tie_word_embeddings\": true";
  config.replace(config.find(tied), tied.size(), "\"tie_word_embeddings\": false");
  std::ofstream(copy_folder / "config.json") << config;

  const auto single = load(folder(), Precision::kBf16);
  const auto sharded = load(copy_folder.path(), Precision::kBf16);
  ASSERT_NE(sharded, nullptr);
  EXPECT_EQ(all_logits(*sharded, chats_[0]), all_logits(*single, chats_[0]));
  EXPECT_EQ(sharded->weights_hash().size(), 64U);
  EXPECT_NE(sharded->weights_hash(), single->weights_hash());
}

TEST_F(GoldenQwen2, MemoryIsKnownBeforehand) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    const auto need = qwen2_memory_need(folder(), precision, 300);
    ASSERT_TRUE(need) << need.error().message;
    EXPECT_EQ(need->weight_bytes, load(folder(), precision)->weight_bytes());
    // Keys and values of two layers, two heads of 16 each.
    EXPECT_GE(need->session_bytes, 300U * 2 * 2 * 2 * 16 * 4);
  }
  const auto too_long = qwen2_memory_need(folder(), Precision::kBf16, 513);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, core::ErrorCode::kInvalidArgument);
}

TEST_F(GoldenQwen2, WhatCannotBeComputedIsRefused) {
  const auto model = load(folder(), Precision::kBf16);
  EXPECT_FALSE(Qwen2Session::create(*model, 0));
  EXPECT_FALSE(Qwen2Session::create(*model, 513));
  auto session = Qwen2Session::create(*model, 8);
  ASSERT_TRUE(session);
  const std::vector<std::int32_t> nine(9, 5);
  for (const std::vector<std::int32_t>& bad : {std::vector<std::int32_t>{}, {768}, {-1}, nine}) {
    const auto refused = (*session)->begin(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
  }
  ASSERT_TRUE((*session)->prefill(std::span(nine).first(8)));
  const std::vector<float> full = copy((*session)->logits());
  EXPECT_FALSE((*session)->next(5));
  EXPECT_EQ((*session)->length(), 8U);
  (*session)->reset();
  ASSERT_TRUE((*session)->begin(std::span(nine).first(3)));
  EXPECT_FALSE((*session)->step());
  const auto busy = (*session)->begin(std::span(nine).first(1));
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, core::ErrorCode::kFailedPrecondition);
  (*session)->reset();  // in the middle
  ASSERT_TRUE((*session)->prefill(std::span(nine).first(8)));
  EXPECT_EQ(copy((*session)->logits()), full);
}

}  // namespace
}  // namespace scalestyle::nn
