#include "text/utf8_pieces.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "text/unicode.hpp"

namespace scalestyle::text {
namespace {

TEST(Utf8Pieces, HoldsBackWhatIsIncomplete) {
  Utf8Pieces pieces;
  EXPECT_EQ(pieces.push("caf\xC3"), "caf");
  EXPECT_EQ(pieces.push("\xA9 \xF0\x9F"), "é ");
  EXPECT_EQ(pieces.push(""), "");
  EXPECT_EQ(pieces.push("\x91"), "");
  EXPECT_EQ(pieces.push("\x97!"), "👗!");
  EXPECT_EQ(pieces.finish(), "");
}

TEST(Utf8Pieces, IllFormedBytesAreReplaced) {
  Utf8Pieces pieces;
  EXPECT_EQ(pieces.push("a\x80"), "a\uFFFD");
  EXPECT_EQ(pieces.push("\xE2\x82"), "");
  EXPECT_EQ(pieces.push("b"), "\uFFFDb");
  EXPECT_EQ(pieces.push("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(pieces.push("\xF0\x9F\x91"), "");
  EXPECT_EQ(pieces.finish(), "\uFFFD");
  EXPECT_EQ(pieces.finish(), "");
  EXPECT_EQ(pieces.push("z"), "z");
}

TEST(Utf8Pieces, CutsDoNotChangeWhatAStreamReadsAs) {
  std::mt19937 random(23);
  for (int round = 0; round < 3'000; ++round) {
    std::string stream;
    for (std::size_t parts = random() % 12; parts > 0; --parts) {
      if (random() % 3 == 0) {
        stream += static_cast<char>(static_cast<unsigned char>(random()));
      } else {
        append_utf8(static_cast<char32_t>(random() % (random() % 2 == 0 ? 0x800 : 0x20000)), stream);
      }
    }
    std::string whole;
    for (std::size_t position = 0; position < stream.size();) append_utf8(next_code_point(stream, position), whole);
    Utf8Pieces pieces;
    std::string joined;
    for (std::size_t position = 0; position < stream.size();) {
      const std::size_t length = random() % 4;
      const std::string_view piece = pieces.push(std::string_view(stream).substr(position, length));
      ASSERT_TRUE(is_valid_utf8(piece));
      joined += piece;
      position += length;
    }
    joined += pieces.finish();
    ASSERT_EQ(joined, whole) << ::testing::PrintToString(stream);
  }
}

}  // namespace
}  // namespace scalestyle::text
