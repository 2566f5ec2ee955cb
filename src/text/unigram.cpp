#include "text/unigram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace scalestyle::text {

namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581 stands for a blank in pieces
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr float kUnknownPenalty = 10.0F;
constexpr TokenId kNoPiece = -1;
constexpr TokenId kPieceOffset = 1;  // of a file's piece in the model's vocabulary: <pad> has come between

std::size_t total_bytes(const SentencePieceModel& model) {
  std::size_t total = 0;
  for (const SentencePieceModel::Piece& piece : model.pieces) total += piece.text.size();
  return total;
}

// Bytes of the well-formed character that `text` (not empty) begins with; 0 when it begins with none. Another rule than
// unicode.hpp's for ill-formed bytes: here each is a character.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t index) { return std::uint32_t{static_cast<unsigned char>(text[index])}; };
  const auto continues = [&](std::size_t count) {
    if (text.size() < count) return false;
    for (std::size_t index = 1; index < count; ++index) {
      if ((byte(index) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  if (byte(0) < 0x80) return 1;
  if ((byte(0) & 0xE0U) == 0xC0U) return continues(2) && byte(0) >= 0xC2 ? 2 : 0;
  if ((byte(0) & 0xF0U) == 0xE0U && continues(3)) {
    const std::uint32_t code = (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    return code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
  }
  if ((byte(0) & 0xF8U) == 0xF0U && continues(4)) {
    const std::uint32_t code =
        (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
    return code >= 0x10000 && code <= 0x10FFFF ? 4 : 0;
  }
  return 0;
}

// Bytes of a character by its first byte alone: normalised text is well-formed where its rules are.
std::size_t lead_bytes(char first) {
  constexpr std::array<std::uint8_t, 16> kLengths = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return kLengths[static_cast<unsigned char>(first) >> 4U];
}

}  // namespace

UnigramTokenizer::UnigramTokenizer(SentencePieceModel model) : model_(std::move(model)), trie_(total_bytes(model_)) {
  float least = std::numeric_limits<float>::max();
  for (std::size_t id = 0; id < model_.pieces.size(); ++id) {
    const SentencePieceModel::Piece& piece = model_.pieces[id];
    scores_.push_back(piece.score);
    if (piece.kind != PieceKind::kNormal) continue;
    least = std::min(least, piece.score);
    trie_.insert(piece.text, static_cast<TokenId>(id));
  }
  unknown_score_ = least - kUnknownPenalty;
  model_.pieces = {};
}

core::Result<UnigramTokenizer> UnigramTokenizer::load(const std::filesystem::path& path) {
  CORE_TRY(SentencePieceModel model, read_sentencepiece_model(path));
  const auto is = [&model](std::size_t id, std::string_view text, PieceKind kind) {
    return model.pieces.size() > id && model.pieces[id].text == text && model.pieces[id].kind == kind;
  };
  const bool begins =
      is(0, "<unk>", PieceKind::kUnknown) && is(1, "<s>", PieceKind::kControl) && is(2, "</s>", PieceKind::kControl);
  const auto unknown = [](const SentencePieceModel::Piece& piece) { return piece.kind == PieceKind::kUnknown; };
  if (!begins || std::ranges::count_if(model.pieces, unknown) != 1) {
    return core::fail(core::ErrorCode::kUnsupported,
                      fmt::format("{}: its pieces must begin with <unk>, <s> and </s>, as XLM-RoBERTa's do", path.string()));
  }
  return UnigramTokenizer(std::move(model));
}

void UnigramTokenizer::normalize(std::string_view utf8, std::string& out) const {
  const std::string_view space = model_.escape_whitespaces ? kSpaceSymbol : " ";
  bool after_space = model_.remove_extra_whitespaces;
  bool begun = false;
  out.clear();
  while (!utf8.empty() && out.size() < kMaxNormalizedBytes) {
    CharacterMap::Match rule = model_.map.longest(utf8);
    if (rule.length == 0) {
      const std::size_t length = character_bytes(utf8);
      rule = length == 0 ? CharacterMap::Match{1, kReplacement} : CharacterMap::Match{length, utf8.substr(0, length)};
    }
    utf8.remove_prefix(rule.length);
    if (!begun) {
      if (model_.remove_extra_whitespaces && rule.replacement == " ") continue;
      if (model_.add_dummy_prefix) out += space;
      begun = true;
    }
    std::string_view text = rule.replacement;
    while (after_space && text.starts_with(' ')) text.remove_prefix(1);
    if (!text.empty()) {
      for (const char character : text) {
        if (character == ' ') {
          out += space;
        } else {
          out += character;
        }
      }
      after_space = text.ends_with(' ');
    }
    if (!model_.remove_extra_whitespaces) after_space = false;
  }
  if (!model_.remove_extra_whitespaces) return;
  while (out.ends_with(space)) out.resize(out.size() - space.size());
}

// Forward over the characters; scratch.best[end] is the best way to a boundary, found before it is left.
void UnigramTokenizer::segment(Scratch& scratch) const {
  const std::string_view text = scratch.normalized;
  scratch.best.assign(text.size() + 1, {});
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t character = std::min(lead_bytes(text[start]), text.size() - start);
    const float before = scratch.best[start].score;
    bool single = false;
    // The library adds in double and keeps floats: the same here, or ties would fall differently.
    const auto offer = [&](std::size_t length, TokenId id, double score) {
      Scratch::Best& target = scratch.best[start + length];
      if (target.start != Scratch::kNone && !(score > static_cast<double>(target.score))) return;
      target = {id, static_cast<float>(score), static_cast<std::int32_t>(start)};
    };
    trie_.for_each_prefix(text.substr(start), [&](std::size_t length, TokenId id) {
      offer(length, id, static_cast<double>(scores_[static_cast<std::size_t>(id)]) + static_cast<double>(before));
      single = single || length == character;
    });
    if (!single) offer(character, kNoPiece, static_cast<double>(unknown_score_ + before));
    start += character;
  }
}

void UnigramTokenizer::append_pieces(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const {
  normalize(utf8, scratch.normalized);
  segment(scratch);
  const std::size_t first = ids.size();
  for (std::size_t end = scratch.normalized.size(); end > 0; end = static_cast<std::size_t>(scratch.best[end].start)) {
    const TokenId piece = scratch.best[end].id;
    const TokenId id = piece == kNoPiece ? kUnknown : piece + kPieceOffset;
    // Unknown characters side by side are one unknown piece.
    if (id == kUnknown && ids.size() > first && ids.back() == id) continue;
    ids.push_back(id);
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
}

}  // namespace scalestyle::text
