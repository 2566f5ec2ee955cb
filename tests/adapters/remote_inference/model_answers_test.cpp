// Answers of model servers as they are documented, and such as no server should give.

#include "adapters/remote_inference/model_answers.hpp"

#include <gmock/gmock.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>

namespace scalestyle::adapters::remote_inference {
namespace {

using core::ErrorCode;
using ::testing::ElementsAre;

TEST(ReadVectors, TakesUnitVectorsAsTheyAreAndMakesOthersSo) {
  std::size_t dimension = 0;
  std::vector<float> out;
  ASSERT_TRUE(read_vectors(" [ [0.6, 8e-1 ] ,[3,-4.0]]\n", 2, dimension, out));
  EXPECT_EQ(dimension, 2U);
  EXPECT_THAT(out, ElementsAre(0.6F, 0.8F, 0.6F, -0.8F));
}

TEST(ReadVectors, EveryFloatComesBackBitForBit) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> part(-1, 1);
  for (int round = 0; round < 50; ++round) {
    std::vector<float> vector(384);
    double squares = 0;
    for (float& value : vector) {
      value = &value == vector.data() ? 1e-40F : part(random);  // one is subnormal
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    for (float& value : vector) value = static_cast<float>(static_cast<double>(value) / std::sqrt(squares));
    std::string json = "[[";
    for (const float value : vector) {
      char digits[32];
      json.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
      json += ',';
    }
    json.back() = ']';
    json += ']';
    std::size_t dimension = 384;
    std::vector<float> out;
    ASSERT_TRUE(read_vectors(json, 1, dimension, out));
    for (std::size_t i = 0; i < vector.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(vector[i])) << i;
    }
  }
}

TEST(ReadVectors, RefusesWhatIsNoAnswer) {
  for (const char* json : {"", "{}", "[]", "[[]]", "[[1,0],[1]]", "[[1,0]]", "[[1,0],[1,0],[1,0]]", "[[1,0],[1,0]] x",
                           "[[1,0],[nan,0]]", "[[1,0],[inf,1]]", "[[1,0],[1e99,1]]", "[[1,0],[0,0]]", "[[1,0],[1,0]",
                           "[[1,0],[1,\"0\"]]", "[[1,0],[1,null]]", "[[1,0],[1,0,0]]", "[[1,0],null]", "[[1,0],[1,[0]]]"}) {
    std::size_t dimension = 2;
    std::vector<float> out;
    const auto outcome = read_vectors(json, 2, dimension, out);
    ASSERT_FALSE(outcome) << json;
    EXPECT_EQ(outcome.error().code, ErrorCode::kDataLoss);
  }
}

TEST(ReadOpenAiVectors, TheDocumentedShape) {
  std::size_t dimension = 0;
  const auto vectors = read_openai_vectors(R"({"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.0,1.0]},
      {"object":"embedding","embedding":[1,0],"index":0}],"model":"text-embedding-3-small","usage":{"prompt_tokens":5,"total_tokens":6}})",
                                           2, dimension);
  ASSERT_TRUE(vectors) << vectors.error().message;
  EXPECT_THAT(vectors->values, ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(vectors->model, "text-embedding-3-small");
  EXPECT_EQ(vectors->tokens, 6U);
  for (const char* json :
       {R"({"data":[{"index":0,"embedding":[1,0]}]})",
        R"({"data":[{"index":0,"embedding":[1,0]},{"index":0,"embedding":[1,0]}]})",
        R"({"data":[{"index":0,"embedding":[1,0]},{"index":2,"embedding":[1,0]}]})",
        R"({"data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":"AACAPw=="}]})", R"({"error":"x"})", "["}) {
    EXPECT_FALSE(read_openai_vectors(json, 2, dimension)) << json;
  }
}

TEST(ReadRanks, ScoresInTheOrderOfTheTexts) {
  const auto scores = read_ranks(R"([{"index":1,"score":0.9},{"index":0,"text":"Deep Learning is ...","score":-1.5}])", 2, false);
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_THAT(*scores, ElementsAre(-1.5F, 0.9F));
  EXPECT_FALSE(read_ranks(R"([{"index":0,"score":1}])", 2, false));
  EXPECT_THAT(read_ranks(R"([{"index":0,"score":1}])", 2, true).value(), ElementsAre(1.0F));
  for (const char* json :
       {R"([{"index":1,"score":1}])", R"([{"index":0,"score":1},{"index":0,"score":1}])",
        R"([{"index":-1,"score":1},{"index":0,"score":1}])", R"([{"index":0},{"index":1,"score":1}])",
        R"([{"index":0,"score":"1"},{"index":1,"score":1}])", R"([{"index":0,"score":1e999},{"index":1,"score":1}])",
        R"([{"index":0,"score":1},{"index":1,"score":1},{"index":2,"score":1}])", R"({"index":0})", "nonsense"}) {
    EXPECT_FALSE(read_ranks(json, 2, true)) << json;
  }
}

// Of the API's description: a model that embeds, and one that reranks.
TEST(ReadInfo, OfTeiServers) {
  const std::string_view embedder =
      R"({"model_id":"thenlper/gte-base","model_sha":"fca14538aa9956a46526bd1d0d11d69e19b5a101","model_dtype":"float16",
          "model_type":{"embedding":{"pooling":"cls"}},"max_concurrent_requests":128,"max_input_length":512,"max_batch_tokens":2048,
          "max_batch_requests":null,"max_client_batch_size":32,"auto_truncate":false,"tokenization_workers":4,"version":"0.5.0"})";
  const auto info = read_info(embedder, ModelKind::kText);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->model, "thenlper/gte-base");
  EXPECT_EQ(info->precision, "f16");
  EXPECT_EQ(info->max_tokens, 512U);
  EXPECT_EQ(info->max_batch, 32U);
  EXPECT_EQ(info->dimension, 0U);
  EXPECT_EQ(read_info(embedder, ModelKind::kPairs).error().code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(read_info(embedder, ModelKind::kPictures).error().code, ErrorCode::kFailedPrecondition);
  const std::string_view reranker =
      R"({"model_id":"BAAI/bge-reranker-base","model_dtype":"float32","model_type":{"reranker":{"id2label":{"0":"LABEL_0"},"label2id":{"LABEL_0":0}}},
          "max_input_length":512,"max_client_batch_size":32})";
  EXPECT_EQ(read_info(reranker, ModelKind::kPairs).value().precision, "f32");
  EXPECT_FALSE(read_info(reranker, ModelKind::kText));
  EXPECT_EQ(read_info("{}", ModelKind::kText).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(read_info("[", ModelKind::kText).error().code, ErrorCode::kDataLoss);
}

TEST(ReadPictureResults, VectorsAndErrors) {
  const auto results = read_picture_results(
      R"({"results":[{"embedding":[1,0]},{"error":"no picture","error_type":"Validation","code":"unsupported"},
                                                         {"error":"damaged","code":"invalid_argument"}]})",
      3, 2);
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_THAT((*results)[0].value(), ElementsAre(1, 0));
  EXPECT_EQ((*results)[1].error().code, ErrorCode::kUnsupported);
  EXPECT_EQ((*results)[2].error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(read_picture_results(R"({"results":[{"embedding":[1,0]}]})", 2, 2));
  EXPECT_FALSE(read_picture_results(R"({"results":[{"embedding":[1,0,0]}]})", 1, 2));
  EXPECT_FALSE(read_picture_results(R"({"results":[{}]})", 1, 2));
}

TEST(RefusalText, OfEachShape) {
  EXPECT_EQ(refusal_text(R"({"error":"Model is overloaded","error_type":"overloaded"})"), "Model is overloaded");
  EXPECT_EQ(refusal_text(R"({"error":{"message":"Incorrect API key","type":"invalid_request_error"}})"), "Incorrect API key");
  EXPECT_EQ(refusal_text("<html>\x1b[2J"), "<html> [2J");
  EXPECT_EQ(refusal_text(std::string(1'000, 'x')).size(), 200U);
}

}  // namespace
}  // namespace scalestyle::adapters::remote_inference
