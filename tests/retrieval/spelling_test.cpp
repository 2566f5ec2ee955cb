#include "retrieval/spelling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/text_distance.hpp"

namespace scalestyle::retrieval {
namespace {

// A vocabulary where each word is its own stem, of the given number of articles.
LexicalVocabulary vocabulary_of(const std::set<std::string>& words, std::uint32_t articles = 10) {
  LexicalVocabulary::Parts parts;
  for (const std::string& word : words) {
    parts.term_of_word.push_back(parts.words.intern(word));
    parts.stems.intern(word);
    parts.form_bit.push_back(1);
    parts.word_articles.push_back(articles);
    parts.term_articles.push_back(articles);
  }
  return LexicalVocabulary(std::move(parts));
}

std::vector<std::string> near(const LexicalVocabulary& vocabulary, std::string_view word, std::size_t distance) {
  std::vector<std::string> words;
  for (const NearWord& found : find_near_words(vocabulary, word, distance, 1, 1000)) words.emplace_back(vocabulary.word(found.word));
  return words;
}

TEST(Spelling, EditsThatAWordAllows) {
  EXPECT_EQ(allowed_edits(""), 0U);
  EXPECT_EQ(allowed_edits("dres"), 0U);
  EXPECT_EQ(allowed_edits("dress"), 1U);
  EXPECT_EQ(allowed_edits("trousers"), 1U);
  EXPECT_EQ(allowed_edits("sweatshir"), 2U);
  EXPECT_EQ(allowed_edits("юбка"), 0U);   // letters, not bytes
  EXPECT_EQ(allowed_edits("юбочка"), 1U);
  EXPECT_EQ(allowed_edits("3pack50"), 0U);
  EXPECT_EQ(allowed_edits(std::string(33, 'a')), 0U);
}

TEST(Spelling, FindsEachKindOfEdit) {
  const LexicalVocabulary vocabulary = vocabulary_of({"dress", "jacket", "jackpot", "shirt", "short", "trousers", "юбочка"});
  EXPECT_THAT(near(vocabulary, "jackt", 1), testing::ElementsAre("jacket"));
  EXPECT_THAT(near(vocabulary, "jackett", 1), testing::ElementsAre("jacket"));
  EXPECT_THAT(near(vocabulary, "jecket", 1), testing::ElementsAre("jacket"));
  EXPECT_THAT(near(vocabulary, "jakcet", 1), testing::ElementsAre("jacket"));
  EXPECT_THAT(near(vocabulary, "jcaket", 1), testing::ElementsAre("jacket"));
  EXPECT_THAT(near(vocabulary, "shert", 1), testing::ElementsAre("shirt", "short"));
  EXPECT_THAT(near(vocabulary, "packet", 1), testing::IsEmpty());  // the first letter is kept
  EXPECT_THAT(near(vocabulary, "dress", 1), testing::IsEmpty());   // the word itself is no correction
  EXPECT_THAT(near(vocabulary, "юбчока", 1), testing::ElementsAre("юбочка"));
  EXPECT_THAT(near(vocabulary, "trosuesr", 2), testing::ElementsAre("trousers"));
}

TEST(Spelling, EqualsComparingWithEveryWord) {
  std::mt19937 random(3);
  const auto random_word = [&random](std::size_t least, std::size_t most) {
    std::string word(least + random() % (most - least + 1), 'a');
    for (char& letter : word) letter = static_cast<char>('a' + random() % 4);
    return word;
  };
  std::set<std::string> words;
  for (int i = 0; i < 3000; ++i) words.insert(random_word(1, 9));
  for (int i = 0; i < 50; ++i) words.insert(random_word(1, 5) + "1");  // never a correction
  const LexicalVocabulary vocabulary = vocabulary_of(words);
  for (int round = 0; round < 400; ++round) {
    const std::string query = random_word(1, 10);
    for (const std::size_t distance : {1U, 2U}) {
      std::set<std::pair<std::size_t, std::string>> wanted;
      for (const std::string& word : words) {
        const std::size_t actual = core::edit_distance(query, word);
        if (word.back() != '1' && word[0] == query[0] && actual >= 1 && actual <= distance) wanted.emplace(actual, word);
      }
      std::set<std::pair<std::size_t, std::string>> found;
      for (const NearWord& candidate : find_near_words(vocabulary, query, distance, 1, 10'000)) {
        found.emplace(candidate.distance, vocabulary.word(candidate.word));
      }
      ASSERT_EQ(found, wanted) << query;
    }
  }
}

TEST(Spelling, NearestThenMostFrequentAndOneOfAStem) {
  LexicalVocabulary::Parts parts;
  const std::vector<std::tuple<std::string, TermId, std::uint32_t>> words = {
      {"jacket", 0, 50}, {"jackets", 0, 9}, {"jackety", 1, 3}, {"jackett", 2, 90}};
  for (const char* stem : {"jacket", "jackety", "jackett"}) parts.stems.intern(stem);
  parts.term_articles = {55, 3, 90};
  for (const auto& [word, term, articles] : words) {
    parts.words.intern(word);
    parts.term_of_word.push_back(term);
    parts.form_bit.push_back(1);
    parts.word_articles.push_back(articles);
  }
  const LexicalVocabulary vocabulary{std::move(parts)};
  const auto found = find_near_words(vocabulary, "jacketx", 1, 5, 10);
  EXPECT_THAT(found, testing::ElementsAre(NearWord{3, 1}, NearWord{0, 1}));  // too few articles have "jackety"
  EXPECT_EQ(find_near_words(vocabulary, "jacketx", 1, 5, 1).size(), 1U);
}

TEST(Spelling, HostileWordsAreHarmless) {
  const LexicalVocabulary vocabulary = vocabulary_of({"aaaaa", std::string(64, 'a'), "b"});
  EXPECT_TRUE(find_near_words(vocabulary, "", 2, 1, 10).empty());
  EXPECT_TRUE(find_near_words(vocabulary, std::string(64, 'a'), 2, 1, 10).empty());
  EXPECT_TRUE(find_near_words(LexicalVocabulary(), "jacket", 2, 1, 10).empty());
}

}  // namespace
}  // namespace scalestyle::retrieval
