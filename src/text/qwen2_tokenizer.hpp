#pragma once
// The tokenizer of Qwen2: normal form C, Qwen2's words, byte pair encoding over bytes, and its chat markup (ChatML).
// Ids equal those of Hugging Face's Qwen2TokenizerFast, but for control tokens written in a text: they are plain characters
// here, so that a text cannot close its message and open one of another role.
// Source: Yang et al., arXiv 2407.10671; `tokenizer.json`, `tokenizer_config.json` of Qwen/Qwen2-1.5B-Instruct.
//
// Thread safety: const methods may run on any number of threads.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "text/byte_pair_encoding.hpp"
#include "text/qwen2_config.hpp"

namespace scalestyle::text {

class Qwen2Tokenizer {
 public:
  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20U;  // of a text, and of all messages of a chat together
  static constexpr std::size_t kMaxMessages = 1000;

  // `model_dir` holds `vocab.json`, `merges.txt` and `tokenizer_config.json`. Errors: those of read_byte_pair_files and
  // read_qwen2_config; kDataLoss when the two disagree about a token.
  [[nodiscard]] static core::Result<Qwen2Tokenizer> load(const std::filesystem::path& model_dir);

  // The tokens of a text, never a control token among them. Time n log n in the text. Errors: kInvalidArgument when it is
  // not UTF-8 or has more than kMaxTextBytes.
  [[nodiscard]] core::Result<std::vector<std::int32_t>> encode(std::string_view text) const;

  // Appends the bytes a token stands for, which may begin or end inside a character (Utf8Pieces puts them together);
  // control tokens and ids that no token has give none.
  void append_bytes(std::int32_t token, std::string& bytes) const;

  // Whether the model ends its answer with this token: <|im_end|> or <|endoftext|>.
  [[nodiscard]] bool is_end(std::int32_t token) const;

  struct Message {
    std::string_view role;  // "system", "user" or "assistant"
    std::string_view text;
  };
  // The chat as the model's own template writes it, the answer of the assistant begun:
  //   <|im_start|>ROLE\nTEXT<|im_end|>\n … <|im_start|>assistant\n
  // with the template's system message before it when the first message is of another role. Errors: kInvalidArgument for
  // no message, more than kMaxMessages, another role, more than kMaxTextBytes, and text that is not UTF-8.
  [[nodiscard]] core::Result<std::vector<std::int32_t>> chat(std::span<const Message> messages) const;

  // Ids are below it. A model may have more rows of logits: no token belongs to those.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  Qwen2Tokenizer(BytePairEncoding encoding, Qwen2Config config);
  [[nodiscard]] core::Status append_text(std::string_view text, std::vector<TokenId>& ids,
                                         BytePairEncoding::Scratch& scratch) const;

  BytePairEncoding encoding_;
  Qwen2Config config_;
  std::unordered_map<TokenId, std::string> added_bytes_;  // of added tokens that are no controls
  std::size_t size_;
};

}  // namespace scalestyle::text
