#include "search/shown_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "text/unicode.hpp"

namespace scalestyle::search {
namespace {

TEST(ShownTextTest, CleansAndCuts) {
  EXPECT_EQ(shown("", 5), "");
  EXPECT_EQ(shown("  soft \t\n linen ", 20), "soft linen");
  EXPECT_EQ(shown("a \"b\" \u201Cc\u201D", 20), "a 'b' 'c'");
  EXPECT_EQ(shown("ab\x01\u200Bc", 20), "abc");
  EXPECT_EQ(shown("soft linen", 10), "soft linen");
  EXPECT_EQ(shown("soft linen", 9), "soft line…");
  EXPECT_EQ(shown("soft linen", 5), "soft…");
  EXPECT_EQ(shown("soft linen", 4), "soft…");
  EXPECT_EQ(shown("soft ", 4), "soft");
  EXPECT_EQ(shown("été", 2), "ét…");
  EXPECT_EQ(shown("a", 0), "…");
}

// One character after the other, which is what runs of plain ones must equal.
std::string one_by_one(std::string_view value, std::size_t most) {
  std::string text;
  for (std::size_t position = 0; position < value.size();) {
    const std::size_t begin = position;
    static_cast<void>(text::next_code_point(value, position));
    text.append(value.substr(begin, position - begin));
    std::string longer;
    const std::size_t count = append_shown(text, most, longer);
    if (count > most) return longer;
  }
  return shown(text, most);
}

TEST(ShownTextTest, RunsOfPlainCharactersAreWhatTheirCharactersAre) {
  const std::vector<std::string> pieces{"a", "bc", "def", " ", "  ", "\"", "é", "\u200B", "\n", "ghijkl", "'"};
  std::mt19937 random(4);
  for (int trial = 0; trial < 2'000; ++trial) {
    std::string value;
    for (std::size_t count = random() % 8; count > 0; --count) value += pieces[random() % pieces.size()];
    const std::size_t most = random() % 12;
    std::string out = "before ";
    const std::size_t characters = append_shown(value, most, out);
    std::size_t counted = 0;
    for (std::size_t position = 7; position < out.size(); ++counted) static_cast<void>(text::next_code_point(out, position));
    ASSERT_EQ(characters, counted) << value << " " << most;
    ASSERT_EQ(out.substr(7), one_by_one(value, most)) << value << " " << most;
  }
}

}  // namespace
}  // namespace scalestyle::search
