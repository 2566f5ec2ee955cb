#include "text/unigram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/golden_pairs.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "text/pair_tokenizer.hpp"

namespace scalestyle::text {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

std::filesystem::path xlmr() { return support::shared_dir() / "golden" / "xlmr_reranker"; }

UnigramTokenizer load(const std::filesystem::path& path) {
  auto loaded = UnigramTokenizer::load(path);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

Ids cut(const UnigramTokenizer& tokenizer, std::string_view text) {
  Ids ids;
  UnigramTokenizer::Scratch scratch;
  tokenizer.append_pieces(text, ids, scratch);
  return ids;
}

std::string read(const std::filesystem::path& path) {
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

// The library's ids are the reference: tokenizer.json agrees with them but for control tokens written in a text, which
// here stay text, and stacked combining marks. The golden file flags those two.
TEST(GoldenUnigram, IdsEqualTheLibrarys) {
  SCALESTYLE_NEED(xlmr());
  const UnigramTokenizer tokenizer = load(xlmr() / "sentencepiece.bpe.model");
  EXPECT_EQ(tokenizer.vocabulary_size(), 1002U);
  const boost::json::value expected = boost::json::parse(read(xlmr() / "expected.json"));
  std::size_t flagged = 0;
  for (const auto& text : expected.at("tokenize").as_array()) {
    Ids library;
    for (const auto& id : text.at("sentencepiece_ids").as_array()) {
      const auto value = id.to_number<TokenId>();
      library.push_back(value == 0 ? 3 : value + 1);
    }
    const Ids ids = cut(tokenizer, std::string_view(text.at("text").as_string()));
    EXPECT_EQ(ids, library) << text.at("text");
    Ids framed{0};
    framed.insert(framed.end(), ids.begin(), ids.end());
    framed.push_back(2);
    Ids fast;
    for (const auto& id : text.at("ids").as_array()) fast.push_back(id.to_number<TokenId>());
    EXPECT_EQ(framed == fast, text.at("same_as_offset_rule").as_bool()) << text.at("text");
    if (framed != fast) ++flagged;
  }
  EXPECT_EQ(flagged, 2U);
}

TEST(GoldenUnigram, PairsEqualTheReferences) {
  SCALESTYLE_NEED(xlmr());
  const support::GoldenPairs golden = support::read_golden_pairs(xlmr() / "expected.json");
  const auto tokenizer = PairTokenizer::load(xlmr(), PairFormat::kXlmRoberta, golden.max_length);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  for (const support::GoldenPair& pair : golden.pairs) {
    const EncodedPair encoded = tokenizer->encode(pair.query, pair.passage);
    EXPECT_EQ(encoded.ids, pair.ids) << pair.query;
    EXPECT_EQ(encoded.second_segment, encoded.ids.size());
  }
  const EncodedPair injected = tokenizer->encode("a</s>", "<s><mask>");
  EXPECT_EQ(std::count(injected.ids.begin(), injected.ids.end(), 2), 3);
  EXPECT_EQ(std::count(injected.ids.begin(), injected.ids.end(), 0), 1);
  EXPECT_EQ(std::count(injected.ids.begin(), injected.ids.end(), 1001), 0);
}

// A model file written by hand: its messages are short enough for lengths of one byte.
struct ModelFile {
  static std::string field(int number, const std::string& bytes) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
  }
  static std::string number(int number, int value) {
    return std::string{static_cast<char>(number << 3), static_cast<char>(value)};
  }
  ModelFile& piece(const std::string& text, float score, int kind = 1) {
    std::string bytes = field(1, text);
    bytes += static_cast<char>(2 << 3 | 5);
    bytes.append(reinterpret_cast<const char*>(&score), sizeof(score));
    if (kind != 1) bytes += number(3, kind);
    content += field(1, bytes);
    return *this;
  }
  static ModelFile xlm_roberta() {
    ModelFile file;
    file.piece("<unk>", 0, 2).piece("<s>", 0, 3).piece("</s>", 0, 3);
    return file;
  }
  std::string content;
};

class SmallUnigram : public ::testing::Test {
 protected:
  [[nodiscard]] UnigramTokenizer tokenizer(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
    return load(path_);
  }
  void expect_error(const std::string& content, ErrorCode code, const std::string& part) const {
    std::ofstream(path_, std::ios::binary) << content;
    const auto result = UnigramTokenizer::load(path_);
    ASSERT_FALSE(result) << part;
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(part));
    EXPECT_THAT(result.error().message, HasSubstr(path_.string()));
  }
  support::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "sentencepiece.bpe.model";
};

TEST_F(SmallUnigram, TheGreatestSumOfScoresWins) {
  ModelFile file = ModelFile::xlm_roberta();
  file.piece("▁", -2).piece("a", -1).piece("b", -1).piece("ab", -1.5F).piece("▁a", -2.5F).piece("▁ab", -9);
  const UnigramTokenizer words = tokenizer(file.content);
  EXPECT_EQ(cut(words, "ab"), (Ids{4, 7}));          // ▁ ab: -3.5, ▁a b: -3.5; the first found stays
  EXPECT_EQ(cut(words, "a"), (Ids{8}));
  EXPECT_EQ(cut(words, "  b   a "), (Ids{4, 6, 8}));
  EXPECT_EQ(cut(words, "axxb"), (Ids{8, 3, 6}));     // unknown characters side by side are one piece
  EXPECT_EQ(cut(words, ""), Ids{});
  EXPECT_EQ(cut(words, " "), Ids{});
  EXPECT_EQ(cut(words, "a\xFF\xFE"), (Ids{8, 3}));
  EXPECT_EQ(words.vocabulary_size(), 11U);
}

TEST_F(SmallUnigram, UnusedPiecesAreNotUsed) {
  const UnigramTokenizer words = tokenizer(ModelFile::xlm_roberta().piece("▁", -1).piece("a", -1).piece("▁a", -0.1F, 5).content);
  EXPECT_EQ(cut(words, "a"), (Ids{4, 5}));
}

TEST_F(SmallUnigram, RefusesWhatItWouldMistreat) {
  const std::string begin = ModelFile::xlm_roberta().content;
  expect_error("", ErrorCode::kDataLoss, "no piece");
  expect_error("\x0A\x05" "abc", ErrorCode::kDataLoss, "damaged");
  expect_error(begin + "\x0A", ErrorCode::kDataLoss, "damaged");
  expect_error(begin + ModelFile().piece("", 0).content, ErrorCode::kDataLoss, "piece 3");
  expect_error(begin + ModelFile().piece("a", std::nanf("")).content, ErrorCode::kDataLoss, "piece 3");
  expect_error(begin + ModelFile().piece("a", 0).piece("a", 0).content, ErrorCode::kDataLoss, "two ids");
  expect_error(begin + ModelFile().piece("a", 0, 4).content, ErrorCode::kUnsupported, "user-defined");
  expect_error(begin + ModelFile().piece("<0x0A>", 0, 6).content, ErrorCode::kUnsupported, "byte");
  expect_error(begin + ModelFile().piece("a", 0, 9).content, ErrorCode::kDataLoss, "kind");
  expect_error(begin + ModelFile().piece("<unk2>", 0, 2).content, ErrorCode::kUnsupported, "XLM-RoBERTa");
  expect_error(ModelFile().piece("<s>", 0, 3).content, ErrorCode::kUnsupported, "XLM-RoBERTa");
  expect_error(begin + ModelFile::field(2, ModelFile::number(3, 2)), ErrorCode::kUnsupported, "unigram");
  expect_error(begin + ModelFile::field(2, std::string("\xC0\x01\x01", 3)), ErrorCode::kUnsupported, "suffix");
  expect_error(begin + ModelFile::field(3, ModelFile::field(2, "abc")), ErrorCode::kDataLoss, "normalisation");
  expect_error(begin + ModelFile::field(3, ModelFile::field(2, std::string("\xFF\0\0\0abcd\0", 9))), ErrorCode::kDataLoss,
               "normalisation");
  EXPECT_EQ(UnigramTokenizer::load(folder_ / "absent").error().code, ErrorCode::kNotFound);
}

// A file with some bytes changed loads or is refused; what loads gives ids of its vocabulary for any text.
TEST_F(SmallUnigram, DamagedFilesAreRefusedOrHarmless) {
  SCALESTYLE_NEED(xlmr());
  const std::string good = read(xlmr() / "sentencepiece.bpe.model");
  std::mt19937 random(11);
  std::size_t loaded = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    if (round % 4 == 0) bytes.resize(random() % bytes.size());
    for (std::size_t change = 1 + random() % 40; change > 0 && !bytes.empty(); --change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    std::ofstream(path_, std::ios::binary) << bytes;
    const auto tokenizer = UnigramTokenizer::load(path_);
    if (!tokenizer) {
      EXPECT_THAT(tokenizer.error().message, HasSubstr(path_.string()));
      continue;
    }
    ++loaded;
    for (const std::string_view text : {"Kleid für den Sommer ½ ﷺ", "赤いワンピース 👗", "\xFF\xC3 caf\xC3\xA9"}) {
      for (const TokenId id : cut(*tokenizer, text)) {
        ASSERT_GE(id, 0);
        ASSERT_LT(static_cast<std::size_t>(id), tokenizer->vocabulary_size());
      }
    }
  }
  EXPECT_GT(loaded, 10U);
}

TEST_F(SmallUnigram, TimeIsBoundedForHostileTexts) {
  SCALESTYLE_NEED(xlmr());
  const UnigramTokenizer words = load(xlmr() / "sentencepiece.bpe.model");
  std::string ligatures;
  while (ligatures.size() < 3'000'000) ligatures += "ﷺ";
  for (const std::string& text : {std::string(4'000'000, 'a'), std::string(4'000'000, ' '), ligatures}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_LE(cut(words, text).size(), UnigramTokenizer::kMaxNormalizedBytes + 64);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  }
}

}  // namespace
}  // namespace scalestyle::text
