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

}  // namespace
}  // namespace scalestyle::text
