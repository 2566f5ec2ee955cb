// The conformance suite of TextEncoder on the models that are here, and what is particular to the local one.

#include "adapters/embedded/local_text_encoder.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "support/conformance_text_encoder.hpp"
#include "support/running_pool.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::LocalTextEncoder;

LocalTextEncoder::Options bge_options() {
  LocalTextEncoder::Options options;
  options.model_dir = models_dir() / "bge-small-en-v1.5";
  options.model_name = "bge-small-en-v1.5";
  options.encoder = {.precision = nn::Precision::kInt8, .pooling = nn::Pooling::kCls};
  return options;
}

class LocalTextEncoderTest : public ::testing::Test {
 protected:
  void SetUp() override { SCALESTYLE_NEED(bge_options().model_dir); }

  static core::Result<ports::EmbeddingBatch> encode(LocalTextEncoder& encoder, std::vector<std::string> texts) {
    return core::sync_wait(encoder.encode(std::move(texts), core::Deadline::never()));
  }
};

TEST_F(LocalTextEncoderTest, TheNumberOfThreadsDoesNotChangeABit) {
  std::vector<std::string> texts;
  for (int i = 0; i < 23; ++i) texts.push_back("striped cotton shirt " + std::string(static_cast<std::size_t>(i * 11), 'a'));
  std::vector<float> expected;
  for (const std::size_t threads : {1U, 2U, 5U}) {
    RunningPool pool(threads);
    auto options = bge_options();
    options.least_piece_tokens = 1;
    auto encoder = LocalTextEncoder::load(options, *pool, pool.clock());
    ASSERT_TRUE(encoder) << encoder.error().message;
    const auto batch = encode(**encoder, texts);
    ASSERT_TRUE(batch) << batch.error().message;
    if (expected.empty()) expected = batch->values;
    EXPECT_TRUE(batch->values == expected) << threads;
  }
}

TEST_F(LocalTextEncoderTest, TheSameModelOnAnotherPoolOutlivesTheFirst) {
  RunningPool first(1);
  RunningPool second(2);
  auto encoder = LocalTextEncoder::load(bge_options(), *first, first.clock());
  ASSERT_TRUE(encoder) << encoder.error().message;
  const auto expected = encode(**encoder, {"striped cotton shirt", "a warm jacket"});
  ASSERT_TRUE(expected) << expected.error().message;
  const auto other = (*encoder)->on(*second);
  encoder->reset();
  EXPECT_EQ(other->info().weights_hash.size(), 64U);
  const auto batch = encode(*other, {"striped cotton shirt", "a warm jacket"});
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->values == expected->values);
}

// Real products have 6 to 24 panels. Short queries are computed by a team where a thread is idle; several at a time
// meet busy workers, late helpers and none.
TEST_F(LocalTextEncoderTest, ATeamDoesNotChangeABit) {
  const std::vector<std::string> queries = {"red", "striped cotton shirt", "black leather ankle boots with a low heel for women",
                                            std::string(90, 'q')};
  RunningPool single(1);
  auto alone = LocalTextEncoder::load(bge_options(), *single, single.clock());
  ASSERT_TRUE(alone) << alone.error().message;
  std::vector<std::vector<float>> expected;
  for (const std::string& query : queries) expected.push_back(encode(**alone, {query})->values);
  for (const std::size_t threads : {2U, 4U}) {
    RunningPool pool(threads);
    auto encoder = LocalTextEncoder::load(bge_options(), *pool, pool.clock());
    ASSERT_TRUE(encoder) << encoder.error().message;
    for (const std::size_t clients : {1U, 3U}) {
      std::vector<std::jthread> running;
      for (std::size_t client = 0; client < clients; ++client) {
        running.emplace_back([&, client] {
          for (std::size_t round = 0; round < 24; ++round) {
            const std::size_t query = (round + client) % queries.size();
            const auto batch = encode(**encoder, {queries[query]});
            ASSERT_TRUE(batch) << batch.error().message;
            EXPECT_TRUE(batch->values == expected[query]) << threads << " threads, " << clients << " clients, query " << query;
          }
        });
      }
    }
  }
}

TEST_F(LocalTextEncoderTest, ControlTokensInATextAreWords) {
  RunningPool pool(1);
  auto encoder = LocalTextEncoder::load(bge_options(), *pool, pool.clock());
  ASSERT_TRUE(encoder) << encoder.error().message;
  const auto plain = encode(**encoder, {"a b"});
  const auto control = encode(**encoder, {"a [SEP] b"});
  ASSERT_TRUE(plain && control);
  EXPECT_EQ(plain->tokens, 4U);
  EXPECT_GT(control->tokens, 6U);  // "[", "sep", "]" and not one token
}

TEST(LocalTextEncoderLoad, AMissingModelIsNotFound) {
  RunningPool pool(1);
  const TemporaryFolder empty;
  LocalTextEncoder::Options options;
  options.model_dir = empty.path();
  options.model_name = "none";
  const auto missing = LocalTextEncoder::load(options, *pool, pool.clock());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, core::ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, ::testing::HasSubstr(empty.path().string()));
}

class BgeEngine final : public TextEncoderEngine {
 public:
  BgeEngine() {
    auto loaded = LocalTextEncoder::load(bge_options(), *pool_, pool_.clock());
    EXPECT_TRUE(loaded) << loaded.error().message;
    encoder_ = std::move(*loaded);
  }
  ports::TextEncoder& encoder() override { return *encoder_; }

 private:
  RunningPool pool_{2};
  std::unique_ptr<LocalTextEncoder> encoder_;
};

// Without the model there is nothing to instantiate; LocalTextEncoderTest says so.
std::vector<TextEncoderFactory> engines() {
  if (!std::filesystem::exists(bge_options().model_dir)) return {};
  return {[] { return std::make_unique<BgeEngine>(); }};
}
INSTANTIATE_TEST_SUITE_P(LocalBge, TextEncoderConformance, ::testing::ValuesIn(engines()));

}  // namespace
}  // namespace scalestyle::support
