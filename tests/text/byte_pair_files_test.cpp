#include "text/byte_pair_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "support/byte_pair_model.hpp"
#include "support/temporary_folder.hpp"
#include "text/byte_alphabet.hpp"
#include "text/byte_pair_encoding.hpp"

namespace scalestyle::text {
namespace {

using core::ErrorCode;
using ::testing::HasSubstr;

const support::BytePairModel kModel{.rules = {{"r", "e"}, {"re", "d</w>"}, {"Ġ", "re"}},
                                    .end_of_word = "</w>",
                                    .more = {"<|end|>"}};
const BytePairOptions kOptions{.end_of_word = "</w>", .controls = {"<|end|>", "<|absent|>"}};

core::Result<BytePairFiles> parse(const std::string& vocabulary, const std::string& merges) {
  return parse_byte_pair_files({vocabulary, "model/vocab.json"}, {merges, "model/merges.txt"}, kOptions);
}

void expect_damage(const core::Result<BytePairFiles>& result, const std::string& file, const std::string& part) {
  ASSERT_FALSE(result.has_value()) << part;
  EXPECT_EQ(result.error().code, ErrorCode::kDataLoss) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(part));
  EXPECT_THAT(result.error().message, HasSubstr(file));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ByteAlphabet, SpellsEveryByte) {
  std::string all;
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    append_utf8(byte_alphabet()[static_cast<std::size_t>(byte)], all);
    bytes.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(spelled_bytes(all), bytes);
  EXPECT_EQ(spelled_bytes("ĠredĊ"), " red\n");
  EXPECT_EQ(spelled_bytes("a b"), std::nullopt);
  EXPECT_EQ(spelled_bytes("\u0144"), std::nullopt);
  EXPECT_EQ(spelled_bytes("\xFF"), std::nullopt);
}

TEST(BytePairFiles, ReadsPiecesAndRules) {
  const auto files = parse(kModel.vocab_json(), kModel.merges_txt());
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->byte_ids[' '], ' ');
  EXPECT_EQ(files->last_byte_ids['d'], 256 + 'd');
  ASSERT_EQ(files->merges.size(), 3U);
  EXPECT_EQ(files->merges[1].left, 512);
  EXPECT_EQ(files->merges[1].right, 256 + 'd');
  EXPECT_EQ(files->merges[1].result, 513);
  EXPECT_EQ(files->bytes[513], "red");
  EXPECT_EQ(files->bytes[514], " re");
  EXPECT_EQ(files->bytes[515], "");  // a control stands for no text
}

TEST(BytePairFiles, HeaderAndLastLineBreakAreOptional) {
  EXPECT_TRUE(parse(kModel.vocab_json(), "r e\r\nre d</w>\r\nĠ re"));
}

TEST(BytePairFiles, RefusesDamagedVocabulariesByNameAndPlace) {
  const std::string file = "model/vocab.json";
  const std::string good = kModel.vocab_json();
  const std::string merges = kModel.merges_txt();
  expect_damage(parse("", merges), file, "not JSON");
  expect_damage(parse(good.substr(0, good.size() / 2), merges), file, "not JSON");
  expect_damage(parse("[1]", merges), file, "not a JSON object");
  expect_damage(parse("{}", merges), file, "byte 0 has no piece");
  expect_damage(parse(std::string(100'000, '['), merges), file, "not JSON");
  expect_damage(parse(replaced(good, "\"red</w>\":513", "\"red</w>\":513.5"), merges), file, "\"red</w>\" has no id");
  expect_damage(parse(replaced(good, "\"red</w>\":513", "\"red</w>\":9513"), merges), file, "\"red</w>\" has no id");
  expect_damage(parse(replaced(good, "\"red</w>\":513", "\"red</w>\":512"), merges), file, "id 512 belongs to two pieces");
  expect_damage(parse(replaced(good, "\"Z\":90", "\"ZZ\":90"), merges), file, "byte 90 has no piece \"Z\"");
  expect_damage(parse(replaced(good, "\"Z</w>\":", "\"ZZ</w>\":"), merges), file, "byte 90 has no piece \"Z</w>\"");
  expect_damage(parse(replaced(good, "\"red</w>\"", "\"r d</w>\""), merges), file, "piece 513, \"r d</w>\", is not spelled");
  const std::string long_piece = "\"" + std::string(1025, 'x') + "\"";
  expect_damage(parse(replaced(good, "\"red</w>\"", long_piece), merges), file, "piece 513 has 1025 bytes");
  expect_damage(parse(replaced(good, "\"red</w>\"", "\"\""), merges), file, "piece 513 has 0 bytes");
}

TEST(BytePairFiles, RefusesDamagedRulesByNameAndPlace) {
  const std::string file = "model/merges.txt";
  const std::string good = kModel.vocab_json();
  expect_damage(parse(good, ""), file, "no rule makes piece 512");
  expect_damage(parse(good, "#version: 0.2\nr e\nre d</w>\n"), file, "no rule makes piece 514");
  expect_damage(parse(good, "#version: 0.2\nr e\nre\n"), file, "line 3, \"re\", is not two pieces");
  expect_damage(parse(good, "#version: 0.2\nr e\n\nre d</w>\n"), file, "line 3, \"\", is not two pieces");
  expect_damage(parse(good, "r e x\n"), file, "line 1, \"r e x\", is not two pieces");
  expect_damage(parse(good, "r e\nr  e\n"), file, "line 2");
  expect_damage(parse(good, "r e\nr e\n"), file, "line 2, \"r e\", is the rule of line 1 again");
  expect_damage(parse(good, "r e\nrex d\n"), file, "line 2, \"rex d\", needs \"rex\"");
  expect_damage(parse(good, "r e\nre x\n"), file, "needs \"rex\", which model/vocab.json lacks");
  expect_damage(parse(good, "<|end|> e\n"), file, "line 1, \"<|end|> e\", touches a control token");
  expect_damage(parse(good, "\xFF\xFE e\n"), file, "line 1, \"\uFFFD\uFFFD e\"");
  support::BytePairModel joins = kModel;
  joins.rules.insert(joins.rules.begin(), {{"<", "|"}, {"<|", "end|>"}, {"e", "nd|>"}, {"n", "d|>"}, {"d", "|>"}, {"|", ">"}});
  joins.more = {};
  expect_damage(parse(joins.vocab_json(), joins.merges_txt()), file, "\"<| end|>\", touches a control token");
}

TEST(BytePairFiles, AByteCannotBeAControl) {
  const support::BytePairModel model{.rules = {}};
  const std::string vocabulary = model.vocab_json();
  expect_damage(parse_byte_pair_files({vocabulary, "vocab"}, {"", "merges"}, {.controls = {"a"}}), "vocab",
                "is a byte and a control token");
}

TEST(BytePairFiles, AnyDamageIsRefusedOrHarmless) {
  std::mt19937 random(29);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string vocabulary = kModel.vocab_json();
    std::string merges = kModel.merges_txt();
    std::string& damaged = round % 2 == 0 ? vocabulary : merges;
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    for (std::size_t bytes = 1 + random() % 3; bytes > 0 && !damaged.empty(); --bytes) {
      damaged[random() % damaged.size()] = static_cast<char>(static_cast<unsigned char>(random()));
    }
    const auto files = parse(vocabulary, merges);
    if (!files) {
      ++refused;
      EXPECT_EQ(files.error().code, ErrorCode::kDataLoss);
      EXPECT_THAT(files.error().message, HasSubstr("model/"));
      continue;
    }
    std::vector<TokenId> ids;
    BytePairEncoding::Scratch scratch;
    const BytePairEncoding encoding(*files, kOptions);
    encoding.append_word("red rered", ids, scratch);
    std::string bytes;
    for (const TokenId id : ids) bytes += encoding.bytes(id);
    EXPECT_EQ(bytes, "red rered");
  }
  EXPECT_GT(refused, 300);
}

TEST(BytePairFiles, MissingAndOversizedFiles) {
  const support::TemporaryFolder folder;
  const auto error_of = [&] { return read_byte_pair_files(folder.path(), kOptions).error(); };
  EXPECT_EQ(error_of().code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of().message, HasSubstr("vocab.json"));
  kModel.write(folder.path());
  EXPECT_TRUE(read_byte_pair_files(folder.path(), kOptions));
  std::filesystem::resize_file(folder / "merges.txt", (std::uintmax_t{32} << 20U) + 1);
  EXPECT_EQ(error_of().code, ErrorCode::kResourceExhausted);
  std::filesystem::remove(folder / "merges.txt");
  EXPECT_EQ(error_of().code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of().message, HasSubstr("merges.txt"));
}

}  // namespace
}  // namespace scalestyle::text
