#pragma once
// Byte strings as byte-level vocabularies spell them: every byte is one printable character. Printable Latin-1 characters
// stand for themselves, the 68 other bytes for U+0100 … U+0143 (a blank is "Ġ", a line feed "Ċ").
// Source: openai/gpt-2 src/encoder.py, bytes_to_unicode.
//
// Thread safety: free functions without state.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace scalestyle::text {

// The character that stands for each byte.
[[nodiscard]] const std::array<char32_t, 256>& byte_alphabet();

// The bytes that `spelling` stands for; nothing when a character of it stands for no byte.
[[nodiscard]] std::optional<std::string> spelled_bytes(std::string_view spelling);

}  // namespace scalestyle::text
