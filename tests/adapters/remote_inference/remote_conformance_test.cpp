// The conformance suites of the models' ports on the HTTP adapters, against our real inference role over the loopback interface,
// with local models behind it; and that vectors and scores come through bit for bit.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/embedded/batching_text_encoder.hpp"
#include "adapters/embedded/local_image_encoder.hpp"
#include "adapters/embedded/local_pair_scorer.hpp"
#include "adapters/embedded/local_text_encoder.hpp"
#include "adapters/embedded/queued_models.hpp"
#include "adapters/remote_inference/http_image_encoder.hpp"
#include "adapters/remote_inference/http_pair_scorer.hpp"
#include "adapters/remote_inference/http_text_encoder.hpp"
#include "adapters/remote_inference/http_text_generator.hpp"
#include "support/conformance_image_encoder.hpp"
#include "support/conformance_pair_scorer.hpp"
#include "support/conformance_text_encoder.hpp"
#include "support/conformance_text_generator.hpp"
#include "support/fake_image_encoder.hpp"
#include "support/fake_pair_scorer.hpp"
#include "support/fake_text_generator.hpp"
#include "support/hashing_text_encoder.hpp"
#include "support/inference_server.hpp"
#include "support/running_http_client.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::support {
namespace {

namespace embedded = adapters::embedded;
namespace remote = adapters::remote_inference;
using core::Deadline;

std::filesystem::path golden(const std::string& model) { return shared_dir() / "golden" / model; }
std::filesystem::path bge() { return models_dir() / "bge-small-en-v1.5"; }

// A role and a client of it. Engines give the models, and stop the role before those go.
class Role {
 public:
  [[nodiscard]] remote::ModelServers servers() const { return {.urls = {server_.url()}}; }
  [[nodiscard]] remote::ModelClient::Dependencies client() { return {.http = *http_, .clock = http_.clock()}; }
  [[nodiscard]] InferenceServer& server() { return server_; }
  [[nodiscard]] core::WorkerPool& pool() { return server_.threads().pool(); }
  [[nodiscard]] const core::Clock& clock() { return server_.threads().clock(); }
  [[nodiscard]] embedded::QueueParts queue_parts() { return {pool(), server_.threads().timers(), clock(), server_.metrics()}; }

 private:
  InferenceServer server_;
  RunningHttpClient http_;
};

// --- texts

// As long as a model's texts count, and cut as a model cuts.
class CountingEncoder final : public ports::TextEncoder {
 public:
  explicit CountingEncoder(core::WorkerPool& pool) : hashing_(pool) {}
  [[nodiscard]] const ports::EncoderInfo& info() const override { return hashing_.info(); }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                       Deadline deadline) override {
    std::size_t tokens = 0;
    for (const std::string& text : texts) tokens += embedded::estimated_tokens(text.size(), info().max_tokens);
    core::Result<ports::EmbeddingBatch> batch = co_await hashing_.encode(std::move(texts), deadline);
    if (batch) batch->tokens = tokens;
    co_return batch;
  }

 private:
  HashingTextEncoder hashing_;
};

class RemoteTexts final : public TextEncoderEngine {
 public:
  explicit RemoteTexts(bool real, remote::InferenceApiKind api = remote::InferenceApiKind::kTei) {
    if (real) {
      embedded::LocalTextEncoder::Options options{.model_dir = bge(), .model_name = "bge-small-en-v1.5"};
      options.encoder = {.precision = nn::Precision::kInt8, .pooling = nn::Pooling::kCls};
      model_ = embedded::LocalTextEncoder::load(options, role_.pool(), role_.clock()).value();
    } else {
      model_ = std::make_unique<CountingEncoder>(role_.pool());
    }
    queue_.emplace(embedded::BatchingTextEncoder::Dependencies{.encoder = *model_,
                                                               .pool = role_.pool(),
                                                               .timers = role_.server().threads().timers(),
                                                               .clock = role_.clock(),
                                                               .metrics = role_.server().metrics()},
                   embedded::BatchingTextEncoder::Options{});
    role_.server().serve({.text = &*queue_});
    remote::HttpTextEncoder::Options options{.servers = role_.servers(), .api = api};
    if (api == remote::InferenceApiKind::kOpenAi) options.servers.urls = {role_.server().url("/v1")};
    const auto told = core::sync_wait(remote::HttpTextEncoder::ask(options, role_.client(), Deadline::never()));
    EXPECT_TRUE(told) << told.error().message;
    options.expected = model_->info();
    if (api == remote::InferenceApiKind::kTei) {
      EXPECT_EQ(*told, model_->info()) << "our role tells exactly what its vectors are";
    } else {
      EXPECT_EQ(told->dimension, model_->info().dimension);
    }
    encoder_ = remote::HttpTextEncoder::create(options, role_.client()).value();
  }
  ~RemoteTexts() override { role_.server().stop(); }
  ports::TextEncoder& encoder() override { return *encoder_; }
  ports::TextEncoder& local() { return *model_; }
  Role& role() { return role_; }

 private:
  std::unique_ptr<ports::TextEncoder> model_;
  std::optional<embedded::BatchingTextEncoder> queue_;
  Role role_;
  std::unique_ptr<remote::HttpTextEncoder> encoder_;
};

INSTANTIATE_TEST_SUITE_P(Remote, TextEncoderConformance,
                         ::testing::Values([] { return std::make_unique<RemoteTexts>(false); },
                                           [] {
                                             return std::make_unique<RemoteTexts>(false, remote::InferenceApiKind::kOpenAi);
                                           }));

// Without the model there is nothing to instantiate; RemoteTextEncoderTest says so.
std::vector<TextEncoderFactory> real_text_engines() {
  if (!std::filesystem::exists(bge())) return {};
  return {[] { return std::make_unique<RemoteTexts>(true); }};
}
INSTANTIATE_TEST_SUITE_P(RemoteLocalBge, TextEncoderConformance, ::testing::ValuesIn(real_text_engines()));

void expect_equal_vectors(RemoteTexts& engine, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i)
    texts.push_back("striped cotton shirt no. " + std::to_string(i * 7919) + " \xE6\x9C\x8D \"'\\\n");
  const auto far = core::sync_wait(engine.encoder().encode(texts, Deadline::never()));
  const auto near = core::sync_wait(engine.local().encode(texts, Deadline::never()));
  ASSERT_TRUE(far) << far.error().message;
  ASSERT_TRUE(near) << near.error().message;
  EXPECT_TRUE(far->values == near->values) << "a vector changes on its way";
}

TEST(RemoteTextEncoderTest, VectorsComeThroughBitForBit) {
  RemoteTexts engine(false);
  expect_equal_vectors(engine, 300);
}

TEST(RemoteTextEncoderTest, VectorsOfRealWeightsComeThroughBitForBit) {
  SCALESTYLE_NEED(bge());
  RemoteTexts engine(true);
  expect_equal_vectors(engine, 40);
}

// --- pairs

class RemotePairs final : public PairScorerEngine {
 public:
  explicit RemotePairs(const std::string& model) {
    if (model.empty()) {
      model_ = std::make_unique<FakePairScorer>(role_.pool(), role_.clock());
    } else {
      embedded::LocalPairScorer::Options options{.model_dir = golden(model), .model_name = model};
      options.model = {.precision = nn::Precision::kInt8, .weights_sha256 = "not computed for the test"};
      model_ = embedded::LocalPairScorer::load(options, role_.pool(), role_.clock()).value();
    }
    queue_.emplace(*model_, embedded::QueuedPairScorer::Options{}, role_.queue_parts());
    role_.server().serve({.pairs = &*queue_});
    remote::HttpPairScorer::Options options{.servers = role_.servers()};
    options.expected = core::sync_wait(remote::HttpPairScorer::ask(options, role_.client(), Deadline::never())).value();
    EXPECT_EQ(options.expected.weights_hash, model_->info().weights_hash);
    EXPECT_EQ(options.expected.activation, model_->info().activation);
    scorer_ = remote::HttpPairScorer::create(options, role_.client()).value();
  }
  ~RemotePairs() override { role_.server().stop(); }
  ports::PairScorer& scorer() override { return *scorer_; }
  ports::PairScorer& local() { return *model_; }

 private:
  std::unique_ptr<ports::PairScorer> model_;
  std::optional<embedded::QueuedPairScorer> queue_;
  Role role_;
  std::unique_ptr<remote::HttpPairScorer> scorer_;
};

std::vector<PairScorerFactory> pair_engines() {
  std::vector<PairScorerFactory> all{[] { return std::make_unique<RemotePairs>(""); }};
  for (const char* model : {"bert_cross_encoder", "xlmr_reranker"}) {
    if (std::filesystem::exists(golden(model))) all.push_back([model] { return std::make_unique<RemotePairs>(model); });
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Remote, PairScorerConformance, ::testing::ValuesIn(pair_engines()));

TEST(RemotePairScorerTest, ScoresComeThroughBitForBit) {
  SCALESTYLE_NEED(golden("bert_cross_encoder"));
  RemotePairs engine("bert_cross_encoder");
  std::vector<std::string> texts;
  for (int i = 0; i < 150; ++i) texts.push_back("a shirt with " + std::to_string(i * 31) + " stripes");
  const auto far = core::sync_wait(engine.scorer().score("striped shirt", texts, Deadline::never()));
  const auto near = core::sync_wait(engine.local().score("striped shirt", texts, Deadline::never()));
  ASSERT_TRUE(far) << far.error().message;
  ASSERT_TRUE(near) << near.error().message;
  EXPECT_EQ(far->scores, near->scores);
}

// --- pictures

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class RemotePictures final : public ImageEncoderEngine {
 public:
  explicit RemotePictures(bool real) : real_(real) {
    if (real) {
      model_ = embedded::LocalImageEncoder::create({.model_dir = golden("clip"), .model_name = "golden-clip"}, role_.pool(),
                                                   role_.clock())
                   .value();
    } else {
      model_ = std::make_unique<FakeImageEncoder>(role_.pool());
    }
    queue_.emplace(*model_, embedded::QueuedImageEncoder::Options{}, role_.queue_parts());
    role_.server().serve({.pictures = &*queue_});
    remote::HttpImageEncoder::Options options{.servers = role_.servers()};
    options.expected = core::sync_wait(remote::HttpImageEncoder::ask(options, role_.client(), Deadline::never())).value();
    EXPECT_EQ(options.expected, model_->info());
    encoder_ = remote::HttpImageEncoder::create(options, role_.client()).value();
  }
  ~RemotePictures() override { role_.server().stop(); }
  ports::ImageEncoder& encoder() override { return *encoder_; }
  ports::ImageEncoder& local() { return *model_; }
  std::vector<std::string> pictures() override {
    if (!real_) return {"one", "two", std::string("\0\xFF three", 8)};
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(golden("clip") / "images")) {
      if (entry.is_regular_file()) files.push_back(read_file(entry.path()));
    }
    return files;
  }

 private:
  const bool real_;
  std::unique_ptr<ports::ImageEncoder> model_;
  std::optional<embedded::QueuedImageEncoder> queue_;
  Role role_;
  std::unique_ptr<remote::HttpImageEncoder> encoder_;
};

std::vector<ImageEncoderFactory> picture_engines() {
  std::vector<ImageEncoderFactory> all{[] { return std::make_unique<RemotePictures>(false); }};
  if (std::filesystem::exists(golden("clip"))) all.push_back([] { return std::make_unique<RemotePictures>(true); });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Remote, ImageEncoderConformance, ::testing::ValuesIn(picture_engines()));

TEST(RemoteImageEncoderTest, VectorsComeThroughBitForBit) {
  SCALESTYLE_NEED(golden("clip"));
  RemotePictures engine(true);
  std::vector<ports::EncodedImage> images;
  for (std::string& file : engine.pictures()) images.push_back(std::make_shared<const std::string>(std::move(file)));
  const auto far = core::sync_wait(engine.encoder().encode_images(images, Deadline::never()));
  const auto near = core::sync_wait(engine.local().encode_images(images, Deadline::never()));
  ASSERT_TRUE(far) << far.error().message;
  ASSERT_TRUE(near) << near.error().message;
  ASSERT_EQ(far->size(), near->size());
  for (std::size_t i = 0; i < far->size(); ++i) {
    ASSERT_EQ((*far)[i].has_value(), (*near)[i].has_value());
    if (!(*near)[i]) continue;
    EXPECT_TRUE(*(*far)[i] == *(*near)[i]) << i;
  }
}

// --- generated text: the adapter for OpenAI's chat speaks to our role

class RemoteText final : public TextGeneratorEngine {
 public:
  RemoteText() {
    role_.server().serve({.generator = &*model_});
    generator_ = remote::HttpTextGenerator::create(
                     {.base_url = role_.server().url("/v1"), .model = "fake-generator", .api_key_variable = ""}, *http_)
                     .value();
  }
  ~RemoteText() override {
    model_->release();
    role_.server().stop();
  }
  ports::TextGenerator& generator() override { return *generator_; }

 private:
  Role role_;
  RunningHttpClient http_;
  std::unique_ptr<FakeTextGenerator> model_ =
      std::make_unique<FakeTextGenerator>(role_.pool(), role_.server().threads().timers());
  std::unique_ptr<remote::HttpTextGenerator> generator_;
};
INSTANTIATE_TEST_SUITE_P(Remote, TextGeneratorConformance, ::testing::Values([] { return std::make_unique<RemoteText>(); }));

}  // namespace
}  // namespace scalestyle::support
