#pragma once
// The tokenizer of CLIP's text tower: normal form C, lower case, words cut at blanks, each digit alone, byte pair encoding
// with "</w>" at the end of a word. Ids equal those of Hugging Face's CLIPTokenizerFast, but for control tokens written in
// a text: they are plain characters here, so that a text cannot speak to the model in its control words.
// Source: Radford et al., arXiv 2103.00020; `tokenizer.json` of openai/clip-vit-base-patch32.
//
// Thread safety: const methods may run on any number of threads.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "text/byte_pair_encoding.hpp"

namespace scalestyle::text {

class ClipTokenizer {
 public:
  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20U;

  // `model_dir` holds `vocab.json` and `merges.txt`. Errors: those of read_byte_pair_files; kDataLoss when the vocabulary
  // lacks <|startoftext|> or <|endoftext|>.
  [[nodiscard]] static core::Result<ClipTokenizer> load(const std::filesystem::path& model_dir);

  // <|startoftext|> pieces <|endoftext|>, at most `max_tokens`: the rest of the text is cut, the last token is always the
  // end of text. Time n log n in the text. Errors: kInvalidArgument when `text` is not UTF-8 or has more than
  // kMaxTextBytes, and when max_tokens is below 2.
  [[nodiscard]] core::Result<std::vector<std::int32_t>> encode(std::string_view text, std::size_t max_tokens) const;

  [[nodiscard]] std::int32_t start_token() const { return start_; }
  [[nodiscard]] std::int32_t end_token() const { return end_; }
  [[nodiscard]] std::size_t size() const { return encoding_.size(); }  // ids are below it

 private:
  ClipTokenizer(BytePairEncoding encoding, TokenId start, TokenId end);

  BytePairEncoding encoding_;
  TokenId start_;
  TokenId end_;
};

}  // namespace scalestyle::text
