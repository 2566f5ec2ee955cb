#pragma once
// What a SentencePiece model file (`sentencepiece.bpe.model`, a protocol-buffer ModelProto) says, checked: pieces,
// scores, and the rules that normalise a text. Unigram models without byte fallback and user-defined symbols, as
// XLM-RoBERTa's is.
// Sources: Kudo, arXiv 1804.10959; google/sentencepiece src/sentencepiece_model.proto, src/normalizer.cc.
//
// Thread safety: immutable once parsed.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::text {

// Replacement rules "longest prefix of the text → other text", compiled by SentencePiece into a double-array trie.
class CharacterMap {
 public:
  CharacterMap() = default;  // no rule
  // `blob`: 4 bytes of trie length, the trie's units, then the replacements, each ended by a zero byte.
  // Errors: kDataLoss, naming the file `name`.
  [[nodiscard]] static core::Result<CharacterMap> parse(std::string_view blob, const std::string& name);

  struct Match {
    std::size_t length = 0;  // bytes of the text; 0: no rule
    std::string_view replacement;
  };
  [[nodiscard]] Match longest(std::string_view text) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

enum class PieceKind : std::uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencePieceModel {
  struct Piece {
    std::string text;
    float score = 0;
    PieceKind kind = PieceKind::kNormal;
  };
  std::vector<Piece> pieces;  // by id
  CharacterMap map;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

// `name` is what errors call the file. Errors: kDataLoss for a damaged file (over 1,000,000 pieces, over 400 bytes a
// piece, a piece twice, a score that is not finite); kUnsupported for a kind of model that is not known here.
[[nodiscard]] core::Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes, const std::string& name);

// The same from a file. Also kNotFound; kResourceExhausted above 32 MiB.
[[nodiscard]] core::Result<SentencePieceModel> read_sentencepiece_model(const std::filesystem::path& path);

}  // namespace scalestyle::text
