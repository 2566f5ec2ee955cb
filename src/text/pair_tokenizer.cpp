#include "text/pair_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::text {

namespace {

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

PairTokenizer::PairTokenizer(Cutter cutter, Frame frame, std::size_t max_tokens)
    : cutter_(std::move(cutter)), frame_(std::move(frame)), max_tokens_(max_tokens) {}

core::Result<PairTokenizer::Cutter> PairTokenizer::load_cutter(const std::filesystem::path& model_dir, PairFormat format) {
  if (format == PairFormat::kBert) {
    CORE_TRY(WordPieceTokenizer wordpiece, WordPieceTokenizer::load(model_dir, {.match_special_tokens = false}));
    return wordpiece;
  }
  CORE_TRY(UnigramTokenizer unigram, UnigramTokenizer::load(model_dir / "sentencepiece.bpe.model"));
  return unigram;
}

core::Result<PairTokenizer> PairTokenizer::load(const std::filesystem::path& model_dir, PairFormat format,
                                                std::size_t max_tokens) {
  CORE_TRY(Cutter cutter, load_cutter(model_dir, format));
  Frame frame;
  if (const auto* wordpiece = std::get_if<WordPieceTokenizer>(&cutter)) {
    const SpecialTokens& special = wordpiece->special_tokens();
    frame = {{special.classify}, {special.separator}, {special.separator}, true};
  } else {
    constexpr TokenId kSeparator = UnigramTokenizer::kSeparator;
    frame = {{UnigramTokenizer::kBegin}, {kSeparator, kSeparator}, {kSeparator}, false};
  }
  if (max_tokens < frame.tokens()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("max_tokens must leave room for {} control tokens", frame.tokens()), "max_tokens");
  }
  return PairTokenizer(std::move(cutter), std::move(frame), max_tokens);
}

void PairTokenizer::cut(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const {
  ids.clear();
  const std::string_view text = cut_to_bytes(utf8, kMaxTextBytes);
  if (const auto* wordpiece = std::get_if<WordPieceTokenizer>(&cutter_)) {
    wordpiece->append_pieces(text, kMaxTextBytes, ids, scratch.wordpiece);
  } else {
    std::get<UnigramTokenizer>(cutter_).append_pieces(text, ids, scratch.unigram);
  }
}

void PairTokenizer::join(std::span<const TokenId> first, std::span<const TokenId> second, EncodedPair& pair) const {
  const PairLengths lengths = truncate_longest_first(first.size(), second.size(), max_tokens_ - frame_.tokens());
  std::vector<TokenId>& ids = pair.ids;
  const auto append = [&ids](std::span<const TokenId> part) { ids.insert(ids.end(), part.begin(), part.end()); };
  ids.clear();
  append(frame_.begin);
  append(first.first(lengths.first));
  append(frame_.between);
  pair.second_segment = ids.size();
  append(second.first(lengths.second));
  append(frame_.end);
  if (!frame_.two_types) pair.second_segment = ids.size();
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

std::size_t PairTokenizer::vocabulary_size() const {
  return std::visit([](const auto& cutter) { return cutter.vocabulary_size(); }, cutter_);
}

}  // namespace scalestyle::text
