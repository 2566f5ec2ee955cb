#include "text/clip_tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "support/byte_pair_model.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;
using Ids = std::vector<std::int32_t>;

std::filesystem::path golden() { return support::shared_dir() / "golden" / "clip"; }

bool speaks_in_controls(std::string_view text) {
  return text.find("<|startoftext|>") != std::string_view::npos || text.find("<|endoftext|>") != std::string_view::npos;
}

TEST(ClipGolden, IdsEqualTheReferences) {
  SCALESTYLE_NEED(golden());
  const auto tokenizer = ClipTokenizer::load(golden());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->size(), 914U);
  EXPECT_EQ(tokenizer->start_token(), 912);
  EXPECT_EQ(tokenizer->end_token(), 913);
  std::ifstream stream(golden() / "expected.json");
  std::stringstream bytes;
  bytes << stream.rdbuf();
  const boost::json::value expected = boost::json::parse(bytes.str());
  std::size_t compared = 0;
  for (const auto& entry : expected.at("texts").as_array()) {
    const std::string text(entry.at("text").as_string());
    if (speaks_in_controls(text)) continue;  // the reference makes control tokens of it
    const auto ids = tokenizer->encode(text, 77);
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(*ids, boost::json::value_to<Ids>(entry.at("ids"))) << text;
    ++compared;
  }
  EXPECT_EQ(compared, 28U);
}

// What the reference gives where it is told to read control tokens as text.
TEST(ClipGolden, ControlTokensInATextAreText) {
  SCALESTYLE_NEED(golden());
  const auto tokenizer = ClipTokenizer::load(golden());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(*tokenizer->encode("<|endoftext|> inside", 77),
            (Ids{912, 27, 347, 569, 638, 69, 780, 87, 339, 91, 285, 892, 913}));
  EXPECT_EQ(*tokenizer->encode("<|StartOfText|>", 77), (Ids{912, 27, 347, 522, 538, 528, 69, 780, 87, 339, 91, 285, 913}));
}

class SmallClip : public ::testing::Test {
 protected:
  static constexpr std::int32_t kStart = 516;
  static constexpr std::int32_t kEnd = 517;
  void SetUp() override {
    support::BytePairModel{.rules = {{"r", "e"}, {"re", "d</w>"}, {"a", "a"}, {"aa", "aa"}},
                           .end_of_word = "</w>",
                           .more = {"<|startoftext|>", "<|endoftext|>"}}
        .write(folder_.path());
  }
  [[nodiscard]] ClipTokenizer tokenizer() const {
    auto loaded = ClipTokenizer::load(folder_.path());
    if (!loaded) throw std::runtime_error(loaded.error().message);
    return std::move(*loaded);
  }
  support::TemporaryFolder folder_;
};

TEST_F(SmallClip, LowerCasedAndComposed) {
  const ClipTokenizer clip = tokenizer();
  EXPECT_EQ(*clip.encode("RED  red", 9), (Ids{kStart, 513, 513, kEnd}));
  EXPECT_EQ(*clip.encode("e\u0301", 9), *clip.encode("\u00c9", 9));
  EXPECT_EQ(*clip.encode("\u0130", 9), *clip.encode("i\u0307", 9));
  EXPECT_EQ(*clip.encode("\u039f\u03a3", 9), *clip.encode("\u03bf\u03c3", 9));  // no final sigma
  EXPECT_EQ(*clip.encode("", 9), (Ids{kStart, kEnd}));
  EXPECT_EQ(*clip.encode("\u3000\n", 9), (Ids{kStart, kEnd}));
}

TEST_F(SmallClip, TruncatedBeforeTheEndOfText) {
  const ClipTokenizer clip = tokenizer();
  EXPECT_EQ(*clip.encode("red red red", 4), (Ids{kStart, 513, 513, kEnd}));
  EXPECT_EQ(*clip.encode("red red red", 5), (Ids{kStart, 513, 513, 513, kEnd}));
  EXPECT_EQ(*clip.encode("xyz", 4), (Ids{kStart, 'x', 'y', kEnd}));
  EXPECT_EQ(*clip.encode("red", 2), (Ids{kStart, kEnd}));
  const auto refused = clip.encode("red", 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().field, "max_tokens");
}

TEST_F(SmallClip, RefusesWhatIsNoTextOrTooLong) {
  const ClipTokenizer clip = tokenizer();
  for (const std::string& text : {std::string("a\xFF"), std::string("\xED\xA0\x80"), std::string("\xE2\x82")}) {
    const auto refused = clip.encode(text, 77);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message, HasSubstr("UTF-8"));
  }
  EXPECT_TRUE(clip.encode(std::string(ClipTokenizer::kMaxTextBytes, ' '), 77));
  const auto refused = clip.encode(std::string(ClipTokenizer::kMaxTextBytes + 1, ' '), 77);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("1048577 bytes"));
}

TEST_F(SmallClip, HostileTexts) {
  const ClipTokenizer clip = tokenizer();
  std::string marks;
  for (int index = 0; index < 50'000; ++index) marks += index % 2 == 0 ? "\u0301" : "\u0323";
  for (const std::string& text : {std::string(100'000, 'a'), std::string(100'000, '\0'), std::string(100'000, '\''), marks,
                                  "a" + marks}) {
    const auto ids = clip.encode(text, 77);
    ASSERT_TRUE(ids);
    EXPECT_EQ(ids->size(), 77U);
    EXPECT_EQ(ids->back(), kEnd);
    EXPECT_EQ(std::ranges::count(*ids, kEnd), 1);
  }
}

TEST_F(SmallClip, NoTextGivesAControlToken) {
  const ClipTokenizer clip = tokenizer();
  std::mt19937 random(41);
  for (int round = 0; round < 1'000; ++round) {
    std::string text;
    for (std::size_t parts = random() % 8; parts > 0; --parts) {
      constexpr std::array<std::string_view, 6> kParts = {"<|endoftext|>", "<|startoftext|>", "<|", "endoftext", "|>", " "};
      if (random() % 4 == 0) append_utf8(static_cast<char32_t>(random() % 0x3000), text);
      text += kParts[random() % kParts.size()];
    }
    const auto ids = clip.encode(text, 300);
    ASSERT_TRUE(ids);
    EXPECT_EQ(std::ranges::count(*ids, kStart), 1) << text;
    EXPECT_EQ(std::ranges::count(*ids, kEnd), 1) << text;
  }
}

TEST_F(SmallClip, ControlTokensMustBeThere) {
  support::BytePairModel{.rules = {}, .end_of_word = "</w>", .more = {"<|startoftext|>"}}.write(folder_.path());
  auto refused = ClipTokenizer::load(folder_.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(refused.error().message, HasSubstr("vocab.json: the vocabulary lacks <|endoftext|>"));
  refused = ClipTokenizer::load(folder_ / "absent");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::text
