#include "text/byte_pair_encoding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/byte_pair_model.hpp"

namespace scalestyle::text {
namespace {

using Ids = std::vector<TokenId>;

BytePairFiles files_of(const support::BytePairModel& model) {
  const BytePairOptions options{.end_of_word = model.end_of_word};
  const std::string vocabulary = model.vocab_json();
  const std::string merges = model.merges_txt();
  auto files = parse_byte_pair_files({vocabulary, "vocab"}, {merges, "merges"}, options);
  EXPECT_TRUE(files) << files.error().message;
  return files ? std::move(*files) : BytePairFiles{};
}

Ids encode(const BytePairEncoding& encoding, std::string_view word) {
  Ids ids;
  BytePairEncoding::Scratch scratch;
  encoding.append_word(word, ids, scratch);
  return ids;
}

// The definition itself: look for the strongest pair, the leftmost of equals, join it, look again.
Ids by_definition(const BytePairFiles& files, std::string_view word) {
  std::map<std::pair<TokenId, TokenId>, std::pair<std::size_t, TokenId>> rules;
  for (std::size_t rank = 0; rank < files.merges.size(); ++rank) {
    rules[{files.merges[rank].left, files.merges[rank].right}] = {rank, files.merges[rank].result};
  }
  Ids ids;
  for (std::size_t index = 0; index < word.size(); ++index) {
    const auto byte = static_cast<unsigned char>(word[index]);
    ids.push_back(index + 1 == word.size() ? files.last_byte_ids[byte] : files.byte_ids[byte]);
  }
  while (true) {
    auto best = rules.end();
    std::size_t place = 0;
    for (std::size_t index = 0; index + 1 < ids.size(); ++index) {
      const auto rule = rules.find({ids[index], ids[index + 1]});
      if (rule != rules.end() && (best == rules.end() || rule->second.first < best->second.first)) {
        best = rule;
        place = index;
      }
    }
    if (best == rules.end()) return ids;
    ids[place] = best->second.second;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

// A random model over few letters, so that rules overlap and compete.
support::BytePairModel random_model(std::mt19937& random, const std::string& end_of_word) {
  support::BytePairModel model{.rules = {}, .end_of_word = end_of_word};
  std::vector<std::string> pieces = {"a", "b", "c"};
  if (!end_of_word.empty()) pieces.insert(pieces.end(), {"a" + end_of_word, "b" + end_of_word});
  while (model.rules.size() < 30) {
    const std::string left = pieces[random() % pieces.size()];
    const std::string right = pieces[random() % pieces.size()];
    const std::string result = left + right;
    if (!end_of_word.empty() && left.ends_with(end_of_word)) continue;
    if (std::ranges::find(pieces, result) != pieces.end() || result.size() > 20) continue;
    model.rules.emplace_back(left, right);
    pieces.push_back(result);
  }
  return model;
}

TEST(BytePairEncoding, JoinsAsTheDefinitionSays) {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    const BytePairFiles files = files_of(random_model(random, round % 2 == 0 ? "" : "</w>"));
    const BytePairEncoding encoding(files, {});
    BytePairEncoding::Scratch scratch;
    for (int words = 0; words < 40; ++words) {
      std::string word(random() % 40, 'a');
      for (char& letter : word) letter = static_cast<char>('a' + random() % 3);
      Ids ids;
      encoding.append_word(word, ids, scratch);
      ASSERT_EQ(ids, by_definition(files, word)) << word;
    }
  }
}

TEST(BytePairEncoding, TheLeftmostOfEqualPairsComesFirst) {
  const BytePairEncoding encoding(files_of({.rules = {{"a", "a"}}}), {});
  EXPECT_EQ(encode(encoding, "aaa"), (Ids{256, 'a'}));
  EXPECT_EQ(encode(encoding, ""), Ids{});
  EXPECT_EQ(encode(encoding, "a"), Ids{'a'});
}

TEST(BytePairEncoding, AnyBytesAreTokensAndBack) {
  const BytePairEncoding encoding(files_of({.rules = {{"a", "a"}, {"aa", "b"}, {"Ā", "Ā"}}}), {});
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string word(random() % 50, '\0');
    for (char& byte : word) {
      byte = random() % 2 == 0 ? "ab\0"[random() % 3] : static_cast<char>(static_cast<unsigned char>(random()));
    }
    std::string back;
    for (const TokenId id : encode(encoding, word)) back += encoding.bytes(id);
    ASSERT_EQ(back, word);
  }
  EXPECT_EQ(encoding.bytes(-1), "");
  EXPECT_EQ(encoding.bytes(static_cast<TokenId>(encoding.size())), "");
  EXPECT_EQ(encoding.control("a"), std::nullopt);
}

// Quadratic work on a million letters would take minutes.
TEST(BytePairEncoding, LongWordsOfOneLetter) {
  support::BytePairModel model;
  std::string piece = "a";
  for (int rule = 0; rule < 7; ++rule, piece += piece) model.rules.emplace_back(piece, piece);
  const BytePairEncoding encoding(files_of(model), {});
  constexpr TokenId kLongest = 256 + 6;  // 128 letters
  const Ids ids = encode(encoding, std::string((std::size_t{1} << 20U) + 3, 'a'));
  ASSERT_EQ(ids.size(), (std::size_t{1} << 13U) + 2);
  EXPECT_EQ(ids.front(), kLongest);
  EXPECT_EQ(ids[ids.size() - 2], 256);
  EXPECT_EQ(ids.back(), 'a');
}

}  // namespace
}  // namespace scalestyle::text
