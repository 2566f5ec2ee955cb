#include "search/page_cursor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "search/rising_numbers.hpp"

namespace scalestyle::search {
namespace {

using Numbers = std::vector<std::uint32_t>;
using core::ErrorCode;

const core::WallTime kNow{std::chrono::seconds(1'772'366'400)};

TEST(RisingNumbers, ComeBackAsTheyWere) {
  std::mt19937 random(7);
  std::vector<Numbers> lists{{}, {0}, {0xFFFFFFFF}, {0, 0xFFFFFFFF}, {0, 1, 2, 3}};
  for (int round = 0; round < 200; ++round) {
    std::set<std::uint32_t> numbers;
    const std::uint32_t bound = std::uint32_t{1} << (1 + random() % 31);
    for (std::size_t i = random() % 300; i > 0; --i) numbers.insert(static_cast<std::uint32_t>(random() % bound));
    lists.emplace_back(numbers.begin(), numbers.end());
  }
  for (const Numbers& list : lists) {
    std::string bytes;
    write_rising(list, bytes);
    EXPECT_EQ(read_rising(bytes, list.size()).value(), list);
    EXPECT_TRUE(list.empty() || !read_rising(bytes, list.size() - 1));
    EXPECT_FALSE(read_rising(bytes.substr(0, bytes.size() - 1), list.size()));
    EXPECT_FALSE(read_rising(bytes + '\1', list.size()));
  }
}

TEST(RisingNumbers, DamagedBytesAreRefusedOrAtLeastBounded) {
  std::mt19937 random(8);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (const auto read = read_rising(bytes, 100)) {
      EXPECT_LE(read->size(), 100U);
      EXPECT_EQ(std::ranges::adjacent_find(*read, std::greater_equal<>()), read->end());
    }
  }
}

TEST(Base64Url, EncodesAsRfc4648) {
  EXPECT_EQ(base64url_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url_encode("fooba"), "Zm9vYmE");
  EXPECT_EQ(base64url_encode("\xFB\xFF"), "-_8");
  EXPECT_EQ(base64url_decode("Zm9vYmE").value(), "fooba");
  EXPECT_EQ(base64url_decode("").value(), "");
  for (const char* wrong : {"Z", "Zm9v=", "Zm+v", "Zm9vYmF"}) EXPECT_FALSE(base64url_decode(wrong)) << wrong;
}

TEST(PageCursors, BringBackWhatWasShown) {
  const PageCursors cursors({.key = "a key of 16 bytes or more"});
  const PageCursor cursor{"g1", "list", {3, 5, 900}};
  const auto text = cursors.write(cursor, kNow);
  ASSERT_TRUE(text);
  EXPECT_EQ(cursors.read(*text, "g1", "list", kNow).value(), cursor.shown);
  EXPECT_TRUE(cursors.read(*text, "g1", "list", kNow + std::chrono::seconds(900)));
  EXPECT_TRUE(cursors.read(*text, "g1", "list", kNow - std::chrono::seconds(60)));  // another machine's clock
  // Whoever has the key reads it.
  EXPECT_TRUE(PageCursors({.key = "a key of 16 bytes or more"}).read(*text, "g1", "list", kNow));
  EXPECT_FALSE(PageCursors({}).read(*text, "g1", "list", kNow));
}

TEST(PageCursors, TellWhatIsWrong) {
  const PageCursors cursors({.key = "a key of 16 bytes or more"});
  const std::string text = cursors.write({"g1", "list", {3, 5, 900}}, kNow).value();
  const auto code = [&](const std::string& given, const std::string& generation, const std::string& request, core::WallTime now) {
    const auto read = cursors.read(given, generation, request, now);
    EXPECT_FALSE(read);
    if (read) return ErrorCode::kInternal;
    EXPECT_EQ(read.error().field, "cursor");
    return read.error().code;
  };
  EXPECT_EQ(code(text, "g1", "another list", kNow), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(text, "g2", "list", kNow), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code(text, "g1", "list", kNow + std::chrono::seconds(901)), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code("", "g1", "list", kNow), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("nonsense", "g1", "list", kNow), ErrorCode::kInvalidArgument);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string tampered = text;
    tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(code(tampered, "g1", "list", kNow), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(text.substr(0, i), "g1", "list", kNow), ErrorCode::kInvalidArgument);
  }
}

TEST(PageCursors, HoldTenThousandItemsAndFitIntoAUrl) {
  const PageCursors cursors({});
  std::mt19937 random(1);
  for (const std::uint32_t products : {10'000U, 47'224U, 1'000'000U}) {
    std::set<std::uint32_t> shown;
    while (shown.size() < kMaxCursorItems) shown.insert(static_cast<std::uint32_t>(random() % products));
    const Numbers numbers(shown.begin(), shown.end());
    const auto text = cursors.write({"g", "r", numbers}, kNow);
    const bool fits = products < 1'000'000;
    ASSERT_EQ(text.has_value(), fits) << products;
    if (!fits) continue;
    EXPECT_EQ(cursors.read(*text, "g", "r", kNow).value(), numbers);
  }
  Numbers many(kMaxCursorItems + 1);
  for (std::uint32_t i = 0; i < many.size(); ++i) many[i] = i;
  EXPECT_FALSE(cursors.write({"g", "r", many}, kNow));
}

TEST(CursorOptions, LimitsAreChecked) {
  EXPECT_TRUE(CursorOptions{}.validate());
  EXPECT_EQ((CursorOptions{.key = "short"}).validate().error().field, "cursor_key");
  EXPECT_EQ((CursorOptions{.lifetime = std::chrono::seconds(0)}).validate().error().field, "cursor_lifetime_s");
}

}  // namespace
}  // namespace scalestyle::search
