#include "text/json_text.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace scalestyle::text {
namespace {

std::string json(std::string_view value) {
  std::string out;
  append_json_text(value, out);
  return out;
}

TEST(JsonText, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(json(""), R"("")");
  EXPECT_EQ(json("a \"b\" \\ c/d"), R"("a \"b\" \\ c/d")");
  EXPECT_EQ(json("\n\r\t\x01\x1f\x7f"), R"("\n\r\t\u0001\u001f\u007f")");
  EXPECT_EQ(json("été 🛍"), "\"été 🛍\"");
  EXPECT_EQ(json("a\xff\xc3"), "\"a\uFFFD\uFFFD\"");
}

TEST(JsonText, EveryAsciiCharacterReadsBackAsItself) {
  std::string all;
  for (char c = 0; c < 0x7F; ++c) all += c;
  all += '\x7F';
  EXPECT_EQ(boost::json::parse(json(all)).as_string(), all);
}

// Eight characters are looked at together: what must be escaped is found wherever it stands among them.
TEST(JsonText, FindsWhatMustBeEscapedAtEveryPlace) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const char special = static_cast<char>(byte);
    for (std::size_t length = 1; length <= 20; ++length) {
      for (std::size_t place = 0; place < length; ++place) {
        std::string text(length, 'a');
        text[place] = special;
        std::string wanted = json(std::string_view(&special, 1));
        wanted = '"' + std::string(place, 'a') + wanted.substr(1, wanted.size() - 2) + std::string(length - place - 1, 'a') + '"';
        ASSERT_EQ(json(text), wanted) << byte << " at " << place << " of " << length;
      }
    }
  }
}

TEST(JsonText, KeepsLettersBeyondAsciiAtEveryPlace) {
  for (std::size_t place = 0; place <= 18; ++place) {
    const std::string text = std::string(place, 'b') + "é" + std::string(18 - place, '"');
    EXPECT_EQ(boost::json::parse(json(text)).as_string(), text);
  }
}

}  // namespace
}  // namespace scalestyle::text
