#include "text/vocabulary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"

namespace scalestyle::text {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

const std::string kSpecials = R"("[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4)";

std::string tokenizer_json(const std::string& pieces, const std::string& extra = "") {
  return R"({"normalizer":{"type":"BertNormalizer","lowercase":true,"strip_accents":null},)"
         R"("pre_tokenizer":{"type":"BertPreTokenizer"},"model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{)" +
         pieces + "}" + extra + "}}";
}

void expect_error(const core::Result<Vocabulary>& result, ErrorCode code, const std::string& part) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(part));
  EXPECT_THAT(result.error().message, HasSubstr("model/file"));
}

TEST(TokenizerJson, ReadsPiecesAndRules) {
  const auto vocabulary = parse_tokenizer_json(tokenizer_json(kSpecials + R"(,"red":5,"##s":6)"), "f");
  ASSERT_TRUE(vocabulary.has_value()) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->pieces[6], "##s");
  EXPECT_TRUE(vocabulary->strip_accents);
  EXPECT_EQ(vocabulary->special.classify, 2);
  EXPECT_EQ(vocabulary->special.mask, 4);
}

TEST(TokenizerJson, RefusesDamagedFilesByName) {
  const auto parse = [](const std::string& bytes) { return parse_tokenizer_json(bytes, "model/file"); };
  expect_error(parse(""), ErrorCode::kDataLoss, "not JSON");
  expect_error(parse("[1]"), ErrorCode::kDataLoss, "not a JSON object");
  expect_error(parse(std::string(100'000, '[')), ErrorCode::kDataLoss, "not JSON");
  expect_error(parse("{}"), ErrorCode::kDataLoss, "\"model\"");
  expect_error(parse(R"({"model":{"type":"BPE","vocab":{}}})"), ErrorCode::kUnsupported, "BPE");
  expect_error(parse(tokenizer_json("")), ErrorCode::kDataLoss, "model.vocab");
  expect_error(parse(tokenizer_json(kSpecials + R"(,"a":7)")), ErrorCode::kDataLoss, "\"a\"");
  expect_error(parse(tokenizer_json(kSpecials + R"(,"a":-1)")), ErrorCode::kDataLoss, "\"a\"");
  expect_error(parse(tokenizer_json(kSpecials + R"(,"a":4)")), ErrorCode::kDataLoss, "belongs to two pieces");
  expect_error(parse(tokenizer_json(kSpecials + R"(,"a":"5")")), ErrorCode::kDataLoss, "\"a\"");
  expect_error(parse(tokenizer_json(R"("[PAD]":0,"[UNK]":1,"[CLS]":2,"x":3,"[MASK]":4)")), ErrorCode::kDataLoss, "[SEP]");
  expect_error(parse(tokenizer_json(kSpecials, R"(,"max_input_chars_per_word":0)")), ErrorCode::kDataLoss,
               "max_input_chars_per_word");
  expect_error(parse(tokenizer_json(kSpecials + ",\"" + std::string(401, 'x') + "\":5")), ErrorCode::kDataLoss, "piece 5");
}

TEST(TokenizerJson, RefusesAddedTokensItWouldMistreat) {
  const auto with = [](const std::string& added) {
    std::string bytes = tokenizer_json(kSpecials);
    bytes.insert(1, "\"added_tokens\":" + added + ",");
    return parse_tokenizer_json(bytes, "model/file");
  };
  EXPECT_TRUE(with(R"([{"id":2,"content":"[CLS]","lstrip":false}])").has_value());
  expect_error(with(R"([{"id":9,"content":"[NEW]"}])"), ErrorCode::kUnsupported, "[NEW]");
  expect_error(with(R"([{"id":4,"content":"[MASK]","lstrip":true}])"), ErrorCode::kUnsupported, "lstrip");
  expect_error(with(R"([{"content":"[MASK]"}])"), ErrorCode::kDataLoss, "without an id");
  expect_error(with("7"), ErrorCode::kDataLoss, "added_tokens");
}

TEST(VocabularyText, OnePieceALine) {
  const auto vocabulary = parse_vocabulary_text("[PAD]\n[UNK]\r\n[CLS]\n[SEP]\n[MASK]\nred", "f");
  ASSERT_TRUE(vocabulary.has_value());
  EXPECT_EQ(vocabulary->pieces.size(), 6U);
  EXPECT_EQ(vocabulary->pieces[1], "[UNK]");
  EXPECT_EQ(vocabulary->special.separator, 3);
}

TEST(VocabularyText, RefusesDamagedFilesByName) {
  const std::string head = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  expect_error(parse_vocabulary_text("", "model/file"), ErrorCode::kDataLoss, "[PAD]");
  expect_error(parse_vocabulary_text(head + "a\n\nb\n", "model/file"), ErrorCode::kDataLoss, "line 7");
  expect_error(parse_vocabulary_text(head + "a\nb\na\n", "model/file"), ErrorCode::kDataLoss, "ids 5 and 7");
  expect_error(parse_vocabulary_text(head + "\xFF\n", "model/file"), ErrorCode::kDataLoss, "piece 5 is not UTF-8");
}

TEST(ReadVocabulary, MissingAndOversizedFiles) {
  const support::TemporaryFolder temporary;
  const std::filesystem::path folder = temporary / "model";
  expect_error(read_vocabulary(folder / "file"), ErrorCode::kNotFound, "");
  std::filesystem::create_directories(folder);
  const auto empty = read_vocabulary(folder);
  ASSERT_FALSE(empty.has_value());
  EXPECT_EQ(empty.error().code, ErrorCode::kNotFound);
  std::ofstream(folder / "file") << "x";
  std::filesystem::resize_file(folder / "file", (std::uintmax_t{32} << 20U) + 1);
  expect_error(read_vocabulary(folder / "file"), ErrorCode::kResourceExhausted, "");
}

}  // namespace
}  // namespace scalestyle::text
