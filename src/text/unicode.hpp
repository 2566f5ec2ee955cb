#pragma once
// Unicode in UTF-8: decoding, classes and normal forms, by ICU.
//
// Malformed UTF-8 is never an error here: each ill-formed byte sequence reads as U+FFFD (Unicode 15, section 3.9,
// "substitution of maximal subparts"), so every byte string has one meaning.
// Thread safety: free functions without state.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::text {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

// The code point that starts at `position` (< text.size()); moves `position` behind it, by at least one byte.
[[nodiscard]] char32_t next_code_point(std::string_view text, std::size_t& position);

// Appends `code_point` in UTF-8; a surrogate or a value above U+10FFFF becomes U+FFFD.
void append_utf8(char32_t code_point, std::string& out);

[[nodiscard]] bool is_valid_utf8(std::string_view text);

// Bytes at the end of `text` (0 to 3) that begin a character whose rest may still come.
[[nodiscard]] std::size_t incomplete_suffix(std::string_view text);

// kNfkcCasefold also folds case fully (ß is ss) and drops what is ignorable by default (soft hyphens, joiners).
enum class NormalForm : std::uint8_t { kNfc, kNfd, kNfkc, kNfkd, kNfkcCasefold };

// `text` in the given normal form. Errors: kResourceExhausted above 2^30 bytes. Time n log n, however the combining marks
// of a hostile text are ordered, except for kNfkcCasefold: quadratic in the length of a run of marks.
[[nodiscard]] core::Result<std::string> normalize(std::string_view text, NormalForm form);

// Lower case without accents: canonical decomposition, nonspacing marks dropped, simple lower case of each
// code point. "Crème BRÛLÉE" gives "creme brulee". Linear in the length of any text.
[[nodiscard]] std::string fold_case_and_accents(std::string_view text);

// Full canonical decomposition of one code point into `parts`; returns how many (at least 1).
inline constexpr std::size_t kMaxDecomposition = 8;
[[nodiscard]] std::size_t decompose(char32_t code_point, std::span<char32_t, kMaxDecomposition> parts);
[[nodiscard]] std::uint8_t combining_class(char32_t code_point);
[[nodiscard]] char32_t to_lower(char32_t code_point);

[[nodiscard]] bool is_letter_or_digit(char32_t code_point);
[[nodiscard]] bool is_digit(char32_t code_point);
[[nodiscard]] bool is_letter(char32_t code_point);       // general category L
[[nodiscard]] bool is_number(char32_t code_point);       // general category N: digits, fractions, Roman numerals, …
[[nodiscard]] bool is_white_space(char32_t code_point);  // property White_Space
// The script is written without blanks between words (ideographs, kana, Thai, …), so no blank ends a word.
[[nodiscard]] bool is_of_unspaced_script(char32_t code_point);

// Classes as BERT's basic tokenizer sees them (code points outside ASCII by their Unicode 8 general category).
[[nodiscard]] bool is_nonspacing_mark(char32_t code_point);
[[nodiscard]] bool is_bert_whitespace(char32_t code_point);
[[nodiscard]] bool is_bert_control(char32_t code_point);      // dropped by its clean-up; NUL and U+FFFD too
[[nodiscard]] bool is_bert_punctuation(char32_t code_point);  // a word of its own
[[nodiscard]] bool is_cjk_ideograph(char32_t code_point);     // a word of its own; not kana, not Hangul

}  // namespace scalestyle::text
