#include "text/pair_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::text {

namespace {

constexpr std::size_t kBertControls = 3;

std::string_view cut_to_bytes(std::string_view utf8, std::size_t limit) {
  if (utf8.size() <= limit) return utf8;
  const auto is_continuation = [utf8](std::size_t at) { return (static_cast<unsigned char>(utf8[at]) & 0xC0U) == 0x80U; };
  std::size_t end = limit;
  while (end > limit - 3 && is_continuation(end)) --end;
  return utf8.substr(0, end);
}

}  // namespace

PairLengths truncate_longest_first(std::size_t first, std::size_t second, std::size_t room) {
  if (first + second <= room) return {first, second};
  const bool first_is_longer = first > second;
  std::size_t shorter = std::min(first, second);
  std::size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return first_is_longer ? PairLengths{longer, shorter} : PairLengths{shorter, longer};
}

PairTokenizer::PairTokenizer(WordPieceTokenizer tokenizer, std::size_t max_tokens)
    : wordpiece_(std::move(tokenizer)), max_tokens_(max_tokens) {}

core::Result<PairTokenizer> PairTokenizer::load(const std::filesystem::path& model_dir, PairFormat /*format*/,
                                                std::size_t max_tokens) {
  if (max_tokens < kBertControls) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("max_tokens must leave room for {} control tokens", kBertControls), "max_tokens");
  }
  CORE_TRY(WordPieceTokenizer tokenizer, WordPieceTokenizer::load(model_dir, {.match_special_tokens = false}));
  return PairTokenizer(std::move(tokenizer), max_tokens);
}

void PairTokenizer::cut(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const {
  ids.clear();
  wordpiece_.append_pieces(cut_to_bytes(utf8, kMaxTextBytes), kMaxTextBytes, ids, scratch.wordpiece);
}

void PairTokenizer::join(std::span<const TokenId> first, std::span<const TokenId> second, EncodedPair& pair) const {
  const SpecialTokens& special = wordpiece_.special_tokens();
  const PairLengths lengths = truncate_longest_first(first.size(), second.size(), max_tokens_ - kBertControls);
  std::vector<TokenId>& ids = pair.ids;
  ids.assign(1, special.classify);
  ids.insert(ids.end(), first.begin(), first.begin() + static_cast<std::ptrdiff_t>(lengths.first));
  ids.push_back(special.separator);
  pair.second_segment = ids.size();
  ids.insert(ids.end(), second.begin(), second.begin() + static_cast<std::ptrdiff_t>(lengths.second));
  ids.push_back(special.separator);
}

EncodedPair PairTokenizer::encode(std::string_view first, std::string_view second) const {
  Scratch scratch;
  std::vector<TokenId> first_ids;
  std::vector<TokenId> second_ids;
  cut(first, first_ids, scratch);
  cut(second, second_ids, scratch);
  EncodedPair pair;
  join(first_ids, second_ids, pair);
  return pair;
}

std::size_t PairTokenizer::vocabulary_size() const { return wordpiece_.vocabulary_size(); }

}  // namespace scalestyle::text
