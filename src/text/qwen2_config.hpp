#pragma once
// What `tokenizer_config.json` of a Qwen2 model says: the tokens beside its vocabulary, and the system message that its
// chat template puts before a chat which has none.
//
// Thread safety: immutable once read.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "text/wordpiece.hpp"

namespace scalestyle::text {

struct Qwen2Config {
  struct AddedToken {
    TokenId id = 0;
    std::string text;
    bool control = true;  // "special": it stands for no text
  };
  std::vector<AddedToken> added;  // by ascending id
  TokenId end_of_text = 0;        // <|endoftext|>
  TokenId message_start = 0;      // <|im_start|>
  TokenId message_end = 0;        // <|im_end|>
  std::string default_system;
};

// `name` is what errors call the file. Errors: kDataLoss, naming file and key, for a damaged file (not JSON, an id that is
// no number below 1,000,000, a token twice, one of the three controls missing or not special, no chat template);
// kUnsupported for another kind of tokenizer and for a chat template other than Qwen2's.
[[nodiscard]] core::Result<Qwen2Config> parse_qwen2_config(std::string_view bytes, const std::string& name);

// The same from a file. Also kNotFound; kResourceExhausted above 4 MiB.
[[nodiscard]] core::Result<Qwen2Config> read_qwen2_config(const std::filesystem::path& path);

}  // namespace scalestyle::text
