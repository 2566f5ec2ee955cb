#pragma once
// English word stems: Snowball's "english" algorithm (Porter 2, snowballstem.org), and a short list of plurals that it
// does not know ("women" and "woman" have one stem).

#include <memory>
#include <string_view>

#include "core/result.hpp"

struct sb_stemmer;

namespace scalestyle::text {

// Not thread-safe; cheap to make, so each thread or query makes its own.
class EnglishStemmer {
 public:
  // kInternal when the library cannot give the algorithm.
  [[nodiscard]] static core::Result<EnglishStemmer> create();

  // The stem of a folded word (words.hpp). The view lives until the next call. Linear in the word's length.
  [[nodiscard]] std::string_view stem(std::string_view word);

 private:
  struct Free {
    void operator()(sb_stemmer* stemmer) const;
  };
  explicit EnglishStemmer(sb_stemmer* stemmer) : stemmer_(stemmer) {}

  std::unique_ptr<sb_stemmer, Free> stemmer_;
};

// Whom or what clothes are for, of a word that ends in "wear" ("ladieswear": "ladies", "swimwear": "swim"); else empty.
[[nodiscard]] std::string_view wearer_of(std::string_view word);

// Words that say nothing about an article ("the", "with"), folded. Which they are was measured: see
// docs/decisions/0011-lexical-index.md.
[[nodiscard]] bool is_english_stop_word(std::string_view word);

}  // namespace scalestyle::text
