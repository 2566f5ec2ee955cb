#pragma once
// A text cut into the words that byte pair encoding works on, by hand and in linear time, as these patterns cut it:
//
//   CLIP   's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+            what is between the matches is dropped
//   Qwen2  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//
// Letters, numbers and white space are those of ICU's Unicode. The reference mixes versions of Unicode, older in its normal
// forms, younger in its letters: it may cut a text with characters of Unicode 10 or later otherwise.
// Source: `tokenizer.json` of openai/clip-vit-base-patch32 and of Qwen/Qwen2-1.5B-Instruct.
//
// Thread safety: free functions without state.

#include <cstddef>
#include <string_view>

namespace scalestyle::text {

// The next word at or behind `position`, which moves behind it; empty at the end of the text. `text` is UTF-8.
[[nodiscard]] std::string_view next_clip_word(std::string_view text, std::size_t& position);
[[nodiscard]] std::string_view next_qwen2_word(std::string_view text, std::size_t& position);

}  // namespace scalestyle::text
