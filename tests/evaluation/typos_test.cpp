#include "evaluation/typos.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "text/unicode.hpp"

namespace scalestyle::evaluation {
namespace {

std::vector<std::u32string> words_of(std::string_view text) {
  std::vector<std::u32string> words(1);
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = text::next_code_point(text, i);
    if (c == U' ') words.emplace_back();
    else words.back() += c;
  }
  return words;
}

// Whether one insertion, deletion, replacement or exchange of neighbours leads from one to the other.
bool one_edit_apart(const std::u32string& a, const std::u32string& b) {
  if (a == b) return false;
  const auto& shorter = a.size() < b.size() ? a : b;
  const auto& longer = a.size() < b.size() ? b : a;
  if (longer.size() - shorter.size() > 1) return false;
  const auto first = static_cast<std::size_t>(std::ranges::mismatch(shorter, longer).in1 - shorter.begin());
  if (longer.size() > shorter.size()) return shorter.substr(first) == longer.substr(first + 1);
  if (a.substr(first + 1) == b.substr(first + 1)) return true;
  return first + 1 < a.size() && a[first] == b[first + 1] && a[first + 1] == b[first] && a.substr(first + 2) == b.substr(first + 2);
}

TEST(Typos, OneLongWordOfAQueryIsOneEditAway) {
  std::set<std::string> edited;
  for (int i = 0; i < 2'000; ++i) {
    const EvaluationQuery query{std::to_string(i), "red strappy été summer-dresses for rainy afternoons"};
    const std::string text = with_typos(query, TypoPlan::kOnePerQuery, 1);
    edited.insert(text);
    const auto before = words_of(query.text);
    const auto after = words_of(text);
    ASSERT_EQ(after.size(), before.size()) << text;
    int changed = 0;
    for (std::size_t word = 0; word < before.size(); ++word) {
      if (after[word] == before[word]) continue;
      ++changed;
      EXPECT_TRUE(one_edit_apart(before[word], after[word])) << text;
      EXPECT_EQ(after[word][0], before[word][0]) << text;
      EXPECT_GE(before[word].size(), kLongWordLetters) << text;
    }
    EXPECT_EQ(changed, 1) << text;
  }
  EXPECT_GT(edited.size(), 200U);
}

TEST(Typos, EachLongWordCanHaveOne) {
  const EvaluationQuery query{"q", "white cotton shirt men"};
  const auto before = words_of(query.text);
  const auto after = words_of(with_typos(query, TypoPlan::kEachLongWord, 1));
  ASSERT_EQ(after.size(), 4U);
  for (std::size_t word = 0; word < 3; ++word) EXPECT_TRUE(one_edit_apart(before[word], after[word]));
  EXPECT_EQ(after[3], before[3]);
}

TEST(Typos, EqualNeighboursStillChange) {
  for (int i = 0; i < 500; ++i) {
    const EvaluationQuery query{std::to_string(i), "aaaaa"};
    EXPECT_NE(with_typos(query, TypoPlan::kOnePerQuery, 3), query.text);
  }
}

TEST(Typos, LettersOutsideAsciiStayWhole) {
  for (int i = 0; i < 500; ++i) {
    const std::string text = with_typos({std::to_string(i), "größe"}, TypoPlan::kOnePerQuery, 3);
    EXPECT_TRUE(text::is_valid_utf8(text));
    EXPECT_TRUE(one_edit_apart(words_of("größe")[0], words_of(text)[0])) << text;
  }
}

TEST(Typos, DependOnSeedQueryAndNothingElse) {
  const EvaluationQuery query{"q7", "warm winter coat"};
  const std::string text = with_typos(query, TypoPlan::kOnePerQuery, 1);
  EXPECT_EQ(text, with_typos(query, TypoPlan::kOnePerQuery, 1));
  std::set<std::string> by_seed;
  for (std::uint64_t seed = 0; seed < 20; ++seed) by_seed.insert(with_typos(query, TypoPlan::kOnePerQuery, seed));
  EXPECT_GT(by_seed.size(), 10U);
}

TEST(Typos, ShortWordsAndNoPlanChangeNothing) {
  QuerySet set{{{"a", "red hat 12345"}, {"b", "winter coat"}}, {}, 0};
  EXPECT_EQ(put_typos(set, TypoPlan::kNone, 1), 0U);
  EXPECT_EQ(put_typos(set, TypoPlan::kOnePerQuery, 1), 1U);
  EXPECT_EQ(set.queries[0].text, "red hat 12345");
  EXPECT_NE(set.queries[1].text, "winter coat");
}

TEST(Typos, PlansHaveNames) {
  EXPECT_EQ(parse_typo_plan("query").value(), TypoPlan::kOnePerQuery);
  EXPECT_EQ(parse_typo_plan("word").value(), TypoPlan::kEachLongWord);
  EXPECT_EQ(parse_typo_plan("none").value(), TypoPlan::kNone);
  EXPECT_EQ(parse_typo_plan("all").error().field, "typos");
}

}  // namespace
}  // namespace scalestyle::evaluation
