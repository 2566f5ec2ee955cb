// The encoder against the reference's vectors, on the real weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "golden_texts.hpp"
#include "nn/bert_encoder.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::nn {
namespace {

struct Case {
  std::string model;
  std::string golden_file;
  std::size_t texts;
  Precision precision;
  double least_cosine;
};

std::ostream& operator<<(std::ostream& out, const Case& given) {
  return out << given.model << ' ' << to_string(given.precision);
}

class GoldenEncoder : public ::testing::TestWithParam<Case> {};

TEST_P(GoldenEncoder, EveryVectorIsNearTheReferences) {
  const Case& given = GetParam();
  const std::filesystem::path model_dir = support::models_dir() / given.model;
  const std::filesystem::path golden_path = support::shared_dir() / "golden" / given.golden_file;
  SCALESTYLE_NEED(model_dir / "model.safetensors");
  SCALESTYLE_NEED(golden_path);
  const Pooling pooling = given.model == "bge-small-en-v1.5" ? Pooling::kCls : Pooling::kMean;
  const auto encoder = BertEncoder::load(
      model_dir, {.precision = given.precision, .pooling = pooling, .weights_sha256 = "not computed for the test"});
  ASSERT_TRUE(encoder.has_value()) << encoder.error().message;
  const std::vector<GoldenEmbedding> texts = read_golden_embeddings(golden_path);
  ASSERT_EQ(texts.size(), given.texts);
  std::vector<TokenSequence> sequences;
  for (const GoldenEmbedding& text : texts) sequences.emplace_back(text.ids);
  const std::size_t dimension = (*encoder)->dimension();
  std::vector<float> vectors(texts.size() * dimension);
  BertEncoder::Workspace workspace;
  ASSERT_TRUE((*encoder)->encode(sequences, vectors, workspace).has_value());
  double least = 1;
  double sum = 0;
  for (std::size_t index = 0; index < texts.size(); ++index) {
    const std::span<const float> vector(vectors.data() + index * dimension, dimension);
    const double similarity = cosine(vector, texts[index].embedding);
    EXPECT_GE(similarity, given.least_cosine) << "text " << index << " of " << texts[index].ids.size() << " tokens";
    least = std::min(least, similarity);
    sum += similarity;
  }
  RecordProperty("least_cosine", std::to_string(least));
  std::printf("least cosine %.6f, mean %.6f\n", least, sum / static_cast<double>(texts.size()));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& [model, file, texts] : {std::tuple{"bge-small-en-v1.5", "bge_small.jsonl", std::size_t{200}},
                                           std::tuple{"all-MiniLM-L6-v2", "all_minilm.jsonl", std::size_t{80}}}) {
    all.push_back({model, file, texts, Precision::kF32, 0.9999});
    all.push_back({model, file, texts, Precision::kBf16, 0.999});
    all.push_back({model, file, texts, Precision::kInt8, 0.999});
  }
  return all;
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model + "_" + std::string(to_string(info.param.precision));
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(RealWeights, GoldenEncoder, ::testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace scalestyle::nn
