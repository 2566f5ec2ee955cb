// The cross-encoder's promises that need no expected scores, on the small golden models (random weights, 4 heads of 8).
#include "nn/cross_encoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "nn/portable_math.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

std::filesystem::path bert() { return support::shared_dir() / "golden" / "bert_cross_encoder"; }
std::filesystem::path xlmr() { return support::shared_dir() / "golden" / "xlmr_reranker"; }

std::unique_ptr<const CrossEncoder> load(const std::filesystem::path& folder, Precision precision) {
  auto model = CrossEncoder::load(folder, {.precision = precision, .weights_sha256 = "not computed for the test"});
  if (!model) throw std::runtime_error(model.error().message);
  return std::move(*model);
}

struct RandomPairs {
  RandomPairs(std::size_t count, unsigned seed, bool two_types) {
    std::mt19937 random(seed);
    ids.resize(count);
    for (auto& pair : ids) {
      pair.resize(1 + random() % 128);
      for (auto& id : pair) id = static_cast<std::int32_t>(random() % 1000);
      inputs.push_back({.ids = pair, .second_segment = two_types ? random() % (pair.size() + 1) : pair.size()});
    }
  }
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<TokenInput> inputs;
};

std::vector<float> score(const CrossEncoder& model, const std::vector<TokenInput>& pairs, CrossEncoder::Workspace& workspace,
                         Team* team = nullptr) {
  std::vector<float> logits(pairs.size());
  const core::Status status = model.score(pairs, logits, workspace, team);
  if (!status) throw std::runtime_error(status.error().message);
  return logits;
}

class EveryModel : public ::testing::TestWithParam<std::tuple<std::string, Precision>> {
 protected:
  [[nodiscard]] static std::filesystem::path folder() {
    return support::shared_dir() / "golden" / std::get<0>(GetParam());
  }
  [[nodiscard]] static bool two_types() { return std::get<0>(GetParam()) == "bert_cross_encoder"; }
};

TEST_P(EveryModel, APairsBitsDoNotDependOnItsBatch) {
  SCALESTYLE_NEED(folder());
  const auto model = load(folder(), std::get<1>(GetParam()));
  const RandomPairs pairs(40, 1, two_types());
  CrossEncoder::Workspace workspace;
  const std::vector<float> together = score(*model, pairs.inputs, workspace);
  for (std::size_t index = 0; index < pairs.inputs.size(); ++index) {
    CrossEncoder::Workspace fresh;
    ASSERT_EQ(score(*model, {pairs.inputs[index]}, fresh).front(), together[index]) << "pair " << index;
  }
  std::vector<TokenInput> backwards(pairs.inputs.rbegin(), pairs.inputs.rend());
  const std::vector<float> reversed = score(*model, backwards, workspace);
  EXPECT_TRUE(std::equal(together.begin(), together.end(), reversed.rbegin()));
}

TEST_P(EveryModel, ThreadsAndTeamsGiveTheBitsOfOneThread) {
  SCALESTYLE_NEED(folder());
  const auto model = load(folder(), std::get<1>(GetParam()));
  const RandomPairs pairs(12, 2, two_types());
  CrossEncoder::Workspace workspace;
  const std::vector<float> expected = score(*model, pairs.inputs, workspace);
  std::vector<std::vector<float>> results(3);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        CrossEncoder::Workspace own;
        result = score(*model, pairs.inputs, own);
      });
    }
  }
  for (const auto& result : results) EXPECT_EQ(result, expected);
  Team team;
  std::jthread helper([&team] { team.help(); });
  EXPECT_EQ(score(*model, pairs.inputs, workspace, &team), expected);
  team.close();
}

INSTANTIATE_TEST_SUITE_P(All, EveryModel,
                         ::testing::Combine(::testing::Values("bert_cross_encoder", "xlmr_reranker"),
                                            ::testing::Values(Precision::kF32, Precision::kBf16, Precision::kInt8)));

TEST(SmallCrossEncoder, KnowsItself) {
  SCALESTYLE_NEED(bert());
  const auto small_bert = CrossEncoder::load(bert(), {.precision = Precision::kF32});
  ASSERT_TRUE(small_bert) << small_bert.error().message;
  EXPECT_EQ((*small_bert)->type(), BertType::kBert);
  EXPECT_EQ((*small_bert)->activation(), ScoreActivation::kSigmoid);
  EXPECT_EQ((*small_bert)->max_tokens(), 128U);
  EXPECT_EQ((*small_bert)->vocabulary_size(), 1000U);
  EXPECT_EQ((*small_bert)->weights_hash().size(), 64U);
  EXPECT_GT((*small_bert)->weight_bytes(), 0U);
  EXPECT_GT((*small_bert)->operations(10), (*small_bert)->operations(9));
  const auto small_xlmr = load(xlmr(), Precision::kInt8);
  EXPECT_EQ(small_xlmr->type(), BertType::kXlmRoberta);
  EXPECT_EQ(small_xlmr->max_tokens(), 128U);  // 130 positions, the first two of padding
}

TEST(SmallCrossEncoder, TheSecondSegmentMatters) {
  SCALESTYLE_NEED(bert());
  const auto model = load(bert(), Precision::kF32);
  const std::vector<std::int32_t> ids{2, 10, 11, 3, 12, 13, 3};
  CrossEncoder::Workspace workspace;
  const std::vector<float> logits = score(*model, {{ids, 4}, {ids, 3}, {ids, 7}, {ids}}, workspace);
  EXPECT_NE(logits[0], logits[1]);
  EXPECT_NE(logits[0], logits[2]);
  EXPECT_EQ(logits[2], logits[3]);
}

TEST(SmallCrossEncoder, RefusesWhatItCannotScore) {
  SCALESTYLE_NEED(bert());
  const auto model = load(bert(), Precision::kF32);
  CrossEncoder::Workspace workspace;
  std::vector<float> out(1);
  const auto refused = [&](const std::vector<std::int32_t>& ids, const CrossEncoder& scorer) {
    const TokenInput pair{ids, 1};
    return scorer.score({&pair, 1}, out, workspace).error();
  };
  EXPECT_EQ(refused({}, *model).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused({5, 1000}, *model).message, HasSubstr("1000"));
  EXPECT_THAT(refused(std::vector<std::int32_t>(129, 1), *model).message, HasSubstr("129"));
  EXPECT_THAT(refused({1, 2}, *load(xlmr(), Precision::kF32)).message, HasSubstr("one token type"));
  EXPECT_EQ(model->score({}, out, workspace).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(model->score({}, {}, workspace).has_value());
}

class ModelFolder : public ::testing::Test {
 protected:
  void copy(const std::filesystem::path& from) const {
    for (const char* file : {"config.json", "model.safetensors"}) {
      std::filesystem::copy_file(from / file, folder_ / file, std::filesystem::copy_options::overwrite_existing);
      std::filesystem::permissions(folder_ / file, std::filesystem::perms::owner_all);
    }
  }
  void replace_in(const char* file, const std::string& from, const std::string& to) const {
    std::stringstream text;
    text << std::ifstream(folder_ / file).rdbuf();
    std::string changed = text.str();
    ASSERT_NE(changed.find(from), std::string::npos);
    changed.replace(changed.find(from), from.size(), to);
    std::ofstream(folder_ / file) << changed;
  }
  [[nodiscard]] core::Error refusal() const {
    auto model = CrossEncoder::load(folder_.path(), {.precision = Precision::kF32});
    return model ? core::Error{} : model.error();
  }
  support::TemporaryFolder folder_;
};

TEST_F(ModelFolder, NamesWhatIsMissingOrDamaged) {
  SCALESTYLE_NEED(bert());
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal().message, HasSubstr("config.json"));
  copy(bert());
  std::filesystem::remove(folder_ / "model.safetensors");
  EXPECT_EQ(refusal().code, ErrorCode::kNotFound);
  EXPECT_THAT(refusal().message, HasSubstr("model.safetensors"));
  copy(bert());
  std::filesystem::resize_file(folder_ / "model.safetensors", 100'000);
  EXPECT_EQ(refusal().code, ErrorCode::kDataLoss);
  copy(bert());
  replace_in("model.safetensors", "\"classifier.weight\"", "\"classifies.weight\"");
  EXPECT_EQ(refusal().code, ErrorCode::kDataLoss);
  EXPECT_THAT(refusal().message, HasSubstr("classifier.weight"));
  copy(bert());
  replace_in("model.safetensors", "\"bert.pooler.dense.bias\"", "\"bert.cooler.dense.bias\"");
  EXPECT_THAT(refusal().message, HasSubstr("bert.pooler.dense.bias"));
  copy(xlmr());
  replace_in("model.safetensors", "\"classifier.out_proj.weight\"", "\"classifier.out_cork.weight\"");
  EXPECT_THAT(refusal().message, HasSubstr("classifier.out_proj.weight"));
  replace_in("config.json", "xlm-roberta", "bert");
  EXPECT_THAT(refusal().message, HasSubstr("roberta.pooler.dense.weight"));
}

TEST_F(ModelFolder, ReadsTheActivation) {
  SCALESTYLE_NEED(bert());
  copy(bert());
  replace_in("config.json", "\"model_type\"",
             R"("sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity", "model_type")");
  const auto model = CrossEncoder::load(folder_.path(), {.precision = Precision::kF32});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->activation(), ScoreActivation::kIdentity);
}

TEST_F(ModelFolder, AScoreThatIsNoNumberIsAnError) {
  SCALESTYLE_NEED(bert());
  copy(bert());
  // A word's row is read as it is used, not checked at the start: make one of them not a number.
  auto file = std::fstream(folder_ / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  std::uint64_t header_bytes = 0;
  file.read(reinterpret_cast<char*>(&header_bytes), sizeof(header_bytes));
  std::string header(header_bytes, ' ');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  const std::size_t at = header.find("\"data_offsets\":[", header.find("\"bert.embeddings.word_embeddings.weight\""));
  const std::size_t begin = std::stoul(header.substr(at + 16));
  file.seekp(static_cast<std::streamoff>(8 + header_bytes + begin + std::size_t{10 * 32 * 4}));
  const float bad = std::nanf("");
  file.write(reinterpret_cast<const char*>(&bad), sizeof(bad));
  file.close();
  const auto model = load(folder_.path(), Precision::kF32);
  CrossEncoder::Workspace workspace;
  std::vector<float> logits(1);
  const std::vector<std::int32_t> ids{2, 10, 3};
  const TokenInput pair{ids, 3};
  const auto refused = model->score({&pair, 1}, logits, workspace);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDataLoss);
}

TEST(Activation, FromEitherSpellingAndSigmoidByDefault) {
  const auto parse = [](const std::string& text) { return parse_score_activation(text, "f"); };
  EXPECT_EQ(parse("{}").value(), ScoreActivation::kSigmoid);
  EXPECT_EQ(parse(R"({"sentence_transformers":{"activation_fn":"torch.nn.modules.linear.Identity","version":"4.1.0"}})").value(),
            ScoreActivation::kIdentity);
  EXPECT_EQ(parse(R"({"sbert_ce_default_activation_function":"torch.nn.modules.activation.Sigmoid"})").value(),
            ScoreActivation::kSigmoid);
  EXPECT_EQ(parse(R"({"sbert_ce_default_activation_function":null,"id2label":{"0":"LABEL_0"}})").value(),
            ScoreActivation::kSigmoid);
  EXPECT_EQ(parse(R"({"sentence_transformers":{"activation_fn":"torch.nn.modules.activation.Softmax"}})").error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(parse(R"({"id2label":{"0":"a","1":"b"}})").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(parse("[").error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(to_string(ScoreActivation::kIdentity), "identity");
}

TEST(Calibration, IsMonotoneAndNeverZero) {
  EXPECT_EQ(calibrated_score(0), 0.5F);
  EXPECT_GT(calibrated_score(-1e30F), 0.0F);
  EXPECT_EQ(calibrated_score(1e30F), 1.0F);
  float before = 0;
  for (float logit = -80; logit < 20; logit += 0.01F) {
    const float now = calibrated_score(logit);
    if (logit < 8) {
      EXPECT_GT(now, before) << logit;
    }
    EXPECT_GE(now, before) << logit;
    EXPECT_LE(now, 1.0F);
    before = now;
  }
}

TEST(PortableMath, AgreesWithTheLibrary) {
  for (double x = -40; x < 40; x += 0.0137) {
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1.0, 2e-15) << x;
    EXPECT_NEAR(portable_tanh(x), std::tanh(x), 1e-15) << x;
    EXPECT_NEAR(portable_sigmoid(x), 1 / (1 + std::exp(-x)), 1e-15) << x;
  }
  EXPECT_TRUE(std::isnan(portable_exp(std::nan(""))));
  EXPECT_EQ(portable_tanh(1e300), 1.0);
  EXPECT_EQ(portable_tanh(-1e300), -1.0);
}

}  // namespace
}  // namespace scalestyle::nn
