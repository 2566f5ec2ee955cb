#pragma once
// ReasonCleaner: makes one presentable sentence of what a language model writes, while it writes.
//
// Control and format characters and pictographs go, blanks and line ends become one blank, quotes around the whole go, and what
// follows the first sentence goes. It refuses, with the reason, what we cannot stand for: markup, links, addresses, a number or
// a sum of money that the evidence does not have, a claim of the kind that shops are held to ("bestseller", "discount",
// "waterproof") which it does not have either, and what is too short to be a sentence.
// Words come out once they are whole, so that what is shown was looked at. Not thread-safe; plain values.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scalestyle::search {

class ReasonCleaner {
 public:
  static constexpr std::size_t kMaxCharacters = 240;  // of the sentence
  static constexpr std::size_t kMinWords = 3;

  // `evidence`: what the text may speak of.
  explicit ReasonCleaner(std::string_view evidence);

  // Takes the next piece, whole UTF-8 characters; gives what can be shown of it now.
  std::string push(std::string_view piece);

  // The text has ended; gives what is left to show. `is_whole`: the model ended it, not a limit.
  std::string finish(bool is_whole);

  // The sentence has ended and more came, or it is refused: nothing further is of use.
  [[nodiscard]] bool wants_no_more() const { return has_more_ || !refusal_.empty(); }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }  // empty: not refused
  [[nodiscard]] const std::string& text() const { return text_; }        // all that was given out

 private:
  void take_word(std::string& shown);
  void append(std::string_view word, std::string& shown);
  [[nodiscard]] std::string fault_of(std::string_view word) const;
  [[nodiscard]] std::string claim_in(std::string_view word) const;

  std::vector<double> numbers_;           // of the evidence, rising
  std::vector<std::string> words_known_;  // of the evidence, folded, sorted
  std::string evidence_signs_;            // of money
  std::string word_;
  std::string text_;
  std::size_t characters_ = 0;
  std::size_t words_ = 0;
  bool is_quoted_ = false;
  bool has_ended_ = false;
  bool has_more_ = false;
  std::string refusal_;
};

}  // namespace scalestyle::search
