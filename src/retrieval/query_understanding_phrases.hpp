#pragma once
// PhraseTable: from phrases to what they mean, longest match first; and how a value of the catalogue is read as phrases.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "retrieval/query_understanding_words.hpp"
#include "retrieval/understood_query.hpp"

namespace scalestyle::retrieval {

inline constexpr std::size_t kMaxValueWords = 12;

// Credit of what is only akin to what a word says: the family of a colour, a T-shirt for "top".
inline constexpr float kPartCredit = 0.5F;

// What a phrase means.
struct Sense {
  PieceKind kind = PieceKind::kColour;
  std::string name{};                  // the last part of a piece's id
  std::vector<MatchedValue> values{};  // sorted as UnderstoodPiece::values
  AudienceSet audience{};
  AudienceSet tolerated{};
  float confidence = 1;           // in (0, 1]: share of the articles so called that have one of the values
  bool certain = true;            // a value's own name: may exclude
  bool excludes_akin = false;     // an exclusion takes the values of part credit too: "not blue"
  bool only_before_colour = false;  // "bright" is a shade in "bright red" alone
  std::vector<std::string> surfaces{};  // of a single word: spellings that are a value's own
};

// A value as shoppers would write it. "Hat/beanie" is two phrases, "Hair/alice band" is "hair band" and "alice band".
struct ValuePhrase {
  std::vector<std::string> forms{};
  std::vector<std::string> surfaces{};
  bool hyphenated_end = false;  // the last word is half of a word: "T-shirt" is no kind of "shirt"
};

// The phrases of a value; none for a placeholder ("Unknown"), for single letters and bare numbers, and for more than
// kMaxValueWords words. "&" and commas between its parts make phrases of their own.
[[nodiscard]] std::vector<ValuePhrase> value_phrases(std::string_view value);

// Immutable once filled. Look-ups are linear in the words they read, at most the longest phrase.
class PhraseTable {
 public:
  struct Match {
    const Sense* sense = nullptr;
    std::size_t words = 0;
  };

  // Keeps what the phrase meant before, when it has a meaning; says whether `sense` was taken.
  bool add(std::span<const std::string> forms, Sense sense);
  bool add(const std::string& form, Sense sense) { return add(std::span(&form, 1), std::move(sense)); }

  [[nodiscard]] const Sense* find(std::span<const std::string> forms) const;
  [[nodiscard]] const Sense* find(const std::string& form) const { return find(std::span(&form, 1)); }

  // The longest phrase that begins at words[first].
  [[nodiscard]] std::optional<Match> longest(std::span<const QueryWord> words, std::size_t first) const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  [[nodiscard]] std::uint32_t next(std::uint32_t node, const std::string& form) const;

  std::unordered_map<std::string, std::uint32_t> words_;
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node << 32 | word → node
  std::vector<std::uint32_t> sense_of_node_{kNone};         // node 0 is the root
  std::vector<Sense> senses_;
};

}  // namespace scalestyle::retrieval
