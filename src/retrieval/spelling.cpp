#include "retrieval/spelling.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {

namespace {

struct Letters {
  std::array<char32_t, text::kMaxWordBytes> values;
  std::size_t size = 0;
};

// False for a word with anything but letters, or too long.
bool decode_letters(std::string_view word, Letters& letters) {
  letters.size = 0;
  for (std::size_t position = 0; position < word.size();) {
    if (letters.size == letters.values.size()) return false;
    const auto byte = static_cast<unsigned char>(word[position]);
    if (byte < 0x80) {
      if (byte < 'a' || byte > 'z') return false;
      letters.values[letters.size++] = byte;
      ++position;
      continue;
    }
    const char32_t letter = text::next_code_point(word, position);
    if (text::is_digit(letter)) return false;
    letters.values[letters.size++] = letter;
  }
  return true;
}

// The distance matrix between the query's word (columns) and one word of the vocabulary (rows), row by row.
class DistanceRows {
 public:
  explicit DistanceRows(const Letters& columns) : columns_(columns) {
    for (std::size_t j = 0; j <= columns_.size; ++j) rows_[0][j] = static_cast<std::uint8_t>(j);
  }

  // Row i + 1 of a word, from rows i and i − 1; returns its smallest value.
  std::uint8_t add(const Letters& word, std::size_t i) {
    const auto& above = rows_[i];
    auto& row = rows_[i + 1];
    row[0] = static_cast<std::uint8_t>(i + 1);
    std::uint8_t least = row[0];
    for (std::size_t j = 1; j <= columns_.size; ++j) {
      const bool is_same = word.values[i] == columns_.values[j - 1];
      int value = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (is_same ? 0 : 1)});
      if (i > 0 && j > 1 && word.values[i] == columns_.values[j - 2] && word.values[i - 1] == columns_.values[j - 1]) {
        value = std::min(value, rows_[i - 1][j - 2] + 1);
      }
      row[j] = static_cast<std::uint8_t>(value);
      least = std::min(least, row[j]);
    }
    least_[i + 1] = least;
    return least;
  }

  [[nodiscard]] std::uint8_t least(std::size_t row) const { return least_[row]; }
  [[nodiscard]] std::uint8_t distance(std::size_t word_letters) const { return rows_[word_letters][columns_.size]; }

 private:
  const Letters& columns_;
  std::array<std::array<std::uint8_t, kMaxCorrectedLetters + 1>, text::kMaxWordBytes + 1> rows_;
  std::array<std::uint8_t, text::kMaxWordBytes + 1> least_{};
};

std::vector<NearWord> walk(const LexicalVocabulary& vocabulary, WordRange range, const Letters& query,
                           std::size_t max_distance) {
  std::vector<NearWord> found;
  DistanceRows rows(query);
  Letters word;
  std::size_t known = 0;             // rows that hold for the current word too
  std::size_t hopeless = SIZE_MAX;   // every word that shares so many letters is too far away
  for (WordId id = range.begin; id < range.end; ++id) {
    known = std::min(known, id == range.begin ? 0 : vocabulary.shared_letters(id));
    if (hopeless <= known) continue;
    hopeless = SIZE_MAX;
    if (!decode_letters(vocabulary.word(id), word) || word.size > query.size + max_distance) continue;
    for (; known < word.size && hopeless == SIZE_MAX; ++known) {
      // A transposition reaches over one row, so the row above must be hopeless as well.
      if (rows.add(word, known) > max_distance && rows.least(known) >= max_distance) hopeless = known + 1;
    }
    if (hopeless == SIZE_MAX && rows.distance(word.size) <= max_distance) found.push_back({id, rows.distance(word.size)});
  }
  return found;
}

}  // namespace

std::size_t allowed_edits(std::string_view folded_word) {
  Letters letters;
  if (!decode_letters(folded_word, letters) || letters.size > kMaxCorrectedLetters || letters.size < 5) return 0;
  return letters.size < 9 ? 1 : 2;
}

std::vector<NearWord> find_near_words(const LexicalVocabulary& vocabulary, std::string_view folded_word,
                                      std::size_t max_distance, std::uint32_t min_articles, std::size_t limit) {
  Letters query;
  if (folded_word.empty() || !decode_letters(folded_word, query) || query.size > kMaxCorrectedLetters) return {};
  std::size_t first_letter_bytes = 0;
  (void)text::next_code_point(folded_word, first_letter_bytes);
  const WordRange range = vocabulary.with_prefix(folded_word.substr(0, first_letter_bytes));
  std::vector<NearWord> found = walk(vocabulary, range, query, max_distance);
  std::erase_if(found, [&](const NearWord& near) {
    return near.distance == 0 || vocabulary.term_articles(vocabulary.term(near.word)) < min_articles;
  });
  const auto rank = [&vocabulary](const NearWord& near) {
    return std::tuple(near.distance, ~vocabulary.term_articles(vocabulary.term(near.word)), ~vocabulary.articles(near.word),
                      near.word);
  };
  std::ranges::sort(found, {}, rank);
  std::vector<NearWord> best;
  for (const NearWord& near : found) {
    if (best.size() == limit) break;
    const auto is_same_term = [&](const NearWord& other) { return vocabulary.term(other.word) == vocabulary.term(near.word); };
    if (std::ranges::none_of(best, is_same_term)) best.push_back(near);
  }
  return best;
}

}  // namespace scalestyle::retrieval
