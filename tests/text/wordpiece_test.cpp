#include "text/wordpiece.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {
namespace {

struct GoldenText {
  std::string text;
  std::vector<TokenId> ids;
};

GoldenText golden_text(const boost::json::object& object) {
  GoldenText golden;
  golden.text = std::string(object.at("text").as_string());
  for (const auto& id : object.at("ids").as_array()) golden.ids.push_back(id.to_number<TokenId>());
  return golden;
}

std::vector<GoldenText> read_golden_lines(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::vector<GoldenText> texts;
  for (std::string line; std::getline(stream, line);) texts.push_back(golden_text(boost::json::parse(line).as_object()));
  return texts;
}

void expect_equal_ids(const WordPieceTokenizer& tokenizer, const std::vector<GoldenText>& texts) {
  WordPieceTokenizer::Scratch scratch;
  std::vector<TokenId> ids;
  for (std::size_t index = 0; index < texts.size(); ++index) {
    tokenizer.encode(texts[index].text, ids, scratch);
    EXPECT_EQ(ids, texts[index].ids) << "text " << index;
  }
}

class HubModel : public ::testing::TestWithParam<std::tuple<std::string, std::string, std::size_t>> {};

TEST_P(HubModel, IdsEqualTheReferences) {
  const auto& [model, file, count] = GetParam();
  const std::filesystem::path tokenizer_path = support::models_dir() / model / "tokenizer.json";
  const std::filesystem::path golden_path = support::shared_dir() / "golden" / file;
  SCALESTYLE_NEED(tokenizer_path);
  SCALESTYLE_NEED(golden_path);
  const auto tokenizer = WordPieceTokenizer::load(tokenizer_path, {.match_special_tokens = true});
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const std::vector<GoldenText> texts = read_golden_lines(golden_path);
  ASSERT_EQ(texts.size(), count);
  expect_equal_ids(*tokenizer, texts);
}

INSTANTIATE_TEST_SUITE_P(Golden, HubModel,
                         ::testing::Values(std::tuple{"bge-small-en-v1.5", "bge_small.jsonl", 200},
                                           std::tuple{"all-MiniLM-L6-v2", "all_minilm.jsonl", 80}));

TEST(SmallModel, IdsEqualTheReferencesFromBothFiles) {
  const std::filesystem::path folder = support::shared_dir() / "golden" / "bert_cross_encoder";
  SCALESTYLE_NEED(folder);
  std::ifstream stream(folder / "expected.json");
  std::stringstream bytes;
  bytes << stream.rdbuf();
  std::vector<GoldenText> texts;
  const boost::json::value expected = boost::json::parse(bytes.str());
  for (const auto& text : expected.at("tokenize").as_array()) texts.push_back(golden_text(text.as_object()));
  ASSERT_GE(texts.size(), 10U);
  for (const char* file : {"tokenizer.json", "vocab.txt"}) {
    const auto tokenizer = WordPieceTokenizer::load(folder / file, {.max_tokens = 128, .match_special_tokens = true});
    ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
    expect_equal_ids(*tokenizer, texts);
  }
}

class SmallVocabulary : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(path_) << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\n##s\ndress\n##es\n[\n]\nsep\na\n##a\n##aa\n衣\n";
  }

  [[nodiscard]] WordPieceTokenizer tokenizer(const WordPieceOptions& options = {}) const {
    auto loaded = WordPieceTokenizer::load(path_, options);
    if (!loaded) throw std::runtime_error(loaded.error().message);
    return std::move(*loaded);
  }
  using Ids = std::vector<TokenId>;
  support::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "vocab.txt";
};

TEST_F(SmallVocabulary, LongestPiecesFirstAndUnknownWords) {
  const WordPieceTokenizer words = tokenizer();
  EXPECT_EQ(words.encode("Red DRESSES"), (Ids{2, 5, 7, 8, 3}));
  EXPECT_EQ(words.encode("reds redx"), (Ids{2, 5, 6, 1, 3}));
  EXPECT_EQ(words.encode("aaa aaaa"), (Ids{2, 12, 14, 12, 14, 13, 3}));
  EXPECT_EQ(words.encode("red衣dress"), (Ids{2, 5, 15, 7, 3}));
  EXPECT_EQ(words.encode("réd\xE2\x80\x8B s"), (Ids{2, 5, 1, 3}));
  EXPECT_EQ(words.encode(""), (Ids{2, 3}));
  EXPECT_EQ(words.piece(8), "##es");
  EXPECT_EQ(words.piece(99), "");
  EXPECT_EQ(words.vocabulary_size(), 16U);
}

TEST_F(SmallVocabulary, WordsAreCutAtHundredCharacters) {
  const WordPieceTokenizer words = tokenizer();
  EXPECT_EQ(words.encode(std::string(101, 'a')), (Ids{2, 1, 3}));
  EXPECT_EQ(words.encode(std::string(100, 'a')).front(), 2);
  EXPECT_EQ(words.encode(std::string(100, 'a')).size(), 2U + 1U + 50U);  // a, 49 x ##aa, ##a
}

TEST_F(SmallVocabulary, ControlWordsInATextAreTextUnlessAskedFor) {
  EXPECT_EQ(tokenizer().encode("red[SEP]"), (Ids{2, 5, 9, 11, 10, 3}));
  EXPECT_EQ(tokenizer({.match_special_tokens = true}).encode("red[SEP]"), (Ids{2, 5, 3, 3}));
  EXPECT_EQ(tokenizer({.match_special_tokens = true}).encode("[sep][SEP"), (Ids{2, 9, 11, 10, 9, 11, 3}));
}

TEST_F(SmallVocabulary, TruncatesToTheLimit) {
  EXPECT_EQ(tokenizer({.max_tokens = 4}).encode("red dresses red"), (Ids{2, 5, 7, 3}));
  EXPECT_EQ(tokenizer({.max_tokens = 2}).encode("red"), (Ids{2, 3}));
  EXPECT_EQ(tokenizer({.max_tokens = 4, .match_special_tokens = true}).encode("[MASK][MASK][MASK]"), (Ids{2, 4, 4, 3}));
  const auto refused = WordPieceTokenizer::load(path_, {.max_tokens = 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().field, "max_tokens");
}

TEST_F(SmallVocabulary, AppendPiecesKeepsWhatIsThere) {
  Ids ids{42};
  WordPieceTokenizer::Scratch scratch;
  tokenizer().append_pieces("red dresses", 2, ids, scratch);
  EXPECT_EQ(ids, (Ids{42, 5, 7}));
}

TEST_F(SmallVocabulary, AnyBytesGiveTokensOfTheVocabulary) {
  const WordPieceTokenizer words = tokenizer();
  std::mt19937 random(7);
  std::uniform_int_distribution<int> byte(0, 255);
  std::uniform_int_distribution<std::size_t> length(0, 300);
  WordPieceTokenizer::Scratch scratch;
  Ids ids;
  for (int round = 0; round < 2000; ++round) {
    std::string text(length(random), '\0');
    for (char& character : text) character = static_cast<char>(byte(random));
    words.encode(text, ids, scratch);
    ASSERT_GE(ids.size(), 2U);
    ASSERT_LE(ids.size(), 512U);
    for (const TokenId id : ids) ASSERT_LT(static_cast<std::size_t>(id), words.vocabulary_size());
    EXPECT_EQ(words.encode(text), ids);  // no state is carried over
  }
}

// Texts made to be slow: doubling the length may not do much more than double the time.
TEST_F(SmallVocabulary, TimeIsLinearInHostileTexts) {
  const WordPieceTokenizer words = tokenizer();
  std::string marks;
  for (int index = 0; index < 400'000; ++index) marks += index % 2 == 0 ? "\xE3\x80\xAE" : "\xF0\x9D\x85\xA5";
  for (const std::string& text : {std::string(4'000'000, 'a'), std::string(2'000'000, '\0') + "a", marks}) {
    const auto start = std::chrono::steady_clock::now();
    const Ids ids = words.encode(text);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LE(ids.size(), 3U);
    EXPECT_LT(std::chrono::duration<double>(took).count(), 2.0);
  }
}

}  // namespace
}  // namespace scalestyle::text
