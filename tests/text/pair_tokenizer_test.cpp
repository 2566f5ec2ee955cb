#include "text/pair_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/golden_pairs.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::text {
namespace {

std::filesystem::path bert_model() { return support::shared_dir() / "golden" / "bert_cross_encoder"; }

PairTokenizer load(const std::filesystem::path& folder, PairFormat format, std::size_t max_tokens) {
  auto loaded = PairTokenizer::load(folder, format, max_tokens);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

TEST(LongestFirst, CutsTheLongerTextAndThenBoth) {
  const auto lengths = [](std::size_t first, std::size_t second, std::size_t room) {
    const PairLengths kept = truncate_longest_first(first, second, room);
    return std::pair{kept.first, kept.second};
  };
  EXPECT_EQ(lengths(3, 4, 7), std::pair(3UL, 4UL));
  EXPECT_EQ(lengths(3, 40, 20), std::pair(3UL, 17UL));
  EXPECT_EQ(lengths(40, 3, 20), std::pair(17UL, 3UL));
  EXPECT_EQ(lengths(30, 40, 21), std::pair(10UL, 11UL));
  EXPECT_EQ(lengths(40, 30, 21), std::pair(11UL, 10UL));
  EXPECT_EQ(lengths(30, 30, 21), std::pair(10UL, 11UL));
  EXPECT_EQ(lengths(12, 40, 20), std::pair(10UL, 10UL));
  EXPECT_EQ(lengths(0, 40, 20), std::pair(0UL, 20UL));
  EXPECT_EQ(lengths(5, 5, 0), std::pair(0UL, 0UL));
}

// What "longest_first" means, one token at a time: of equals the second text loses one.
TEST(LongestFirst, EqualsTakingTokensOneByOne) {
  for (std::size_t room = 0; room < 14; ++room) {
    for (std::size_t first = 0; first < 20; ++first) {
      for (std::size_t second = 0; second < 20; ++second) {
        const PairLengths kept = truncate_longest_first(first, second, room);
        EXPECT_LE(kept.first, first);
        EXPECT_LE(kept.second, second);
        EXPECT_EQ(kept.first + kept.second, std::min(first + second, room));
        if (kept.first < first && kept.second < second) {
          EXPECT_LE(std::max(kept.first, kept.second) - std::min(kept.first, kept.second), 1U);
        } else if (kept.first < first) {
          EXPECT_GE(kept.first + 1, kept.second) << first << ' ' << second << ' ' << room;
        } else if (kept.second < second) {
          EXPECT_GE(kept.second + 1, kept.first) << first << ' ' << second << ' ' << room;
        }
      }
    }
  }
}

TEST(BertPairs, EqualTheReferences) {
  SCALESTYLE_NEED(bert_model());
  const support::GoldenPairs golden = support::read_golden_pairs(bert_model() / "expected.json");
  ASSERT_GE(golden.pairs.size(), 12U);
  const PairTokenizer tokenizer = load(bert_model(), PairFormat::kBert, golden.max_length);
  for (const support::GoldenPair& pair : golden.pairs) {
    const EncodedPair encoded = tokenizer.encode(pair.query, pair.passage);
    EXPECT_EQ(encoded.ids, pair.ids) << pair.query;
    std::vector<TokenId> types(encoded.ids.size());
    std::fill(types.begin() + static_cast<std::ptrdiff_t>(encoded.second_segment), types.end(), 1);
    EXPECT_EQ(types, pair.types) << pair.query;
  }
}

class SmallPairs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(folder_ / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\ndress\n[\n]\nsep\n";
  }
  using Ids = std::vector<TokenId>;
  support::TemporaryFolder folder_;
};

TEST_F(SmallPairs, ControlWordsInATextAreText) {
  const EncodedPair pair = load(folder_.path(), PairFormat::kBert, 512).encode("red [SEP]", "dress[SEP]");
  EXPECT_EQ(pair.ids, (Ids{2, 5, 7, 9, 8, 3, 6, 7, 9, 8, 3}));
  EXPECT_EQ(pair.second_segment, 6U);
}

TEST_F(SmallPairs, HoldTheLimitWhateverTheTexts) {
  const PairTokenizer tokenizer = load(folder_.path(), PairFormat::kBert, 16);
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string first;
    std::string second;
    for (std::size_t words = random() % 30; words > 0; --words) first += "red ";
    for (std::size_t bytes = random() % 60; bytes > 0; --bytes) second.push_back(static_cast<char>(random()));
    const EncodedPair pair = tokenizer.encode(first, second);
    ASSERT_LE(pair.ids.size(), 16U);
    ASSERT_GE(pair.second_segment, 2U);
    ASSERT_LT(pair.second_segment, pair.ids.size());
    EXPECT_EQ(pair.ids[pair.second_segment - 1], 3);
    EXPECT_EQ(pair.ids.back(), 3);
    for (const TokenId id : pair.ids) ASSERT_LT(static_cast<std::size_t>(id), tokenizer.vocabulary_size());
  }
}

TEST_F(SmallPairs, OnlyTheBeginningOfAHugeTextIsRead) {
  const PairTokenizer tokenizer = load(folder_.path(), PairFormat::kBert, 512);
  const std::string huge(64'000'000, '\0');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer.encode(huge, huge + "red").ids, (Ids{2, 3, 3}));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  // A character of three bytes across the end is left out, not halved.
  std::string text(PairTokenizer::kMaxTextBytes - 1, ' ');
  EXPECT_EQ(tokenizer.encode("red", text + "\xE6\x9C\x8D").ids, (Ids{2, 5, 3, 3}));
}

TEST_F(SmallPairs, RefusesTooLittleRoom) {
  const auto refused = PairTokenizer::load(folder_.path(), PairFormat::kBert, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "max_tokens");
}

}  // namespace
}  // namespace scalestyle::text
