#include "retrieval/query_understanding_prices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/query_understanding_language.hpp"

namespace scalestyle::retrieval {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> forms(std::string_view text) {
  std::vector<std::string> forms;
  for (const QueryWord& word : query_words(text, 100)) forms.push_back(word.symbol ? word.surface : word.form);
  return forms;
}

// The first price phrase anywhere in `text`, as "[10, 20)".
std::string price(std::string_view text) {
  const std::vector<QueryWord> words = query_words(text, 100);
  for (std::size_t first = 0; first < words.size(); ++first) {
    const auto phrase = price_phrase(words, first);
    if (!phrase) continue;
    const PriceBounds& bounds = phrase->bounds;
    const auto number = [](const std::optional<double>& value) {
      std::string digits = value ? std::to_string(*value) : "";
      while (digits.ends_with('0')) digits.pop_back();
      if (digits.ends_with('.')) digits.pop_back();
      return digits;
    };
    return (bounds.includes_min ? "[" : "(") + number(bounds.min) + ", " + number(bounds.max) + (bounds.includes_max ? "]" : ")");
  }
  return "";
}

TEST(QueryWords, CutAtWhatIsNoLetter) {
  EXPECT_THAT(forms("Red, T-shirts & women's dresses!"), ElementsAre("red", "t", "shirt", "women", "dress"));
  EXPECT_THAT(forms("CRÈME brûlée"), ElementsAre("creme", "brulee"));
  EXPECT_THAT(forms("boys' o'clock 'quoted'"), ElementsAre("boy", "oclock", "quoted"));
  EXPECT_THAT(forms("\xff\xfe\xc3"), IsEmpty());
  EXPECT_THAT(forms("a\xff" "b"), ElementsAre("a", "b"));
  EXPECT_THAT(forms("< <= ≤ > >= € 20"), ElementsAre("<", "≤", "≤", ">", "≥", "€", "20"));
  EXPECT_EQ(query_words("one two three", 2).size(), 2U);
}

TEST(QueryWords, KnowWhatStandsBetween) {
  const auto words = query_words("light-blue, red / green. top", 100);
  ASSERT_EQ(words.size(), 5U);
  EXPECT_TRUE(words[1].continues);
  EXPECT_TRUE(words[1].hyphenated);
  EXPECT_FALSE(words[2].continues);
  EXPECT_TRUE(words[2].listed);
  EXPECT_TRUE(words[3].listed);
  EXPECT_FALSE(words[4].continues);
  EXPECT_FALSE(words[4].listed);
  EXPECT_EQ(words[1].span, (TextSpan{6, 10}));
}

TEST(QueryWords, ReadNumbers) {
  const auto number = [](std::string_view text) { return query_words(text, 100).at(0).number; };
  EXPECT_EQ(number("20"), 20);
  EXPECT_EQ(number("19.99"), 19.99);
  EXPECT_EQ(number("19,9"), 19.9);
  EXPECT_EQ(number("1,000"), 1000);
  EXPECT_EQ(number("1.234,50"), 1234.5);
  EXPECT_EQ(number("20eur"), 20);
  EXPECT_EQ(number("5xl"), std::nullopt);
  EXPECT_EQ(number("1e9"), std::nullopt);
  EXPECT_EQ(number("50s"), std::nullopt);
  EXPECT_EQ(number("12345678901234567890"), std::nullopt);
  EXPECT_EQ(number("1.23456"), std::nullopt);
}

TEST(WordForm, TakesInflectionsOff) {
  EXPECT_EQ(word_form("dresses"), "dress");
  EXPECT_EQ(word_form("dress"), "dress");
  EXPECT_EQ(word_form("hoodies"), word_form("hoodie"));
  EXPECT_EQ(word_form("accessories"), word_form("accessory"));
  EXPECT_EQ(word_form("ties"), word_form("tie"));
  EXPECT_EQ(word_form("watches"), "watch");
  EXPECT_EQ(word_form("scarves"), "scarf");
  EXPECT_EQ(word_form("gloves"), word_form("glove"));
  EXPECT_EQ(word_form("shoes"), word_form("shoe"));
  EXPECT_EQ(word_form("men's"), "men");
  EXPECT_EQ(word_form("gray"), "grey");
  EXPECT_EQ(word_form("is"), "is");
  EXPECT_EQ(word_form("s"), "s");
  EXPECT_EQ(word_form(""), "");
}

TEST(PricePhrase, ReadsTheGrammar) {
  EXPECT_EQ(price("dress under 20"), "[, 20)");
  EXPECT_EQ(price("under 20 in red"), "[, 20)");
  EXPECT_EQ(price("below €30"), "[, 30)");
  EXPECT_EQ(price("less than 19.99 euros"), "[, 19.99)");
  EXPECT_EQ(price("< 15"), "[, 15)");
  EXPECT_EQ(price("<=15"), "[, 15]");
  EXPECT_EQ(price("up to 40"), "[, 40]");
  EXPECT_EQ(price("no more than 40"), "[, 40]");
  EXPECT_EQ(price("max 40 eur"), "[, 40]");
  EXPECT_EQ(price("over 50"), "(50, ]");
  EXPECT_EQ(price(">50€"), "(50, ]");
  EXPECT_EQ(price("at least 25"), "[25, ]");
  EXPECT_EQ(price("between 10 and 30"), "[10, 30]");
  EXPECT_EQ(price("between €10 and €30"), "[10, 30]");
  EXPECT_EQ(price("from 10 to 30"), "[10, 30]");
  EXPECT_EQ(price("10-30 eur"), "[10, 30]");
  EXPECT_EQ(price("€10 – €30"), "[10, 30]");
  EXPECT_EQ(price("20 euros or less"), "[, 20]");
  EXPECT_EQ(price("20eur max"), "[, 20]");
  EXPECT_EQ(price("under 1,000"), "[, 1000)");
  EXPECT_EQ(price("for men under 30"), "[, 30)");
  EXPECT_EQ(price("for kids under 20"), "[, 20)");
  EXPECT_EQ(price("jacket men over 100"), "(100, ]");
  EXPECT_EQ(price("women over 50 eur"), "(50, ]");
}

TEST(PricePhrase, SwapsBoundsGivenTheWrongWayRound) {
  EXPECT_EQ(price("between 30 and 10"), "[10, 30]");
  EXPECT_EQ(price("€30-€10"), "[10, 30]");
  EXPECT_EQ(price("between 20 and 20"), "[20, 20]");
}

TEST(PricePhrase, OtherNumbersAreNoPrices) {
  for (const char* text :
       {"10-30", "size 92-140", "92-140 cm", "under 20 denier", "under 20 den tights", "over 50 cm", "under 2 years", "under 50%",
        "women over 50", "kids under 5", "size over 40", "max 20", "from 20", "20", "20 eur", "under", "under twenty", "between 10", "between 10 and",
        "between and 20", "under 0", "under -5", "under 1e9", "under 99999999999", "under 5xl", "over 50s", "2-pack", "€", "€ eur 20 or"}) {
    EXPECT_EQ(price(text), "") << text;
  }
}

TEST(PricePhrase, NamesItsMoney) {
  const auto currencies = [](std::string_view text) {
    const auto words = query_words(text, 100);
    const auto phrase = price_phrase(words, 0);
    return phrase ? std::string(phrase->currencies) : "none";
  };
  EXPECT_EQ(currencies("under 20"), "");
  EXPECT_EQ(currencies("under €20"), "EUR");
  EXPECT_EQ(currencies("under 20 pounds"), "GBP");
  EXPECT_EQ(currencies("between $10 and 20"), "USD CAD AUD NZD SGD HKD");
  EXPECT_EQ(currencies("between 10 usd and $20"), "USD");
  EXPECT_EQ(currencies("between €10 and $20"), "none");
}

}  // namespace
}  // namespace scalestyle::retrieval
