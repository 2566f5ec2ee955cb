#include "retrieval/phrase_completion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/spelling.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {
namespace {

using Places = std::vector<std::uint32_t>;

// Some phrases, the best first, and what a prefix finds among them.
class Shop {
 public:
  explicit Shop(std::vector<std::string> phrases) : phrases_(std::move(phrases)) {
    const std::vector<std::string_view> views(phrases_.begin(), phrases_.end());
    completion_ = PhraseCompletion(views);
  }
  [[nodiscard]] std::vector<std::string> complete(std::string_view typed, std::size_t k = 8) const {
    return texts(completion_.complete(TypedPrefix::read(typed), k));
  }
  [[nodiscard]] std::vector<std::string> mistyped(std::string_view typed, std::size_t k = 8) const {
    return texts(completion_.complete_mistyped(TypedPrefix::read(typed), k));
  }
  [[nodiscard]] const PhraseCompletion& completion() const { return completion_; }

 private:
  [[nodiscard]] std::vector<std::string> texts(const Places& places) const {
    std::vector<std::string> list;
    for (const std::uint32_t place : places) list.push_back(phrases_[place]);
    return list;
  }
  std::vector<std::string> phrases_;
  PhraseCompletion completion_;
};

using Texts = std::vector<std::string>;

const Shop kShop({"trousers", "dress", "t-shirt", "black dress", "summer dress", "light blue jacket", "light bluebell jacket",
                  "Crème Brûlée top", "v-neck top", "men's shirt"});

TEST(PhraseCompletion, FindsPhrasesFromTheirBeginningThenFromLaterWords) {
  EXPECT_EQ(kShop.complete("dre"), (Texts{"dress", "black dress", "summer dress"}));
  EXPECT_EQ(kShop.complete("t"), (Texts{"trousers", "t-shirt", "Crème Brûlée top", "v-neck top"}));
  EXPECT_EQ(kShop.complete("blue"), (Texts{"light blue jacket", "light bluebell jacket"}));
  EXPECT_EQ(kShop.complete("dre", 1), (Texts{"dress"}));
  EXPECT_TRUE(kShop.complete("ress").empty());
}

TEST(PhraseCompletion, OnlyTheLastWordMayBeUnfinished) {
  EXPECT_EQ(kShop.complete("light b"), (Texts{"light blue jacket", "light bluebell jacket"}));
  EXPECT_EQ(kShop.complete("light blue "), (Texts{"light blue jacket"}));
  EXPECT_EQ(kShop.complete("light blue j"), (Texts{"light blue jacket"}));
  EXPECT_EQ(kShop.complete("dress "), (Texts{"dress", "black dress", "summer dress"}));
  EXPECT_TRUE(kShop.complete("ligh blue").empty());
  EXPECT_TRUE(kShop.complete("dres ").empty());
}

TEST(PhraseCompletion, SpellingsOfOneWordMeet) {
  for (const char* typed : {"t-s", "t s", "ts", "T-S", "tshi", "t shirt", "t-shirt", "TSHIRT"}) {
    EXPECT_EQ(kShop.complete(typed), (Texts{"t-shirt"})) << typed;
  }
  EXPECT_EQ(kShop.complete("t-"), (Texts{"t-shirt"}));
  EXPECT_EQ(kShop.complete("creme br"), (Texts{"Crème Brûlée top"}));
  EXPECT_EQ(kShop.complete("CRÈME brûlée to"), (Texts{"Crème Brûlée top"}));
  EXPECT_EQ(kShop.complete("mens s"), (Texts{"men's shirt"}));
  EXPECT_EQ(kShop.complete("men's"), (Texts{"men's shirt"}));
  EXPECT_EQ(kShop.complete("v neck t"), (Texts{"v-neck top"}));
  EXPECT_EQ(kShop.complete("neck t"), (Texts{"v-neck top"}));
  EXPECT_EQ(kShop.complete("vneck"), (Texts{"v-neck top"}));
}

TEST(PhraseCompletion, AQuarterOfThePlacesIsForLaterWords) {
  const Shop shop({"top a", "top b", "top c", "top d", "top e", "red top", "blue top", "old top"});
  EXPECT_EQ(shop.complete("top", 4), (Texts{"top a", "top b", "top c", "red top"}));
  EXPECT_EQ(shop.complete("top", 3), (Texts{"top a", "top b", "top c"}));
  EXPECT_EQ(shop.complete("top", 8), (Texts{"top a", "top b", "top c", "top d", "top e", "red top", "blue top", "old top"}));
  EXPECT_EQ(shop.complete("top", 7), (Texts{"top a", "top b", "top c", "top d", "top e", "red top", "blue top"}));
}

TEST(PhraseCompletion, ForgivesOneErrorInALongWord) {
  for (const char* typed : {"trosers", "trousres", "trousets", "trousersx", "trusers", "trus", "trosu", "trouesrs"}) {
    const bool long_enough = std::string_view(typed).size() >= 5;
    EXPECT_EQ(kShop.mistyped(typed), long_enough ? Texts{"trousers"} : Texts{}) << typed;
  }
  EXPECT_EQ(kShop.mistyped("blakc dr"), (Texts{"black dress"}));
  EXPECT_EQ(kShop.mistyped("black drses"), (Texts{"black dress"}));
  EXPECT_EQ(kShop.mistyped("light bleu jacket"), Texts{}) << "four letters";
  EXPECT_EQ(kShop.mistyped("sumner"), (Texts{"summer dress"}));
  EXPECT_TRUE(kShop.mistyped("xrousers").empty()) << "the first letter stays";
  EXPECT_TRUE(kShop.mistyped("trxxsers").empty());
  EXPECT_TRUE(kShop.mistyped("blakc drses").empty()) << "two errors";
  EXPECT_TRUE(kShop.mistyped("black jacket").empty()) << "both are words";
  EXPECT_TRUE(kShop.mistyped("trou5ers").empty()) << "not all letters";
}

TEST(PhraseCompletion, HostilePrefixesFindNothingAndHarmNothing) {
  const Texts hostile{"", " ", "   \t\n", std::string("\0", 1), std::string("\0dr\0", 4), "\xFF\xFE", "\xC3", "dr\xC3", "\xF0\x9F\x91\x97",
                      "\xED\xA0\x80", "e\xCC\x81\xCC\x81\xCC\x81", "\xCC\x81", "-", "'", "''", "&", "t'", "1,", "%00", "\xE2\x80\x8B",
                      std::string(100'000, 'a'), std::string(100'000, ' '), std::string(70, 'd') + " dress", "<script>"};
  for (const std::string& typed : hostile) {
    const auto prefix = TypedPrefix::read(typed);
    EXPECT_LE(prefix.words.size(), TypedPrefix::kMaxWords + 1);
    EXPECT_LE(kShop.complete(typed).size(), 8U);
    EXPECT_LE(kShop.mistyped(typed).size(), 8U);
  }
  EXPECT_TRUE(kShop.complete(" ").empty());
  EXPECT_TRUE(kShop.complete("\xF0\x9F\x91\x97").empty());
  EXPECT_EQ(kShop.complete(std::string("\0dr", 3)).size(), 3U) << "what is no word separates";
  EXPECT_EQ(kShop.complete("dre\xCC\x81"), kShop.complete("dre"));
  std::string many = "dress";
  for (int i = 0; i < 60; ++i) many += " dress";
  EXPECT_TRUE(kShop.complete(many).empty());
  EXPECT_TRUE(kShop.mistyped(many).empty());
}

TEST(PhraseCompletion, TakesAnyPhrases) {
  const Shop shop({"", "!!!", std::string("a\0b", 3), "\xFF", std::string(200, 'x'), "a b c d e f g h i j k l m", "a b", "a  B"});
  EXPECT_EQ(shop.complete("a b").size(), 3U) << "the phrase of thirteen words is left out";
  EXPECT_EQ(shop.complete(std::string(100, 'x')).size(), 1U);
  EXPECT_TRUE(Shop(Texts{}).complete("a").empty());
  EXPECT_TRUE(Shop(Texts{}).mistyped("aaaaa").empty());
  EXPECT_EQ(PhraseCompletion().complete(TypedPrefix::read("a"), 3), Places{});
}

TEST(PhraseCompletion, FindsAPhraseByItsWords) {
  EXPECT_EQ(kShop.completion().find(phrase_key("Black  DRESS")), 3U);
  EXPECT_EQ(kShop.completion().find(phrase_key("T-Shirt")), 2U);
  EXPECT_FALSE(kShop.completion().find("black"));
  EXPECT_FALSE(kShop.completion().find("black dress x"));
  EXPECT_FALSE(kShop.completion().find(""));
}

// The definition, by reading every phrase.
class Reference {
 public:
  explicit Reference(const std::vector<std::string>& phrases) {
    text::Words words;
    for (const std::string& phrase : phrases) {
      text::split_words(phrase, SIZE_MAX, words);
      std::vector<Texts> readings(2);
      for (std::size_t i = 0; i < words.size(); ++i) {
        readings[0].emplace_back(words[i]);
        if (!words.continues(i)) readings[1].emplace_back(words.joined(i, words.compound_length(i)));
      }
      for (const Texts& reading : readings) known_.insert(reading.begin(), reading.end());
      phrases_.push_back(std::move(readings));
    }
  }

  [[nodiscard]] Places complete(const TypedPrefix& typed, std::size_t k) const { return find(typed, k, typed.words.size()); }

  [[nodiscard]] Places mistyped(const TypedPrefix& typed, std::size_t k) const {
    std::vector<std::size_t> wrong;
    for (std::size_t i = 0; i < typed.words.size(); ++i) {
      const bool is_known = std::ranges::any_of(known_, [&](const std::string& word) { return is_word(typed, i, word); });
      if (!is_known) wrong.push_back(i);
    }
    if (wrong.size() != 1 || allowed_edits(typed.words[wrong[0]]) == 0) return {};
    return find(typed, k, wrong[0]);
  }

 private:
  static bool may_go_on(const TypedPrefix& typed, std::size_t i) { return i + 1 == typed.words.size() && !typed.ended; }
  static bool is_word(const TypedPrefix& typed, std::size_t i, const std::string& word) {
    return may_go_on(typed, i) ? word.starts_with(typed.words[i]) : word == typed.words[i];
  }

  static std::u32string letters(std::string_view word) {
    std::u32string all;
    for (std::size_t position = 0; position < word.size();) all += text::next_code_point(word, position);
    return all;
  }
  static std::size_t distance(const std::u32string& a, const std::u32string& b) {
    std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
      for (std::size_t j = 0; j <= b.size(); ++j) {
        if (i == 0 || j == 0) {
          rows[i][j] = i + j;
          continue;
        }
        rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
    return rows[a.size()][b.size()];
  }
  static bool is_near(const TypedPrefix& typed, std::size_t i, const std::string& word) {
    const std::u32string wanted = letters(typed.words[i]);
    const std::u32string known = letters(word);
    if (wanted[0] != known[0]) return false;
    if (!may_go_on(typed, i)) return distance(known, wanted) <= 1;
    for (std::size_t length = 1; length <= known.size(); ++length) {
      if (distance(known.substr(0, length), wanted) <= 1) return true;
    }
    return false;
  }

  static bool matches(const TypedPrefix& typed, const Texts& reading, std::size_t from, std::size_t wrong) {
    if (reading.size() - from < typed.words.size()) return false;
    for (std::size_t i = 0; i < typed.words.size(); ++i) {
      if (!(i == wrong ? is_near(typed, i, reading[from + i]) : is_word(typed, i, reading[from + i]))) return false;
    }
    return true;
  }

  [[nodiscard]] Places find(const TypedPrefix& typed, std::size_t k, std::size_t wrong) const {
    Places fronts;
    Places inners;
    for (std::uint32_t place = 0; place < phrases_.size(); ++place) {
      bool front = false;
      bool inner = false;
      for (const Texts& reading : phrases_[place]) {
        for (std::size_t from = 0; from < reading.size(); ++from) {
          if (matches(typed, reading, from, wrong)) (from == 0 ? front : inner) = true;
        }
      }
      if (front && fronts.size() < k) {
        fronts.push_back(place);
      } else if (inner && inners.size() < k) {
        inners.push_back(place);
      }
    }
    inners.resize(std::min(inners.size(), std::max(k / 4, k - fronts.size())));
    fronts.resize(std::min(fronts.size(), k - inners.size()));
    fronts.insert(fronts.end(), inners.begin(), inners.end());
    return fronts;
  }

  std::vector<std::vector<Texts>> phrases_;
  std::set<std::string> known_;
};

TEST(PhraseCompletion, EqualsReadingEveryPhrase) {
  std::mt19937 random(5);
  const auto below = [&random](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  const auto letter = [&] { return std::string(std::array{"a", "b", "c", "\xD1\x8F"}[below(4)]); };
  const auto word = [&](std::size_t longest) {
    std::string made = std::array{"a", "b"}[below(2)];
    for (std::size_t i = below(longest); i > 0; --i) made += letter();
    return made;
  };
  std::size_t found = 0;
  std::size_t found_mistyped = 0;
  for (int round = 0; round < 12; ++round) {
    std::set<std::string> distinct;
    while (distinct.size() < 150) {
      std::string phrase = word(7);
      for (std::size_t i = below(4); i > 0; --i) phrase += (below(4) == 0 ? "-" : " ") + word(7);
      distinct.insert(phrase);
    }
    std::vector<std::string> phrases(distinct.begin(), distinct.end());
    std::ranges::shuffle(phrases, random);
    const std::vector<std::string_view> views(phrases.begin(), phrases.end());
    const PhraseCompletion completion(views);
    const Reference reference(phrases);
    for (int i = 0; i < 120; ++i) {
      std::string typed = below(3) == 0 ? word(6) : phrases[below(phrases.size())];
      if (below(2) == 0) typed.resize(1 + below(typed.size()));
      if (below(2) == 0) typed.insert(below(typed.size() + 1), letter());
      if (below(6) == 0) typed += ' ';
      const auto prefix = TypedPrefix::read(typed);
      const std::size_t k = 1 + below(20);
      const Places exact = completion.complete(prefix, k);
      const Places mistyped = completion.complete_mistyped(prefix, k);
      ASSERT_EQ(exact, reference.complete(prefix, k)) << typed;
      ASSERT_EQ(mistyped, reference.mistyped(prefix, k)) << typed;
      found += exact.size();
      found_mistyped += mistyped.size();
    }
  }
  EXPECT_GT(found, 1000U);
  EXPECT_GT(found_mistyped, 300U);
}

}  // namespace
}  // namespace scalestyle::retrieval
