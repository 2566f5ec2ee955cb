#pragma once
// Two texts as the one input of a cross-encoder, in the form its model was trained on:
//
//   BERT          [CLS] first [SEP] second [SEP]      token types 0 … 0 1 … 1
//   XLM-RoBERTa   <s> first </s></s> second </s>      one token type
//
// Texts are cut to pieces one by one, so that a query is cut once for all its documents, and joined afterwards. Control
// tokens written in a text are plain characters: a text cannot speak to the model in its control words. Ids, types and
// truncation ("longest_first") equal those of Hugging Face's fast tokenizers otherwise.
//
// Thread safety: const methods may run on any number of threads; each thread has its own Scratch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "text/unigram.hpp"
#include "text/wordpiece.hpp"

namespace scalestyle::text {

enum class PairFormat : std::uint8_t { kBert, kXlmRoberta };

struct EncodedPair {
  std::vector<TokenId> ids;
  std::size_t second_segment = 0;  // the first token of type 1; ids.size() where the model has one type
};

// How many pieces of two texts remain in `room`: none is cut where both fit; else the longer one alone, as long as it
// stays the longer one; else both get half, the longer one the odd piece.
struct PairLengths {
  std::size_t first = 0;
  std::size_t second = 0;
};
[[nodiscard]] PairLengths truncate_longest_first(std::size_t first, std::size_t second, std::size_t room);

class PairTokenizer {
 public:
  // What is read of a text: far more than a model takes, and little enough for a hostile one to cost milliseconds.
  static constexpr std::size_t kMaxTextBytes = std::size_t{16} << 10U;

  struct Scratch {
    WordPieceTokenizer::Scratch wordpiece;
    UnigramTokenizer::Scratch unigram;
  };

  // `model_dir` holds tokenizer.json or vocab.txt (BERT), or sentencepiece.bpe.model (XLM-RoBERTa). `max_tokens`: of a
  // pair, control tokens included. Errors: those of WordPieceTokenizer::load or UnigramTokenizer::load;
  // kInvalidArgument when max_tokens has no room for control tokens.
  [[nodiscard]] static core::Result<PairTokenizer> load(const std::filesystem::path& model_dir, PairFormat format,
                                                        std::size_t max_tokens);

  // Replaces `ids` by the pieces of one text's first kMaxTextBytes bytes.
  void cut(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const;

  // Replaces `pair` by two texts' pieces with control tokens, at most max_tokens.
  void join(std::span<const TokenId> first, std::span<const TokenId> second, EncodedPair& pair) const;

  // Both steps.
  [[nodiscard]] EncodedPair encode(std::string_view first, std::string_view second) const;

  // Ids are below it.
  [[nodiscard]] std::size_t vocabulary_size() const;
  [[nodiscard]] std::size_t max_tokens() const { return max_tokens_; }

 private:
  using Cutter = std::variant<WordPieceTokenizer, UnigramTokenizer>;
  // The control tokens around two texts.
  struct Frame {
    std::vector<TokenId> begin;
    std::vector<TokenId> between;
    std::vector<TokenId> end;
    bool two_types = false;
    [[nodiscard]] std::size_t tokens() const { return begin.size() + between.size() + end.size(); }
  };
  PairTokenizer(Cutter cutter, Frame frame, std::size_t max_tokens);
  [[nodiscard]] static core::Result<Cutter> load_cutter(const std::filesystem::path& model_dir, PairFormat format);

  Cutter cutter_;
  Frame frame_;
  std::size_t max_tokens_;
};

}  // namespace scalestyle::text
