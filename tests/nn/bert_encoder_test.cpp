// The encoder's promises that need no real weights, on the small golden model (random weights, 4 heads of 8).
#include "nn/bert_encoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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

std::filesystem::path small_model() { return support::shared_dir() / "golden" / "bert_cross_encoder"; }

std::unique_ptr<const BertEncoder> load_small(Precision precision, Pooling pooling) {
  auto encoder = BertEncoder::load(small_model(), {.precision = precision, .pooling = pooling});
  if (!encoder) throw std::runtime_error(encoder.error().message);
  return std::move(*encoder);
}

std::vector<std::vector<std::int32_t>> random_texts(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<std::int32_t>> texts(count);
  for (auto& text : texts) {
    text.resize(1 + random() % 128);
    for (auto& id : text) id = static_cast<std::int32_t>(random() % 1000);
  }
  return texts;
}

std::vector<float> encode(const BertEncoder& encoder, const std::vector<std::vector<std::int32_t>>& texts,
                          BertEncoder::Workspace& workspace) {
  const std::vector<TokenSequence> sequences(texts.begin(), texts.end());
  std::vector<float> out(texts.size() * encoder.dimension());
  const core::Status status = encoder.encode(sequences, out, workspace);
  if (!status) throw std::runtime_error(status.error().message);
  return out;
}

TEST(SmallEncoder, LoadsNamesWithPrefixAndKnowsItself) {
  SCALESTYLE_NEED(small_model());
  const auto encoder = load_small(Precision::kF32, Pooling::kCls);
  EXPECT_EQ(encoder->dimension(), kDimension);
  EXPECT_EQ(encoder->max_tokens(), 128U);
  EXPECT_EQ(encoder->vocabulary_size(), 1000U);
  EXPECT_EQ(encoder->weights_hash().size(), 64U);
  EXPECT_GT(encoder->weight_bytes(), 0U);
  EXPECT_GT(encoder->operations(10), encoder->operations(9));
}

class EveryPrecision : public ::testing::TestWithParam<std::tuple<Precision, Pooling>> {};

TEST_P(EveryPrecision, ATextsBytesDoNotDependOnItsBatch) {
  SCALESTYLE_NEED(small_model());
  const auto [precision, pooling] = GetParam();
  const auto encoder = load_small(precision, pooling);
  const auto texts = random_texts(40, 1);
  BertEncoder::Workspace workspace;
  const std::vector<float> together = encode(*encoder, texts, workspace);
  for (std::size_t index = 0; index < texts.size(); ++index) {
    BertEncoder::Workspace fresh;
    const std::vector<float> alone = encode(*encoder, {texts[index]}, fresh);
    const std::vector<float> in_batch(together.begin() + static_cast<std::ptrdiff_t>(index * kDimension),
                                      together.begin() + static_cast<std::ptrdiff_t>((index + 1) * kDimension));
    ASSERT_EQ(alone, in_batch) << "text " << index << " of " << texts[index].size() << " tokens";
    double length = 0;
    for (const float value : alone) length += static_cast<double>(value) * static_cast<double>(value);
    EXPECT_NEAR(length, 1.0, 1e-5);
  }
  auto reversed = texts;
  std::reverse(reversed.begin(), reversed.end());
  const std::vector<float> backwards = encode(*encoder, reversed, workspace);
  EXPECT_TRUE(std::equal(together.begin(), together.begin() + kDimension, backwards.end() - kDimension));
}

TEST_P(EveryPrecision, ThreadsShareAnEncoder) {
  SCALESTYLE_NEED(small_model());
  const auto [precision, pooling] = GetParam();
  const auto encoder = load_small(precision, pooling);
  const auto texts = random_texts(20, 2);
  BertEncoder::Workspace workspace;
  const std::vector<float> expected = encode(*encoder, texts, workspace);
  std::vector<std::vector<float>> results(4);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) {
      threads.emplace_back([&encoder, &texts, &result] {
        BertEncoder::Workspace own;
        result = encode(*encoder, texts, own);
      });
    }
  }
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

// The small model's products have one or two panels: enough for leader and helper to have one each.
TEST_P(EveryPrecision, ATeamGivesTheBytesOfOneThread) {
  SCALESTYLE_NEED(small_model());
  const auto [precision, pooling] = GetParam();
  const auto encoder = load_small(precision, pooling);
  const auto texts = random_texts(12, 7);
  const std::vector<TokenSequence> sequences(texts.begin(), texts.end());
  BertEncoder::Workspace workspace;
  const std::vector<float> expected = encode(*encoder, texts, workspace);
  for (const std::size_t helpers : {0U, 1U, 2U, 3U}) {
    Team team;
    std::vector<std::jthread> threads;
    for (std::size_t helper = 0; helper < helpers; ++helper) threads.emplace_back([&team] { team.help(); });
    for (int round = 0; round < 20; ++round) {
      std::vector<float> out(expected.size());
      ASSERT_TRUE(encoder->encode(sequences, out, workspace, &team));
      ASSERT_EQ(out, expected) << helpers << " helpers";
      if (round == 10) threads.emplace_back([&team] { team.help(); });  // one more, late
    }
    team.close();
  }
  EXPECT_EQ(encode(*encoder, texts, workspace), expected);
}

TEST_P(EveryPrecision, AWarmWorkspaceDoesNotGrow) {
  SCALESTYLE_NEED(small_model());
  const auto [precision, pooling] = GetParam();
  const auto encoder = load_small(precision, pooling);
  BertEncoder::Workspace workspace;
  encode(*encoder, random_texts(2, 3), workspace);
  const std::size_t size = workspace.size_bytes();
  encode(*encoder, random_texts(300, 4), workspace);
  EXPECT_EQ(workspace.size_bytes(), size);
}

INSTANTIATE_TEST_SUITE_P(All, EveryPrecision,
                         ::testing::Combine(::testing::Values(Precision::kF32, Precision::kBf16, Precision::kInt8),
                                            ::testing::Values(Pooling::kCls, Pooling::kMean)));

TEST(SmallEncoder, NarrowPrecisionsStayNearF32) {
  SCALESTYLE_NEED(small_model());
  const auto texts = random_texts(30, 5);
  BertEncoder::Workspace workspace;
  // Rounding errors do not average out over 32 channels of random weights as they do in real models.
  const auto least = [](Precision precision) { return precision == Precision::kBf16 ? 0.999 : 0.99; };
  for (const Pooling pooling : {Pooling::kCls, Pooling::kMean}) {
    const std::vector<float> exact = encode(*load_small(Precision::kF32, pooling), texts, workspace);
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      const std::vector<float> narrow = encode(*load_small(precision, pooling), texts, workspace);
      for (std::size_t index = 0; index < texts.size(); ++index) {
        const auto slice = [index](const std::vector<float>& all) {
          return std::span<const float>(all.data() + index * kDimension, kDimension);
        };
        EXPECT_GT(cosine(slice(exact), slice(narrow)), least(precision)) << to_string(precision) << ", text " << index;
      }
    }
  }
}

TEST(SmallEncoder, OneWorkspaceServesDifferentEncoders) {
  SCALESTYLE_NEED(small_model());
  const auto texts = random_texts(3, 6);
  BertEncoder::Workspace shared;
  for (int round = 0; round < 2; ++round) {
    for (const Precision precision : {Precision::kF32, Precision::kInt8, Precision::kBf16}) {
      const auto encoder = load_small(precision, Pooling::kMean);
      BertEncoder::Workspace own;
      EXPECT_EQ(encode(*encoder, texts, shared), encode(*encoder, texts, own));
    }
  }
}

TEST(SmallEncoder, RefusesWhatItCannotEncode) {
  SCALESTYLE_NEED(small_model());
  const auto encoder = load_small(Precision::kF32, Pooling::kCls);
  BertEncoder::Workspace workspace;
  std::vector<float> out(kDimension);
  const auto refused = [&](const std::vector<std::int32_t>& ids, std::size_t size) {
    const TokenSequence text(ids);
    return encoder->encode({&text, 1}, std::span(out).first(size), workspace).error();
  };
  EXPECT_EQ(refused({}, kDimension).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused({5, 1000}, kDimension).message, HasSubstr("1000"));
  EXPECT_THAT(refused({-1}, kDimension).message, HasSubstr("-1"));
  EXPECT_THAT(refused(std::vector<std::int32_t>(129, 1), kDimension).message, HasSubstr("129"));
  EXPECT_THAT(refused({1}, kDimension - 1).message, HasSubstr("31"));
  EXPECT_TRUE(encoder->encode({}, {}, workspace).has_value());
}

TEST(SmallEncoder, RefusesIncompleteModels) {
  SCALESTYLE_NEED(small_model());
  const support::TemporaryFolder temporary;
  const std::filesystem::path folder = temporary / "model";
  std::filesystem::create_directories(folder);
  const EncoderOptions options{.precision = Precision::kF32, .pooling = Pooling::kCls};
  EXPECT_EQ(BertEncoder::load(folder, options).error().code, ErrorCode::kNotFound);
  std::filesystem::copy_file(small_model() / "config.json", folder / "config.json");
  EXPECT_EQ(BertEncoder::load(folder, options).error().code, ErrorCode::kNotFound);
  std::filesystem::copy_file(small_model() / "model.safetensors", folder / "model.safetensors");
  EXPECT_TRUE(BertEncoder::load(folder, options).has_value());
  EXPECT_THAT(BertEncoder::load(folder, {.precision = Precision::kF32}).error().message, HasSubstr("pooling"));
  std::stringstream text;
  text << std::ifstream(folder / "config.json").rdbuf();
  std::string changed = text.str();
  changed.replace(changed.find("\"num_hidden_layers\": 2"), 22, "\"num_hidden_layers\": 3");
  std::ofstream(folder / "config.json") << changed;
  const auto missing = BertEncoder::load(folder, options);
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("bert.encoder.layer.2.attention.self.query.weight"));
}

TEST(Precisions, NamesBothWays) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    EXPECT_EQ(*parse_precision(to_string(precision)), precision);
  }
  EXPECT_EQ(parse_precision("fp8").error().field, "precision");
}

}  // namespace
}  // namespace scalestyle::nn
