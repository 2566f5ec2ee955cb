#pragma once
// WordFinder: where words of a query stand in a text, in the form that the text has. A word is found as search finds it: folded
// and stemmed (text/words.hpp, text/english_stemmer.hpp), whole words only.

#include <bitset>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/english_stemmer.hpp"

namespace scalestyle::search {

struct QueryWord {
  std::string folded{};
  std::string stem{};

  friend bool operator==(const QueryWord&, const QueryWord&) = default;
};

inline constexpr std::size_t kMaxNamedWords = 12;

// The words of a query that are worth naming, in its order: no stop words, no single characters, none twice by its stem; the
// first kMaxNamedWords.
[[nodiscard]] std::vector<QueryWord> words_worth_naming(std::string_view query);

// Not thread-safe; costs an allocation or two to make, some nanoseconds a byte of text to use.
class WordFinder {
 public:
  // `words` must outlive the finder.
  explicit WordFinder(std::span<const QueryWord> words);

  // Looks for the words whose entry of `found` (one a word) is empty, and sets it to the first word of `text` that is one:
  // bytes of `text`, which may be any.
  void find(std::string_view text, std::span<std::string_view> found);

 private:
  void compare(std::string_view run, bool is_ascii, std::span<std::string_view> found);

  std::span<const QueryWord> words_;
  std::bitset<256> beginnings_;  // first bytes of words that a text may have one of, in either case; all beyond ASCII
  std::optional<text::EnglishStemmer> stemmer_;  // none: whole words are compared
  std::string folded_;
};

}  // namespace scalestyle::search
