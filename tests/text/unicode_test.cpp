#include "text/unicode.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

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
