#include "http/header_lines.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace scalestyle::http {
namespace {

bool in_pieces(std::string_view header, std::size_t bytes) {
  HeaderLines lines;
  for (std::size_t at = 0; at < header.size(); at += bytes) {
    if (!lines.add(header.substr(at, bytes))) return false;
  }
  return true;
}

TEST(HeaderLinesTest, TakesLinesThatEndAsTheyShould) {
  EXPECT_TRUE(in_pieces("GET / HTTP/1.1\r\nHost: a\r\nX:\tb c\r\n\r\n\n anything", 1'000));
  EXPECT_FALSE(in_pieces("GET / HTTP/1.1\nHost: a\r\n\r\n", 1'000));
  EXPECT_FALSE(in_pieces("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 1'000));
  EXPECT_FALSE(in_pieces("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 1'000));
  EXPECT_FALSE(in_pieces(std::string_view("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 31), 1'000));
}

TEST(HeaderLinesTest, HowTheBytesArriveMakesNoDifference) {
  const std::vector<std::string> pieces{"\r\n", "\r\n", "\r\n", "\r", "\n", " ", "\t", "a", "bcd", "X: y", "\x01", "\xFF", std::string(1, '\0')};
  std::mt19937 random(6);
  for (int trial = 0; trial < 5'000; ++trial) {
    std::string header = "GET / HTTP/1.1\r\n";
    for (std::size_t count = random() % 10; count > 0; --count) header += pieces[random() % (trial % 2 == 0 ? pieces.size() : 10)];
    const bool one_by_one = in_pieces(header, 1);
    for (const std::size_t bytes : {2U, 3U, 7U, 1'000U}) ASSERT_EQ(in_pieces(header, bytes), one_by_one) << header;
  }
}

}  // namespace
}  // namespace scalestyle::http
