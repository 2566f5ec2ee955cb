// The conformance suite of PairScorer on the small golden models and on the fake, and what is particular to the local one.

#include "adapters/embedded/local_pair_scorer.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "adapters/embedded/pair_batch.hpp"
#include "support/compute_threads.hpp"
#include "support/conformance_pair_scorer.hpp"
#include "support/fake_pair_scorer.hpp"
#include "support/golden_pairs.hpp"
#include "support/running_pool.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::LocalPairScorer;
using adapters::embedded::PairBatch;

std::filesystem::path golden(const std::string& model) { return shared_dir() / "golden" / model; }

LocalPairScorer::Options small_options(const std::string& model, nn::Precision precision = nn::Precision::kF32) {
  LocalPairScorer::Options options;
  options.model_dir = golden(model);
  options.model_name = model;
  options.model = {.precision = precision, .weights_sha256 = "not computed for the test"};
  return options;
}

class SmallEngine final : public PairScorerEngine {
 public:
  SmallEngine(const std::string& model, nn::Precision precision, std::size_t threads) : pool_(threads) {
    auto loaded = LocalPairScorer::load(small_options(model, precision), *pool_, pool_.clock());
    EXPECT_TRUE(loaded) << loaded.error().message;
    scorer_ = std::move(*loaded);
  }
  ports::PairScorer& scorer() override { return *scorer_; }

 private:
  RunningPool pool_;
  std::unique_ptr<LocalPairScorer> scorer_;
};

class FakeEngine final : public PairScorerEngine {
 public:
  ports::PairScorer& scorer() override { return scorer_; }

 private:
  RunningPool pool_{2};
  FakePairScorer scorer_{*pool_, pool_.clock()};
};

// Without the golden models the fake is left; LocalPairScorerTest says so.
std::vector<PairScorerFactory> engines() {
  std::vector<PairScorerFactory> all{[] { return std::make_unique<FakeEngine>(); }};
  if (!std::filesystem::exists(golden("bert_cross_encoder"))) return all;
  all.push_back([] { return std::make_unique<SmallEngine>("bert_cross_encoder", nn::Precision::kInt8, 1); });
  all.push_back([] { return std::make_unique<SmallEngine>("bert_cross_encoder", nn::Precision::kF32, 3); });
  all.push_back([] { return std::make_unique<SmallEngine>("xlmr_reranker", nn::Precision::kInt8, 2); });
  return all;
}
INSTANTIATE_TEST_SUITE_P(FakeAndLocal, PairScorerConformance, ::testing::ValuesIn(engines()));

class LocalPairScorerTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { SCALESTYLE_NEED(golden(GetParam())); }
};

TEST_P(LocalPairScorerTest, FromTextToScoreAsTheReference) {
  RunningPool pool(2);
  auto scorer = LocalPairScorer::load(small_options(GetParam()), *pool, pool.clock());
  ASSERT_TRUE(scorer) << scorer.error().message;
  EXPECT_GT((*scorer)->tokens_per_second(), 0);
  EXPECT_EQ((*scorer)->info().max_tokens, 128U);
  EXPECT_EQ((*scorer)->info().activation, "sigmoid");
  for (const GoldenPair& pair : read_golden_pairs(golden(GetParam()) / "expected.json").pairs) {
    const auto scored = core::sync_wait((*scorer)->score(pair.query, {pair.passage}, core::Deadline::never()));
    ASSERT_TRUE(scored) << scored.error().message;
    EXPECT_NEAR(scored->scores.front().logit, pair.logit, 1e-5);
    EXPECT_NEAR(scored->scores.front().score, pair.sigmoid, 3e-6);
    EXPECT_EQ(scored->tokens, pair.ids.size());
  }
}

TEST_P(LocalPairScorerTest, CallsInProgressShareWhatIsToldToTheNext) {
  const core::SystemClock clock;
  core::WorkerPool pool({.threads = 2}, clock);  // runs when it is told to
  auto scorer = LocalPairScorer::load(small_options(GetParam()), pool, clock);
  ASSERT_TRUE(scorer) << scorer.error().message;
  const double alone = (*scorer)->tokens_per_second();
  const auto done = [](core::Result<ports::PairScores>&& scored) { EXPECT_TRUE(scored) << scored.error().message; };
  auto first = core::start((*scorer)->score("shirt", {"striped cotton shirt"}, core::Deadline::never()), done);
  EXPECT_DOUBLE_EQ((*scorer)->tokens_per_second(), alone / 2);
  auto second = core::start((*scorer)->score("shirt", {"a blue hat"}, core::Deadline::never()), done);
  EXPECT_DOUBLE_EQ((*scorer)->tokens_per_second(), alone / 3);
  ASSERT_TRUE(pool.submit([&pool] { pool.stop(); }));
  pool.run();
  const double after = (*scorer)->tokens_per_second();  // the rate itself was measured again
  auto third = core::start((*scorer)->score("shirt", {"a blue hat"}, core::Deadline::never()), [](auto&&) {});
  EXPECT_DOUBLE_EQ((*scorer)->tokens_per_second(), after);  // a call that was refused is not in progress
}

// Many clients meet busy workers, pauses for each other's work, teams and late helpers.
TEST_P(LocalPairScorerTest, ThreadsAndClientsDoNotChangeABit) {
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) texts.push_back("striped cotton shirt " + std::string(static_cast<std::size_t>(i * 3), 'a'));
  std::vector<ports::PairScore> expected;
  for (const std::size_t threads : {1U, 2U, 4U}) {
    RunningPool pool(threads);
    auto options = small_options(GetParam(), nn::Precision::kInt8);
    options.most_group_tokens = 128 / threads;
    auto scorer = LocalPairScorer::load(options, *pool, pool.clock());
    ASSERT_TRUE(scorer) << scorer.error().message;
    std::vector<std::jthread> clients;
    for (std::size_t client = 0; client < 3; ++client) {
      const auto run = [&] {
        for (std::size_t round = 0; round < 4; ++round) {
          const std::size_t count = round % 2 == 0 ? texts.size() : 1;
          const std::vector<std::string> first(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(count));
          const auto scored = core::sync_wait((*scorer)->score("shirt", first, core::Deadline::never()));
          ASSERT_TRUE(scored) << scored.error().message;
          if (expected.empty()) expected = scored->scores;
          ASSERT_EQ(scored->scores.size(), count);
          EXPECT_TRUE(std::equal(scored->scores.begin(), scored->scores.end(), expected.begin())) << threads;
        }
      };
      if (expected.empty()) run();  // before there is a second client
      clients.emplace_back(run);
    }
  }
}

TEST_P(LocalPairScorerTest, DroppingTheTaskEndsIt) {
  ComputeThreads threads(2);
  auto scorer = LocalPairScorer::load(small_options(GetParam()), threads.pool(), threads.clock());
  ASSERT_TRUE(scorer) << scorer.error().message;
  std::vector<std::string> texts;
  for (int i = 0; i < 50'000; ++i) texts.push_back("a shirt of many words to keep the threads busy, " + std::to_string(i));
  bool delivered = false;
  auto operation = core::start((*scorer)->score("shirt", texts, core::Deadline::never()), [&](const auto&) { delivered = true; });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  operation.cancel();
  const auto next = core::sync_wait((*scorer)->score("shirt", {texts.front()}, core::Deadline::never()));
  EXPECT_TRUE(next) << next.error().message;
  const core::SteadyTime start = threads.clock().steady_now();
  threads.stop();  // finishes what runs
  EXPECT_LT(threads.clock().steady_now() - start, std::chrono::seconds(1));
  EXPECT_FALSE(delivered);
}

TEST_P(LocalPairScorerTest, ALimitOfTokensShortensPairs) {
  RunningPool pool(1);
  auto options = small_options(GetParam());
  options.max_tokens = 20;
  auto scorer = LocalPairScorer::load(options, *pool, pool.clock());
  ASSERT_TRUE(scorer) << scorer.error().message;
  EXPECT_EQ((*scorer)->info().max_tokens, 20U);
  const std::string text = std::string(500, 'x') + " shirt shirt";
  const auto scored = core::sync_wait((*scorer)->score(std::string(500, 'q'), {text}, core::Deadline::never()));
  ASSERT_TRUE(scored) << scored.error().message;
  EXPECT_LE(scored->tokens, 20U);
}

INSTANTIATE_TEST_SUITE_P(Models, LocalPairScorerTest, ::testing::Values("bert_cross_encoder", "xlmr_reranker"));

TEST(LocalPairScorerLoad, DamagedFoldersAreNamed) {
  RunningPool pool(1);
  const TemporaryFolder folder;
  LocalPairScorer::Options options;
  options.model_dir = folder.path();
  options.model_name = "none";
  const auto refusal = [&] { return LocalPairScorer::load(options, *pool, pool.clock()).error(); };
  EXPECT_EQ(refusal().code, core::ErrorCode::kNotFound);
  EXPECT_THAT(refusal().message, ::testing::HasSubstr(folder.path().string()));
  SCALESTYLE_NEED(golden("xlmr_reranker"));
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(golden("xlmr_reranker") / file, folder / file);
  }
  EXPECT_EQ(refusal().code, core::ErrorCode::kNotFound);
  EXPECT_THAT(refusal().message, ::testing::HasSubstr("sentencepiece.bpe.model"));
  std::filesystem::copy_file(golden("xlmr_reranker") / "sentencepiece.bpe.model", folder / "sentencepiece.bpe.model");
  EXPECT_TRUE(LocalPairScorer::load(options, *pool, pool.clock()));
  // A vocabulary of another model: ids that this one does not have.
  const TemporaryFolder other;
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(golden("bert_cross_encoder") / file, other / file);
  }
  std::ofstream words(other / "vocab.txt");
  words << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (int i = 0; i < 1000; ++i) words << "word" << i << '\n';
  words.close();
  options.model_dir = other.path();
  EXPECT_EQ(refusal().code, core::ErrorCode::kFailedPrecondition);
}

class PairBatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\n";
    auto loaded = text::PairTokenizer::load(folder_.path(), text::PairFormat::kBert, 512);
    ASSERT_TRUE(loaded) << loaded.error().message;
    tokenizer_ = std::make_unique<text::PairTokenizer>(std::move(*loaded));
  }
  // Texts of so many words; each pair has these and a query's word and three control tokens.
  static std::vector<std::string> texts_of(const std::vector<std::size_t>& words) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::string text(i, ' ');  // different texts of equal words
      for (std::size_t word = 0; word < words[i]; ++word) text += "red ";
      texts.push_back(text);
    }
    return texts;
  }
  static constexpr std::size_t kMuch = 1'000'000;
  TemporaryFolder folder_;
  std::unique_ptr<text::PairTokenizer> tokenizer_;
  std::string query_ = "red";
};

TEST_F(PairBatchTest, GroupsHaveAboutEqualTokensAndShrinkAtTheEnd) {
  const auto texts = texts_of(std::vector<std::size_t>(40, 46));  // 50 tokens a pair
  PairBatch batch(*tokenizer_, query_, texts, {.threads = 2, .most_tokens = 250, .least_tokens = 60});
  std::vector<std::size_t> sizes;
  PairBatch::Group group;
  while (batch.claim(kMuch, group)) {
    EXPECT_EQ(group.tokens, group.size * 50);
    sizes.push_back(group.size);
  }
  EXPECT_EQ(sizes.front(), 5U);
  EXPECT_EQ(sizes.back(), 1U);
  EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend()));
  EXPECT_TRUE(batch.ended());
  EXPECT_EQ(batch.scored_prefix().size(), 40U);
  EXPECT_EQ(batch.claimed_tokens(), 2000U);
}

TEST_F(PairBatchTest, TakesOnlyWhatIsAffordable) {
  const auto texts = texts_of({6, 6, 6, 96, 6});  // 10, 10, 10, 100, 10 tokens
  PairBatch batch(*tokenizer_, query_, texts, {.threads = 1, .most_tokens = 250, .least_tokens = 250});
  PairBatch::Group group;
  ASSERT_TRUE(batch.claim(25, group));
  EXPECT_EQ(group.size, 2U);
  ASSERT_TRUE(batch.claim(99, group));
  EXPECT_EQ(group.size, 1U);
  EXPECT_FALSE(batch.ended());
  EXPECT_FALSE(batch.claim(99, group));  // the next one is too long, the last would fit: order is kept
  EXPECT_TRUE(batch.ended());
  EXPECT_FALSE(batch.claim(kMuch, group));
  EXPECT_EQ(batch.scored_prefix(), (std::vector<std::size_t>{0, 1, 2}));
}

TEST_F(PairBatchTest, APrefixCountsRepeatedTexts) {
  std::vector<std::string> texts = texts_of({6, 6, 6});
  texts = {texts[0], texts[1], texts[0], texts[2], texts[0]};
  PairBatch batch(*tokenizer_, query_, texts, {.threads = 1, .most_tokens = 20, .least_tokens = 20});
  EXPECT_EQ(batch.distinct(), 3U);
  PairBatch::Group group;
  ASSERT_TRUE(batch.claim(kMuch, group));
  EXPECT_EQ(batch.scored_prefix(), (std::vector<std::size_t>{0, 1, 0}));
  batch.pause();
  EXPECT_FALSE(batch.claim(kMuch, group));
  EXPECT_FALSE(batch.ended());
  batch.resume();
  ASSERT_TRUE(batch.claim(kMuch, group));
  EXPECT_EQ(batch.scored_prefix(), (std::vector<std::size_t>{0, 1, 0, 2, 0}));
}

}  // namespace
}  // namespace scalestyle::support
