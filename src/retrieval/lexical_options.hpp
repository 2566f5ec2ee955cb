#pragma once
// The fields that lexical search reads, and how much each counts.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::retrieval {

enum class LexicalField : std::uint8_t {
  kName,
  kType,
  kGroup,
  kAppearance,
  kColour,
  kColourValue,
  kColourFamily,
  kDepartment,
  kSection,
  kGarmentGroup,
  kIndex,
  kIndexGroup,
  kDescription,
};
inline constexpr std::size_t kLexicalFieldCount = 13;

[[nodiscard]] const std::array<LexicalField, kLexicalFieldCount>& all_lexical_fields();
[[nodiscard]] std::string_view to_string(LexicalField field);  // "name", "type", "colour_family" …

// BM25F (Robertson, Zaragoza & Taylor 2004; Robertson & Zaragoza 2009, section 3.6): a term's occurrences are weighted
// and length-normalised field by field, added, and only their sum is saturated:
//   tf = Σ_fields weight · count / (1 − b + b · length / average length)
//   score of a term = ln(1 + (N − n + ½) / (n + ½)) ^ idf_exponent · tf / (k1 + tf)
// Five classes of fields instead of thirteen weights: few numbers carry over to other catalogues. The defaults, and how
// they were found: docs/decisions/0011-lexical-index.md.
struct LexicalOptions {
  float name_weight = 1.0F;
  float type_weight = 3.0F;         // product type
  float colour_weight = 1.0F;       // colour, its family
  float category_weight = 0.5F;     // group, department, section, garment group, index, index group, appearance, colour value
  float description_weight = 0.25F;
  float k1 = 4.0F;
  float text_length_b = 0.75F;      // of name and description
  float attribute_length_b = 0.5F;  // of the others
  float idf_exponent = 0.5F;        // 1 is plain BM25F; less lets rare words, often invented names, count for less

  [[nodiscard]] float weight(LexicalField field) const;
  [[nodiscard]] float length_b(LexicalField field) const;

  // kInvalidArgument with the option as field: a weight not in 0 … 100, all weights 0, k1 not in 0.01 … 10, b not in 0 … 1.
  [[nodiscard]] core::Status validate() const;
};

// What is done with a query beyond looking its words up. A word's own matches weigh 1.
struct LexicalQueryOptions {
  bool correct = true;          // typos, of the first eight words that need it
  bool expand_prefix = true;    // of the last word
  bool join_words = true;       // "sweat shirt" finds "sweatshirt", "sweatshirtdress" its parts

  float stem_weight = 0.9F;     // another form of the word ("shirts" for "shirt")
  float compound_weight = 0.9F; // another spelling of a compound
  float synonym_weight = 0.9F;
  float prefix_weight = 0.7F;
  float correction_weight = 0.7F;   // one edit; squared for two

  std::uint32_t rare_articles = 3;      // a word in at most so many articles may be a typo or unfinished
  std::uint32_t correction_ratio = 10;  // … and what it is replaced by must be in so many times more
  std::size_t max_corrections = 3;      // each word
  std::size_t max_expansions = 16;

  // kInvalidArgument with the option as field: a weight not in 0 … 1, or a count above 64.
  [[nodiscard]] core::Status validate() const;
};

inline constexpr std::size_t kMaxQueryBytes = 4096;
inline constexpr std::size_t kMaxQueryWords = 32;

}  // namespace scalestyle::retrieval
