#pragma once
// SentencePiece's unigram tokenizer with the ids of XLM-RoBERTa (fairseq's: <s> 0, <pad> 1, </s> 2, <unk> 3, and each
// piece of the model file one higher than there): normalise by the model's own rules, then the segmentation with the
// greatest sum of scores. Ids equal those of the SentencePiece library, bit for bit of its float arithmetic.
//
// Not the library itself: its shared object exports the protocol-buffer runtime it carries, which clashes with that of
// any other library in the process (docs/decisions/0012-cross-encoders.md).
// Source: Kudo, arXiv 1804.10959; google/sentencepiece src/unigram_model.cc, src/normalizer.cc.
//
// Thread safety: const methods may run on any number of threads; each thread has its own Scratch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "text/piece_trie.hpp"
#include "text/sentencepiece_model.hpp"
#include "text/wordpiece.hpp"

namespace scalestyle::text {

class UnigramTokenizer {
 public:
  static constexpr TokenId kBegin = 0;      // <s>
  static constexpr TokenId kSeparator = 2;  // </s>
  static constexpr TokenId kUnknown = 3;    // <unk>

  // Buffers that append_pieces() reuses, so that a warm call allocates nothing. One thread at a time.
  class Scratch {
    friend class UnigramTokenizer;
    // The best segmentation of what lies before a byte, by its last piece.
    struct Best {
      TokenId id = 0;
      float score = 0;
      std::int32_t start = kNone;
    };
    static constexpr std::int32_t kNone = -1;
    std::string normalized;
    std::vector<Best> best;
  };

  // `path` is a SentencePiece model file. Errors: those of read_sentencepiece_model; kUnsupported when its first pieces
  // are not <unk>, <s> and </s>.
  [[nodiscard]] static core::Result<UnigramTokenizer> load(const std::filesystem::path& path);

  // Appends the pieces of `utf8`; control tokens written in it are plain characters, ill-formed bytes U+FFFD each.
  // Time and memory linear in the text; of a normalised text only the first kMaxNormalizedBytes are read.
  static constexpr std::size_t kMaxNormalizedBytes = std::size_t{64} << 10U;
  void append_pieces(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const;

  // Ids are below it: the file's pieces, <pad> and <mask>.
  [[nodiscard]] std::size_t vocabulary_size() const { return scores_.size() + 2; }

 private:
  explicit UnigramTokenizer(SentencePieceModel model);
  void normalize(std::string_view utf8, std::string& out) const;
  void segment(Scratch& scratch) const;

  SentencePieceModel model_;  // its pieces' texts are in trie_
  PieceTrie trie_;
  std::vector<float> scores_;
  float unknown_score_ = 0;
};

}  // namespace scalestyle::text
