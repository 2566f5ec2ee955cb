#include "text/byte_pair_splitting.hpp"

#include <gtest/gtest.h>
#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode.hpp"

namespace scalestyle::text {
namespace {

using Words = std::vector<std::string>;
using Splitter = std::string_view (*)(std::string_view, std::size_t&);

Words split(Splitter next, std::string_view text) {
  Words words;
  std::size_t position = 0;
  for (std::string_view word = next(text, position); !word.empty(); word = next(text, position)) words.emplace_back(word);
  EXPECT_EQ(position, text.size());
  return words;
}

Words clip(std::string_view text) { return split(next_clip_word, text); }
Words qwen2(std::string_view text) { return split(next_qwen2_word, text); }

TEST(ClipWords, BlanksSeparateAndDigitsStandAlone) {
  EXPECT_EQ(clip(""), Words{});
  EXPECT_EQ(clip(" \t\r\n\u3000"), Words{});
  EXPECT_EQ(clip("a red\u00a0dress "), (Words{"a", "red", "dress"}));
  EXPECT_EQ(clip("100% cotton, $19.99!"), (Words{"1", "0", "0", "%", "cotton", ",", "$", "1", "9", ".", "9", "9", "!"}));
  EXPECT_EQ(clip("½Ⅻé赤い"), (Words{"½", "Ⅻ", "é赤い"}));
}

TEST(ClipWords, ContractionsOnlyWhereAWordCouldBegin) {
  EXPECT_EQ(clip("don't we'll they've"), (Words{"don", "'t", "we", "'ll", "they", "'ve"}));
  EXPECT_EQ(clip("!'s 'r 'sx"), (Words{"!'", "s", "'", "r", "'s", "x"}));
  EXPECT_EQ(clip("I'S '\u017f"), (Words{"I", "'", "S", "'", "\u017f"}));
}

TEST(Qwen2Words, TheCharacterBeforeBelongsToTheWord) {
  EXPECT_EQ(qwen2("a red-dress"), (Words{"a", " red", "-dress"}));
  EXPECT_EQ(qwen2("x\u00a0y\u2028z"), (Words{"x", "\u00a0y", "\u2028z"}));
  EXPECT_EQ(qwen2("a\nb"), (Words{"a", "\n", "b"}));
  EXPECT_EQ(qwen2("a1b 12"), (Words{"a", "1", "b", " ", "1", "2"}));
  EXPECT_EQ(qwen2("( ( \t("), (Words{"(", " (", " ", "\t", "("}));
}

TEST(Qwen2Words, WhiteSpace) {
  EXPECT_EQ(qwen2("a   b"), (Words{"a", "  ", " b"}));
  EXPECT_EQ(qwen2("   "), (Words{"   "}));
  EXPECT_EQ(qwen2("a  \n \r\n  b"), (Words{"a", "  \n \r\n", " ", " b"}));
  EXPECT_EQ(qwen2("!\n\n x\n"), (Words{"!\n\n", " x", "\n"}));
  EXPECT_EQ(qwen2("a  1"), (Words{"a", " ", " ", "1"}));
}

TEST(Qwen2Words, ContractionsInAnyCase) {
  EXPECT_EQ(qwen2("I'VE don'T 'reX 'l"), (Words{"I", "'VE", " don", "'T", " '", "reX", " '", "l"}));
  EXPECT_EQ(qwen2("'\u017ft"), (Words{"'\u017f", "t"}));  // the long s folds to s
}

// ICU's regular expressions, with White_Space spelled out.
class Pattern {
 public:
  explicit Pattern(const char* pattern) {
    UErrorCode code = U_ZERO_ERROR;
    pattern_.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(pattern), 0, code));
    EXPECT_TRUE(U_SUCCESS(code)) << u_errorName(code);
  }
  [[nodiscard]] Words matches(std::string_view text) const {
    UErrorCode code = U_ZERO_ERROR;
    const icu::StringPiece bytes(text.data(), static_cast<std::int32_t>(text.size()));
    const icu::UnicodeString subject = icu::UnicodeString::fromUTF8(bytes);
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(subject, code));
    Words words;
    while (U_SUCCESS(code) && matcher->find(code)) matcher->group(code).toUTF8String(words.emplace_back());
    EXPECT_TRUE(U_SUCCESS(code)) << u_errorName(code);
    return words;
  }

 private:
  std::unique_ptr<icu::RegexPattern> pattern_;
};

constexpr std::array<std::string_view, 24> kFragments = {
    " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u0085", "\u2028", "\v", "'", "'s", "'LL", "'Re", "'\u017f", "dress",
    "İ", "e\u0301\u0302", "½", "٣", "赤い", "👗", "\u200b", "...", "$"};

std::string random_text(std::mt19937& random) {
  std::string text;
  for (std::size_t parts = random() % 16; parts > 0; --parts) {
    switch (random() % 4) {
      case 0: append_utf8(static_cast<char32_t>(random() % 0x3000), text); break;
      case 1: append_utf8(static_cast<char32_t>(random() % 0x80), text); break;
      default: text += kFragments[random() % kFragments.size()];
    }
  }
  return text;
}

TEST(ByteLevelWords, AreWhatThePatternsMatch) {
  const Pattern clip_pattern(R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\p{White_Space}\p{L}\p{N}]+)");
  const Pattern qwen2_pattern(
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*|)"
      R"(\p{White_Space}*[\r\n]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)");
  std::mt19937 random(31);
  for (int round = 0; round < 10'000; ++round) {
    const std::string text = random_text(random);
    ASSERT_EQ(clip(text), clip_pattern.matches(text)) << round << ": " << ::testing::PrintToString(text);
    ASSERT_EQ(qwen2(text), qwen2_pattern.matches(text)) << round << ": " << ::testing::PrintToString(text);
  }
}

TEST(ByteLevelWords, LoseNoByteOfAnyString) {
  std::mt19937 random(5);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes(random() % 60, '\0');
    for (char& byte : bytes) byte = static_cast<char>(static_cast<unsigned char>(random()));
    std::string joined;
    for (const std::string& word : qwen2(bytes)) joined += word;
    ASSERT_EQ(joined, bytes);
  }
}

}  // namespace
}  // namespace scalestyle::text
