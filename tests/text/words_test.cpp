#include "text/words.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "text/english_stemmer.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {
namespace {

// The words of `text`; a word that belongs to the compound before it starts with '+'.
std::vector<std::string> split(std::string_view text, std::size_t max_words = 1000) {
  Words words;
  split_words(text, max_words, words);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < words.size(); ++i) found.push_back((words.continues(i) ? "+" : "") + std::string(words[i]));
  return found;
}

std::string joined(std::string_view text) {
  Words words;
  split_words(text, 1000, words);
  return words.empty() ? "" : std::string(words.joined(0, words.compound_length(0)));
}

using Strings = std::vector<std::string>;

TEST(Words, AreFoldedByCaseAccentsAndWidth) {
  EXPECT_EQ(split("Crème BRÛLÉE"), (Strings{"creme", "brulee"}));
  EXPECT_EQ(split("ＦＵＬＬ width ２０"), (Strings{"full", "width", "20"}));
  EXPECT_EQ(split("Straße Øresund Łódź æther ﬁne"), (Strings{"strasse", "oresund", "lodz", "aether", "fine"}));
  EXPECT_EQ(split("cre\u0300me"), (Strings{"creme"}));       // a combining accent
  EXPECT_EQ(split("dres\u00ADses"), (Strings{"dresses"}));   // a soft hyphen
  EXPECT_EQ(split("ЮБКА Ελληνικά"), (Strings{"юбка", "ελληνικα"}));
}

TEST(Words, EverySpellingOfACompoundCanMeet) {
  EXPECT_EQ(split("T-shirt"), (Strings{"t", "+shirt"}));
  EXPECT_EQ(split("t shirt"), (Strings{"t", "+shirt"}));
  EXPECT_EQ(split("T\u2011Shirt"), (Strings{"t", "+shirt"}));
  for (const char* spelling : {"t-shirt", "T shirt", "tshirt", "TSHIRT", "t\u2010shirt"}) EXPECT_EQ(joined(spelling), "tshirt") << spelling;
  EXPECT_EQ(joined("v-neck"), joined("V neck"));
  EXPECT_EQ(joined("off-the-shoulder"), "offtheshoulder");
  EXPECT_EQ(split("H&M h & m"), (Strings{"h", "+m", "h", "m"}));
}

TEST(Words, WhatOnlyLooksLikeACompoundIsNone) {
  EXPECT_EQ(split("a top"), (Strings{"a", "top"}));
  EXPECT_EQ(split("i see"), (Strings{"i", "see"}));
  EXPECT_EQ(split("tops - skirts"), (Strings{"tops", "skirts"}));
  EXPECT_EQ(split("tops--skirts"), (Strings{"tops", "skirts"}));
  EXPECT_EQ(split("-top- "), (Strings{"top"}));
  EXPECT_EQ(split("S/M, x  shirt"), (Strings{"s", "m", "x", "shirt"}));
  EXPECT_EQ(split("t\nshirt"), (Strings{"t", "shirt"}));
  EXPECT_EQ(split("x-y z"), (Strings{"x", "+y", "z"}));  // the last part of a compound holds nothing more
}

TEST(Words, ApostrophesAndNumbers) {
  EXPECT_EQ(split("men's men\u2019s MENS"), (Strings{"mens", "mens", "mens"}));
  EXPECT_EQ(split("'quoted' rock 'n' roll"), (Strings{"quoted", "rock", "n", "roll"}));
  EXPECT_EQ(split("1.5 cm, 1,5 cm. 100%"), (Strings{"1.5", "cm", "1.5", "cm", "100"}));
  EXPECT_EQ(split("5-pack 3p 50x70 0108775015"), (Strings{"5", "+pack", "3p", "50x70", "0108775015"}));
  EXPECT_EQ(split("end.Start e.g."), (Strings{"end", "start", "e", "g"}));
}

TEST(Words, ScriptsWithoutBlanksGiveAWordACharacter) {
  EXPECT_EQ(split("黒い服 top"), (Strings{"黒", "い", "服", "top"}));
  EXPECT_EQ(split("ドレス"), (Strings{"ト", "レ", "ス"}));  // voicing marks are marks
}

TEST(Words, NothingGivesNothing) {
  for (const char* text : {"", " ", "...", "- & '", "\u200B\u00AD", "\U0001F457"}) EXPECT_TRUE(split(text).empty()) << text;
}

TEST(Words, AnyBytesAreAText) {
  EXPECT_EQ(split("to\xFFp \xC3 \xE2\x82 dress\xF0\x9F"), (Strings{"to", "p", "dress"}));
  EXPECT_EQ(split(std::string_view("a\0b", 3)), (Strings{"a", "b"}));
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random() % 60, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 3 == 0 ? 128 + random() % 128 : random() % 128);
    Words words;
    split_words(bytes, 20, words);
    ASSERT_LE(words.size(), 20U);
    for (std::size_t i = 0; i < words.size(); ++i) {
      ASSERT_FALSE(words[i].empty());
      ASSERT_LE(words[i].size(), kMaxWordBytes);
      ASSERT_TRUE(is_valid_utf8(words[i]));
    }
  }
}

TEST(Words, WordsOfAFoldedTextAreThemselves) {  // what a vocabulary holds can be asked for again
  for (const char* text : {"Crème T-shirt", "ＡＢＣ ﬁ ß", "İstanbul", "ǅ ŉ", "Ω Å ſ"}) {
    for (const std::string& word : split(text)) {
      const std::string plain = word.starts_with('+') ? word.substr(1) : word;
      EXPECT_EQ(split(plain), (Strings{plain})) << text;
    }
  }
}

TEST(Words, HugeInputIsBounded) {
  const std::string letters(10'000'000, 'a');
  EXPECT_EQ(split(letters), (Strings{std::string(kMaxWordBytes, 'a')}));
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "ä-";
  Words words;
  split_words(many, 32, words);
  EXPECT_EQ(words.size(), 32U);
  EXPECT_TRUE(words.truncated());
  split_words("one two", 2, words);
  EXPECT_EQ(words.size(), 2U);
  EXPECT_FALSE(words.truncated());
}

TEST(EnglishStemmer, BringsFormsOfAWordTogether) {
  auto stemmer = EnglishStemmer::create();
  ASSERT_TRUE(stemmer) << stemmer.error().message;
  const auto stem = [&](std::string_view word) { return std::string(stemmer->stem(word)); };
  EXPECT_EQ(stem("dresses"), stem("dress"));
  EXPECT_EQ(stem("knitted"), stem("knit"));
  EXPECT_EQ(stem("women"), stem("womens"));
  EXPECT_EQ(stem("women"), stem("woman"));
  EXPECT_EQ(stem("mens"), stem("man"));
  EXPECT_EQ(stem("childrens"), stem("child"));
  EXPECT_EQ(stem("scarves"), stem("scarf"));
  EXPECT_NE(stem("short"), stem("shirt"));
  EXPECT_EQ(stem("юбка"), "юбка");
  EXPECT_EQ(stem("3pack"), "3pack");
  EXPECT_EQ(stem(""), "");
}

TEST(EnglishStemmer, KnowsWhomClothesAreFor) {
  EXPECT_EQ(wearer_of("ladieswear"), "ladies");
  EXPECT_EQ(wearer_of("menswear"), "mens");
  for (const char* word : {"wear", "xxwear", "wearing", "dress", ""}) EXPECT_EQ(wearer_of(word), "") << word;
}

TEST(EnglishStemmer, StopWordsAreFolded) {
  for (const char* word : {"the", "with", "for", "a"}) EXPECT_TRUE(is_english_stop_word(word)) << word;
  for (const char* word : {"top", "The", "", "up", "under"}) EXPECT_FALSE(is_english_stop_word(word)) << word;
}

}  // namespace
}  // namespace scalestyle::text
