#include "text/unicode.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace scalestyle::text {
namespace {

std::u32string decode_all(std::string_view bytes) {
  std::u32string out;
  for (std::size_t position = 0; position < bytes.size();) out.push_back(next_code_point(bytes, position));
  return out;
}

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (code_point >= 0xD800 && code_point <= 0xDFFF) continue;
    std::string bytes;
    append_utf8(code_point, bytes);
    std::size_t position = 0;
    ASSERT_EQ(next_code_point(bytes, position), code_point);
    ASSERT_EQ(position, bytes.size());
    ASSERT_TRUE(is_valid_utf8(bytes));
  }
}

TEST(Utf8, ReplacesMaximalIllFormedParts) {
  EXPECT_EQ(decode_all("\xC0\xAF"), U"\uFFFD\uFFFD");                // overlong
  EXPECT_EQ(decode_all("\xE0\x9F\xBF"), U"\uFFFD\uFFFD\uFFFD");      // overlong
  EXPECT_EQ(decode_all("\xED\xA0\x80"), U"\uFFFD\uFFFD\uFFFD");      // surrogate
  EXPECT_EQ(decode_all("\xF4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD");  // above U+10FFFF
  EXPECT_EQ(decode_all("\xF0\x9F\x91z"), U"\uFFFDz");                // cut short
  EXPECT_EQ(decode_all("a\x80"), U"a\uFFFD");
  EXPECT_EQ(decode_all("\xE2\x82"), U"\uFFFD");
  for (const char* bytes : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(bytes));
  }
}

TEST(Utf8, SurrogatesAndTooLargeValuesAreWrittenAsReplacement) {
  std::string bytes;
  append_utf8(0xD800, bytes);
  append_utf8(0x110000, bytes);
  EXPECT_EQ(bytes, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf8, IncompleteSuffix) {
  const std::string characters = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x91\x97";
  const std::array<std::size_t, 11> expected = {0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0};
  for (std::size_t length = 0; length <= characters.size(); ++length) {
    EXPECT_EQ(incomplete_suffix(std::string_view(characters).substr(0, length)), expected[length]) << length;
  }
  for (const char* hopeless : {"\x80", "\xC0", "\xFF", "\xE0\x9F", "\xED\xA0", "\xF4\x90", "a\x9F\x91\x97", "\xF5\x80"}) {
    EXPECT_EQ(incomplete_suffix(hopeless), 0U) << ::testing::PrintToString(hopeless);
  }
}

TEST(Normalize, LongRunsOfMarksComeInCanonicalOrder) {
  // Of each class the marks keep their order; those that compose with the letter are taken from the front.
  std::string mixed = "e";
  std::string below;
  std::string above;
  for (int index = 0; index < 300; ++index) {
    const std::string high = index % 3 == 0 ? "\u0307" : "\u0301";
    const std::string low = index % 2 == 0 ? "\u0323" : "\u0331";
    mixed += high + low;
    above += high;
    below += low;
  }
  EXPECT_EQ(*normalize(mixed + "z", NormalForm::kNfd), "e" + below + above + "z");
  EXPECT_EQ(*normalize("x " + mixed, NormalForm::kNfc), "x \u1eb9" + below.substr(2) + above);
  EXPECT_EQ(*normalize("\u1eb9" + mixed.substr(3) + mixed, NormalForm::kNfc),
            *normalize(*normalize("\u1eb9" + mixed.substr(3) + mixed, NormalForm::kNfd), NormalForm::kNfc));
}

// Marks put in order one by one would take the better part of a minute; U+0F73 is two marks in one.
TEST(Normalize, HostileRunsOfMarks) {
  std::string alternating;
  std::string pairs;
  for (int index = 0; index < 200'000; ++index) {
    alternating += index % 2 == 0 ? "\u0301" : "\u0323";
    pairs += "\u0f73";
  }
  EXPECT_EQ(normalize(alternating, NormalForm::kNfc)->size(), alternating.size());
  EXPECT_EQ(normalize("a" + alternating, NormalForm::kNfd)->size(), alternating.size() + 1);
  EXPECT_EQ(normalize(pairs, NormalForm::kNfc)->size(), 2 * pairs.size());
}

TEST(Classes, LettersNumbersAndWhiteSpace) {
  for (const char32_t letter : std::u32string_view(U"aZé赤いǅªʰ")) {
    EXPECT_TRUE(is_letter(letter) && !is_number(letter)) << static_cast<std::uint32_t>(letter);
  }
  for (const char32_t number : std::u32string_view(U"7½²Ⅻ٣㊀")) {
    EXPECT_TRUE(is_number(number) && !is_letter(number)) << static_cast<std::uint32_t>(number);
  }
  for (const char32_t blank : std::u32string_view(U"\t\n\v\f\r \x85\xA0\u2028\u3000")) EXPECT_TRUE(is_white_space(blank));
  for (const char32_t other : std::u32string_view(U"\x1C\x1F\u200B\u0301\uFEFF")) {
    EXPECT_FALSE(is_white_space(other) || is_letter(other) || is_number(other)) << static_cast<std::uint32_t>(other);
  }
}

TEST(Normalize, FourForms) {
  EXPECT_EQ(*normalize("e\xCC\x81", NormalForm::kNfc), "\xC3\xA9");
  EXPECT_EQ(*normalize("\xC3\xA9", NormalForm::kNfd), "e\xCC\x81");
  EXPECT_EQ(*normalize("\xEF\xAC\x81", NormalForm::kNfc), "\xEF\xAC\x81");  // the fi ligature stays
  EXPECT_EQ(*normalize("\xEF\xAC\x81", NormalForm::kNfkc), "fi");
  EXPECT_EQ(*normalize("\xEF\xBC\xA6\xC3\xA9", NormalForm::kNfkd), "Fe\xCC\x81");
}

TEST(FoldCaseAndAccents, LatinGreekCyrillic) {
  EXPECT_EQ(fold_case_and_accents("Crème BRÛLÉE"), "creme brulee");
  EXPECT_EQ(fold_case_and_accents("ΚΌΚΚΙΝΟ Йогурт"), "κοκκινο иогурт");
  EXPECT_EQ(fold_case_and_accents("İstanbul Straße"), "istanbul straße");
  EXPECT_EQ(fold_case_and_accents(std::string_view("a\0B", 3)), std::string_view("a\0b", 3));
}

TEST(Classes, FollowTheReferencesTables) {
  EXPECT_TRUE(is_bert_control(0));
  EXPECT_TRUE(is_bert_control(0x85));
  EXPECT_TRUE(is_bert_control(0xFFFD));
  EXPECT_TRUE(is_bert_control(0x200D));
  EXPECT_TRUE(is_bert_control(0xE000));
  EXPECT_FALSE(is_bert_control(0xFDD0));   // unassigned
  EXPECT_FALSE(is_bert_control(0x13430));  // format character of Unicode 12
  EXPECT_FALSE(is_bert_control('\n'));
  EXPECT_TRUE(is_bert_whitespace(0x3000));
  EXPECT_FALSE(is_bert_whitespace(0x200B));
  EXPECT_TRUE(is_bert_punctuation(U'$'));
  EXPECT_TRUE(is_bert_punctuation(0x3002));
  EXPECT_TRUE(is_bert_punctuation(0x166D));
  EXPECT_FALSE(is_bert_punctuation(0x2E5D));  // a dash of Unicode 14
  EXPECT_FALSE(is_bert_punctuation(0x20AC));
  EXPECT_TRUE(is_cjk_ideograph(0x8863));
  EXPECT_FALSE(is_cjk_ideograph(0x2B820));
  EXPECT_FALSE(is_cjk_ideograph(0x3042));
  EXPECT_TRUE(is_nonspacing_mark(0x301));
  EXPECT_FALSE(is_nonspacing_mark(0x1ACF));  // of Unicode 14
  EXPECT_FALSE(is_nonspacing_mark(0x1885));  // a letter then
}

TEST(Decompose, RecursiveAndHangul) {
  std::array<char32_t, kMaxDecomposition> parts{};
  ASSERT_EQ(decompose(0x1EB5, parts), 3U);  // a, breve, tilde
  EXPECT_EQ(parts[0], U'a');
  EXPECT_EQ(parts[1], 0x306U);
  EXPECT_EQ(parts[2], 0x303U);
  EXPECT_EQ(decompose(0xD55C, parts), 3U);
  EXPECT_EQ(decompose(U'x', parts), 1U);
  EXPECT_EQ(parts[0], U'x');
}

}  // namespace
}  // namespace scalestyle::text
