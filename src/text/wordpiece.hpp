#pragma once
// WordPiece as Hugging Face's BertTokenizerFast does it (uncased or cased): clean-up, spaces around CJK, accents and
// case removed, words split at blanks and punctuation, greedy longest pieces, [UNK] for a word of more than
// 100 characters or with a part that no piece covers. Token ids equal the reference's on its golden texts.
// Sources: Devlin et al., arXiv 1810.04805; huggingface/tokenizers BertNormalizer, BertPreTokenizer, WordPiece.
//
// Thread safety: const methods may run on any number of threads; each thread has its own Scratch.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::text {

using TokenId = std::int32_t;

struct WordPieceOptions {
  // Tokens of an encoded text, [CLS] and [SEP] included; the rest of the text is cut. At least 2.
  std::size_t max_tokens = 512;
  // Whether "[SEP]" written in a text means the special token, as the reference has it. Off, it is four plain pieces,
  // so that a text cannot speak to the model in its control words.
  bool match_special_tokens = false;
};

struct SpecialTokens {
  TokenId padding = 0;
  TokenId unknown = 0;
  TokenId classify = 0;   // [CLS]
  TokenId separator = 0;  // [SEP]
  TokenId mask = 0;
};

class WordPieceTokenizer {
 public:
  // Buffers that encode() reuses, so that a warm call allocates nothing. One thread at a time.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

   private:
    friend class WordPieceTokenizer;
    struct State;
    std::unique_ptr<State> state_;
  };

  // `path` is a `tokenizer.json`, a `vocab.txt` (one piece a line, uncased), or a folder that holds one of them
  // (`tokenizer.json` first). Truncation and padding pinned in `tokenizer.json` are ignored: `options` rules.
  // Errors: kNotFound; kInvalidArgument for options; kResourceExhausted above 32 MiB; kDataLoss for a damaged file
  // (over 1,000,000 pieces, over 400 bytes a piece, not UTF-8, ids with gaps or twice, a special token missing);
  // kUnsupported for another tokenizer type. Each names the file.
  [[nodiscard]] static core::Result<WordPieceTokenizer> load(const std::filesystem::path& path,
                                                             const WordPieceOptions& options = {});

  WordPieceTokenizer(WordPieceTokenizer&&) noexcept;
  WordPieceTokenizer& operator=(WordPieceTokenizer&&) noexcept;
  ~WordPieceTokenizer();

  // Replaces `ids` by [CLS] pieces [SEP], at most max_tokens. Time linear in the text up to the cut.
  void encode(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const;
  [[nodiscard]] std::vector<TokenId> encode(std::string_view utf8) const;

  // The pieces alone, at most `limit`, appended to `ids`: no special tokens around them.
  void append_pieces(std::string_view utf8, std::size_t limit, std::vector<TokenId>& ids, Scratch& scratch) const;

  [[nodiscard]] const SpecialTokens& special_tokens() const;
  [[nodiscard]] std::size_t vocabulary_size() const;
  [[nodiscard]] std::size_t max_tokens() const;
  // The piece of an id ("##ing"); empty for an id outside the vocabulary.
  [[nodiscard]] std::string_view piece(TokenId id) const;

 private:
  struct Impl;
  explicit WordPieceTokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace scalestyle::text
