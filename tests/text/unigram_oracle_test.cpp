// Our unigram tokenizer against the SentencePiece library, on the same model file and random texts.
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/shared_data.hpp"
#include "text/unicode.hpp"
#include "text/unigram.hpp"

namespace scalestyle::text {
namespace {

class Oracle {
 public:
  explicit Oracle(const std::filesystem::path& path) { loaded_ = library_.Load(path.string()).ok(); }
  [[nodiscard]] bool loaded() const { return loaded_; }
  [[nodiscard]] std::vector<TokenId> cut(std::string_view text) const {
    std::vector<int> pieces;
    EXPECT_TRUE(library_.Encode(absl::string_view(text.data(), text.size()), &pieces).ok());
    std::vector<TokenId> ids;
    for (const int piece : pieces) ids.push_back(piece == 0 ? UnigramTokenizer::kUnknown : piece + 1);
    return ids;
  }

 private:
  sentencepiece::SentencePieceProcessor library_;
  bool loaded_ = false;
};

constexpr std::array<std::string_view, 24> kFragments = {
    " ", "  ", "\t", "\n", "\u00a0", "\u3000", "▁", "dress", "Sommer", "cotton", "été", "e\u0301\u0302", "ﬁ", "½", "ﷺ", "赤い",
    "ワンピース", "👗", "\u200b", "\u00ad", "<s>", "</s>", "<unk>", "\u212b"};

std::string random_text(std::mt19937& random) {
  std::string text;
  for (std::size_t parts = random() % 30; parts > 0; --parts) {
    switch (random() % 4) {
      case 0: text += kFragments[random() % kFragments.size()]; break;
      case 1: append_utf8(static_cast<char32_t>(random() % 0x3000), text); break;
      case 2: append_utf8(static_cast<char32_t>(random() % 0x20000), text); break;
      default:
        for (std::size_t letters = 1 + random() % 8; letters > 0; --letters) text += static_cast<char>('a' + random() % 26);
    }
    if (random() % 40 == 0) text += static_cast<char>(random());  // ill-formed, mostly
  }
  return text;
}

TEST(UnigramOracle, IdsEqualOnRandomTexts) {
  const std::filesystem::path path = support::shared_dir() / "golden" / "xlmr_reranker" / "sentencepiece.bpe.model";
  SCALESTYLE_NEED(path);
  const Oracle oracle(path);
  ASSERT_TRUE(oracle.loaded());
  const auto tokenizer = UnigramTokenizer::load(path);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  std::mt19937 random(17);
  UnigramTokenizer::Scratch scratch;
  std::vector<TokenId> ids;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_text(random);
    ids.clear();
    tokenizer->append_pieces(text, ids, scratch);
    ASSERT_EQ(ids, oracle.cut(text)) << "round " << round << ": " << ::testing::PrintToString(text);
  }
}

// Not a test of speed, but the place where both can be timed: docs/decisions/0012-cross-encoders.md.
TEST(UnigramOracle, IdsEqualOnProductTexts) {
  const std::filesystem::path path = support::shared_dir() / "golden" / "xlmr_reranker" / "sentencepiece.bpe.model";
  SCALESTYLE_NEED(path);
  const Oracle oracle(path);
  ASSERT_TRUE(oracle.loaded());
  const auto tokenizer = UnigramTokenizer::load(path);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const std::string text =
      "Short dress in a soft cotton weave with a V-neck, buttons down the front and short sleeves. Rounded hem, lined with "
      "jersey at the back of the dress. Dark blue, 100% cotton.";
  UnigramTokenizer::Scratch scratch;
  std::vector<TokenId> ids;
  constexpr int kRounds = 2'000;
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < kRounds; ++round) {
    ids.clear();
    tokenizer->append_pieces(text, ids, scratch);
  }
  const auto between = std::chrono::steady_clock::now();
  std::vector<TokenId> library;
  for (int round = 0; round < kRounds; ++round) library = oracle.cut(text);
  const auto end = std::chrono::steady_clock::now();
  EXPECT_EQ(ids, library);
  const auto microseconds = [](auto duration) { return std::chrono::duration<double, std::micro>(duration).count() / kRounds; };
  std::printf("%zu bytes, %zu pieces: %.1f us, the library %.1f us\n", text.size(), ids.size(), microseconds(between - start),
              microseconds(end - between));
}

}  // namespace
}  // namespace scalestyle::text
