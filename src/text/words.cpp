#include "text/words.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace scalestyle::text {

namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30U;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Letters that no normal form takes apart.
std::string_view ascii_spelling(char32_t letter) {
  switch (letter) {
    case U'ø': return "o";
    case U'đ': return "d";
    case U'ð': return "d";
    case U'ħ': return "h";
    case U'ı': return "i";
    case U'ł': return "l";
    case U'æ': return "ae";
    case U'œ': return "oe";
    case U'þ': return "th";
    default: return {};
  }
}

enum class Kind : std::uint8_t { kWord, kDigit, kUnspaced, kApostrophe, kHyphen, kPoint, kBlank, kOther };

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    if (c >= 'a' && c <= 'z') return Kind::kWord;
    if (c >= '0' && c <= '9') return Kind::kDigit;
    switch (c) {
      case '\'': return Kind::kApostrophe;
      case '-':
      case '&': return Kind::kHyphen;
      case '.':
      case ',': return Kind::kPoint;
      case ' ': return Kind::kBlank;
      default: return Kind::kOther;
    }
  }
  if (c == 0x2018 || c == 0x2019 || c == 0x2BC || c == 0xB4) return Kind::kApostrophe;
  if (c == 0x2010 || c == 0x2011) return Kind::kHyphen;
  if (is_of_unspaced_script(c)) return Kind::kUnspaced;
  if (is_digit(c)) return Kind::kDigit;
  return is_letter_or_digit(c) ? Kind::kWord : Kind::kOther;
}

bool is_of_word(Kind kind) { return kind == Kind::kWord || kind == Kind::kDigit; }

}  // namespace

std::string fold_for_search(std::string_view text) {
  if (is_ascii(text)) return fold_case_and_accents(text);
  const auto normal = normalize(text.substr(0, kMaxTextBytes), NormalForm::kNfkcCasefold);
  const std::string plain = fold_case_and_accents(normal ? std::string_view(*normal) : text);
  std::string out;
  out.reserve(plain.size());
  for (std::size_t position = 0; position < plain.size();) {
    const std::size_t begin = position;
    const std::string_view spelling = ascii_spelling(next_code_point(plain, position));
    out += spelling.empty() ? std::string_view(plain).substr(begin, position - begin) : spelling;
  }
  return out;
}

std::size_t Words::compound_length(std::size_t index) const {
  std::size_t count = 1;
  while (index + count < size() && items_[index + count].continues) ++count;
  return count;
}

// Reads folded text one code point at a time; between words it remembers what would hold a compound together.
class WordSplitter {
 public:
  WordSplitter(std::string_view folded, std::size_t max_words, Words& words)
      : text_(folded), max_words_(max_words), words_(words) {
    words_.letters_.clear();
    words_.items_.clear();
    words_.truncated_ = false;
  }

  void run() {
    bool holds = false;  // the last separator ties the next word to the last one
    for (std::size_t position = 0; position < text_.size();) {
      const std::size_t begin = position;
      const Kind kind = kind_of(next_code_point(text_, position));
      if (is_of_word(kind)) {
        if (!start(holds)) return;
        position = take_word(begin);
        holds = false;
      } else if (kind == Kind::kUnspaced) {
        if (!start(false)) return;
        append(text_.substr(begin, position - begin));
        holds = false;
      } else {
        // Only one separator may stand between the parts of a compound.
        const bool follows_word = begin > 0 && begin == word_end_;
        holds = follows_word && (kind == Kind::kHyphen || (kind == Kind::kBlank && ends_in_single_letter()));
      }
    }
  }

 private:
  bool start(bool continues) {
    if (words_.items_.size() == max_words_) {
      words_.truncated_ = true;
      return false;
    }
    words_.items_.push_back({static_cast<std::uint32_t>(words_.letters_.size()), 0, continues});
    return true;
  }

  void append(std::string_view letters) {
    auto& item = words_.items_.back();
    if (item.length + letters.size() > kMaxWordBytes) return;
    words_.letters_ += letters;
    item.length += static_cast<std::uint32_t>(letters.size());
  }

  // Takes the word that starts at `position`; returns where it ends.
  std::size_t take_word(std::size_t position) {
    Kind previous = Kind::kOther;
    while (position < text_.size()) {
      std::size_t next = position;
      const Kind kind = kind_of(next_code_point(text_, next));
      if (is_of_word(kind)) {
        append(text_.substr(position, next - position));
      } else if (kind == Kind::kApostrophe && previous == Kind::kWord && kind_at(next) == Kind::kWord) {
        // dropped
      } else if (kind == Kind::kPoint && previous == Kind::kDigit && kind_at(next) == Kind::kDigit) {
        append(".");
      } else {
        break;
      }
      previous = kind;
      position = next;
    }
    word_end_ = position;
    return position;
  }

  [[nodiscard]] Kind kind_at(std::size_t position) const {
    return position < text_.size() ? kind_of(next_code_point(text_, position)) : Kind::kOther;
  }

  [[nodiscard]] bool ends_in_single_letter() const {
    const auto& item = words_.items_.back();
    if (item.length != 1 || item.continues) return false;
    const char letter = words_.letters_.back();
    return letter >= 'b' && letter <= 'z' && letter != 'i';
  }

  std::string_view text_;
  std::size_t max_words_;
  Words& words_;
  std::size_t word_end_ = 0;  // where the last word ended in text_
};

void split_words(std::string_view text, std::size_t max_words, Words& words) {
  const std::string folded = fold_for_search(text.substr(0, kMaxTextBytes));
  WordSplitter(folded, max_words, words).run();
}

}  // namespace scalestyle::text
