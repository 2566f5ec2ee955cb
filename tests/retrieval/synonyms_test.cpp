#include "retrieval/synonyms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace scalestyle::retrieval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto table = SynonymTable::parse(text, "words.txt");
  if (table) return "no error";
  EXPECT_EQ(table.error().code, core::ErrorCode::kInvalidArgument);
  return table.error().message;
}

TEST(Synonyms, OneWayTwoWayAndComments) {
  const auto table = SynonymTable::parse("# shoes\n\n trainers , sneakers\r\ntee, vest => T-shirt, top\nbig bag => tote", "words.txt");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->rule_count(), 3U);
  EXPECT_THAT(table->match(std::vector<SynonymPosition>{{"trainer"}}).phrases, ElementsAre("sneakers"));
  EXPECT_THAT(table->match(std::vector<SynonymPosition>{{"sneaker"}}).phrases, ElementsAre("trainers"));
  EXPECT_THAT(table->match(std::vector<SynonymPosition>{{"vest"}}).phrases, ElementsAre("T-shirt", "top"));
  EXPECT_EQ(table->match(std::vector<SynonymPosition>{{"top"}}).words, 0U);
  EXPECT_EQ(table->match(std::vector<SynonymPosition>{{"big"}, {"bag"}, {"red"}}).words, 2U);
  EXPECT_EQ(table->match(std::vector<SynonymPosition>{{"big"}}).words, 0U);
  EXPECT_EQ(table->match({}).words, 0U);
}

TEST(Synonyms, LongestPhraseWinsAndRulesOfOnePhraseAdd) {
  const auto table = SynonymTable::parse("bow => ribbon\nbow tie => papillon\nbow tie => neckwear\nbow tie => papillon", "words.txt");
  ASSERT_TRUE(table) << table.error().message;
  const auto match = table->match(std::vector<SynonymPosition>{{"bow"}, {"tie"}});
  EXPECT_EQ(match.words, 2U);
  EXPECT_THAT(match.phrases, ElementsAre("papillon", "neckwear"));
  EXPECT_THAT(table->match(std::vector<SynonymPosition>{{"bow"}, {"red"}}).phrases, ElementsAre("ribbon"));
}

TEST(Synonyms, ACompoundIsFoundInAnySpelling) {
  const auto table = SynonymTable::parse("push-up, lift", "words.txt");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table->match(std::vector<SynonymPosition>{{"push"}, {"up"}}).words, 2U);
  EXPECT_EQ(table->match(std::vector<SynonymPosition>{{"push", "pushup", 2}, {"up"}}).words, 2U);
  EXPECT_EQ(table->match(std::vector<SynonymPosition>{{"pushup"}}).words, 1U);
}

TEST(Synonyms, ErrorsNameFileAndLine) {
  EXPECT_THAT(error_of("a, b\nlonely"), HasSubstr("words.txt:2: one phrase alone"));
  EXPECT_THAT(error_of("\n\na => b => c"), HasSubstr("words.txt:3: more than one"));
  EXPECT_THAT(error_of("a, , b"), HasSubstr("words.txt:1: the phrase \"\" has no word"));
  EXPECT_THAT(error_of("a =>"), HasSubstr("words.txt:1: the phrase \"\" has no word"));
  EXPECT_THAT(error_of("a, ***"), HasSubstr("the phrase \"***\" has no word"));
  EXPECT_THAT(error_of("a, b\n\xFF, c"), HasSubstr("words.txt:2: the line is not UTF-8"));
  EXPECT_THAT(error_of("a => a"), HasSubstr("words.txt:1: \"a\" is its own only synonym"));
  EXPECT_THAT(error_of("a, one two three four five six seven"), HasSubstr("more than 6 words"));
  EXPECT_THAT(error_of("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"), HasSubstr("more than 16 phrases"));
}

TEST(Synonyms, SizesAreBounded) {
  EXPECT_THAT(error_of(std::string(kMaxSynonymFileBytes + 1, '#')), HasSubstr("a synonym file has at most"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxSynonymRules; ++i) many += "a" + std::to_string(i) + ",b" + std::to_string(i) + "\n";
  EXPECT_THAT(error_of(many), HasSubstr("words.txt:10001: more than 10000 rules"));
}

TEST(Synonyms, ReadFromAFile) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(SynonymTable::read(folder / "none.txt").error().code, core::ErrorCode::kNotFound);
  std::ofstream(folder / "words.txt") << "a, b\nbad\n";
  EXPECT_THAT(SynonymTable::read(folder / "words.txt").error().message, HasSubstr("words.txt:2:"));
  std::ofstream(folder / "words.txt") << "a, b\n";
  EXPECT_EQ(SynonymTable::read(folder / "words.txt")->rule_count(), 1U);
  EXPECT_TRUE(SynonymTable::parse("", "empty")->empty());
}

}  // namespace
}  // namespace scalestyle::retrieval
