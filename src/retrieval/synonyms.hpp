#pragma once
// Synonyms, from a text file:
//   # a comment
//   jumper, sweater, pullover        two-way: a query with any of them finds the others too
//   tee => t-shirt, top              one-way: a query for "tee" finds the others too, not the other way round
// A phrase may have several words. Phrases are compared by their stems, in any spelling of a compound, so a rule for
// "t-shirt" acts on "T Shirts" as well. Rules do not chain. Immutable: to reload, parse again and swap the object.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::retrieval {

inline constexpr std::size_t kMaxSynonymFileBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxSynonymRules = 10'000;  // lines that are rules
inline constexpr std::size_t kMaxSynonymPhrases = 16;    // of one rule
inline constexpr std::size_t kMaxSynonymWords = 6;       // of one phrase

// What a query's words are when a rule is looked for: the stem of each word, and of the compound that starts there.
struct SynonymPosition {
  std::string stem;
  std::string compound_stem{};  // empty where none starts
  std::size_t compound_words = 0;
};

struct SynonymMatch {
  std::size_t words = 0;                 // of the query, from where it was looked for; 0: nothing
  std::vector<std::string_view> phrases;  // what they also mean; in the order of the file, each once
};

// Safe to read from any thread.
class SynonymTable {
 public:
  SynonymTable() = default;

  // `name` appears in errors. kInvalidArgument, naming the line: an empty phrase or one without words, more than
  // one "=>", a line with one phrase only, too many phrases or words, text that is not UTF-8; too many rules or bytes.
  [[nodiscard]] static core::Result<SynonymTable> parse(std::string_view text, std::string_view name);
  // The same of a file; kNotFound and the like when it cannot be read.
  [[nodiscard]] static core::Result<SynonymTable> read(const std::filesystem::path& path);

  [[nodiscard]] std::size_t rule_count() const { return rule_count_; }
  [[nodiscard]] bool empty() const { return rule_count_ == 0; }

  // The rules for the longest phrase that starts at the first position.
  [[nodiscard]] SynonymMatch match(std::span<const SynonymPosition> positions) const;

 private:
  struct Meaning {
    std::vector<std::string> stems;  // of the phrase, a compound as one word or as its parts
    std::vector<std::string> phrases;
  };
  class Parser;

  std::map<std::string, std::vector<Meaning>, std::less<>> by_first_stem_;
  std::size_t rule_count_ = 0;
};

}  // namespace scalestyle::retrieval
