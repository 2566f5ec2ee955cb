#pragma once
// Words of a text for lexical search: one definition for what is indexed and what is asked.
//
// The text is folded (Unicode NFKC case folding, accents dropped, ø, đ, ł, æ, œ, þ and the like written in ASCII), then cut:
//   - a word is a run of letters, digits and marks; in scripts without blanks each character is a word;
//   - an apostrophe inside a word is dropped ("men's" is "mens");
//   - a point or comma between digits stays, as a point ("1,5" is "1.5");
//   - words held together by a hyphen or '&' form a compound ("t-shirt", "h&m"); so do a single letter other than
//     "a" and "i" and the word one blank behind it ("t shirt", "v neck"). A compound can be read as its parts or as
//     one joined word ("tshirt"), so that all three spellings can meet;
//   - anything else separates. Malformed UTF-8 reads as U+FFFD, which separates.
// Thread safety: free functions; a Words object belongs to one thread at a time.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalestyle::text {

inline constexpr std::size_t kMaxWordBytes = 64;  // the rest of a longer word is dropped

// The folded words of one text, in its order. Reusable: memory is kept. Views live until the next split.
class Words {
 public:
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::string_view operator[](std::size_t index) const { return joined(index, 1); }

  // The word belongs to the same compound as the one before it.
  [[nodiscard]] bool continues(std::size_t index) const { return items_[index].continues; }
  // The number of words of the compound that starts at `index`; 1 for a plain word.
  [[nodiscard]] std::size_t compound_length(std::size_t index) const;
  // `count` words from `first` on, written as one.
  [[nodiscard]] std::string_view joined(std::size_t first, std::size_t count) const {
    const Item& last = items_[first + count - 1];
    return std::string_view(letters_).substr(items_[first].begin, last.begin + last.length - items_[first].begin);
  }

  // The text had more words than were asked for.
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  friend class WordSplitter;
  struct Item {
    std::uint32_t begin;
    std::uint32_t length;
    bool continues;
  };

  std::string letters_;  // the words without anything between them
  std::vector<Item> items_;
  bool truncated_ = false;
};

// Replaces `words` by the first `max_words` words of `text`. Texts above 2^30 bytes are cut there.
void split_words(std::string_view text, std::size_t max_words, Words& words);

// The folding alone.
[[nodiscard]] std::string fold_for_search(std::string_view text);

}  // namespace scalestyle::text
