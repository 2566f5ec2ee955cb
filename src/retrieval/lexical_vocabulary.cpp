#include "retrieval/lexical_vocabulary.hpp"

#include <algorithm>

namespace scalestyle::retrieval {

namespace {

// The first entry of a sorted pool that is not below `key`.
std::uint32_t lower_bound(const catalog::StringPool& pool, std::string_view key) {
  std::uint32_t begin = 0;
  auto count = static_cast<std::uint32_t>(pool.size());
  while (count > 0) {
    const std::uint32_t half = count / 2;
    if (pool[begin + half] < key) {
      begin += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return begin;
}

std::optional<std::uint32_t> find_in(const catalog::StringPool& pool, std::string_view key) {
  const std::uint32_t found = lower_bound(pool, key);
  if (found == pool.size() || pool[found] != key) return std::nullopt;
  return found;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// Whole code points that two texts have in common at their start; at most 255.
std::uint8_t common_letters(std::string_view a, std::string_view b) {
  std::size_t bytes = 0;
  while (bytes < a.size() && bytes < b.size() && a[bytes] == b[bytes]) ++bytes;
  while (bytes > 0 && ((bytes < a.size() && is_continuation(a[bytes])) || (bytes < b.size() && is_continuation(b[bytes])))) {
    --bytes;
  }
  const auto letters = std::count_if(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(bytes),
                                     [](char byte) { return !is_continuation(byte); });
  return static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(letters, 255));
}

}  // namespace

LexicalVocabulary::LexicalVocabulary(Parts parts) : parts_(std::move(parts)), shared_letters_(size()) {
  for (WordId id = 1; id < size(); ++id) shared_letters_[id] = common_letters(word(id - 1), word(id));
}

std::optional<WordId> LexicalVocabulary::find(std::string_view folded_word) const { return find_in(parts_.words, folded_word); }

std::optional<TermId> LexicalVocabulary::find_stem(std::string_view stem) const { return find_in(parts_.stems, stem); }

WordRange LexicalVocabulary::with_prefix(std::string_view folded_prefix) const {
  const WordId begin = lower_bound(parts_.words, folded_prefix);
  WordId end = begin;
  auto count = static_cast<std::uint32_t>(size()) - begin;
  while (count > 0) {  // words that start with the prefix come before all that do not
    const std::uint32_t half = count / 2;
    if (word(end + half).starts_with(folded_prefix)) {
      end += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return {begin, end};
}

std::size_t LexicalVocabulary::memory_bytes() const {
  const auto of = [](const auto& vector) { return vector.capacity() * sizeof(vector[0]); };
  return parts_.words.memory_bytes() + parts_.stems.memory_bytes() + of(parts_.term_of_word) + of(parts_.form_bit) +
         of(parts_.word_articles) + of(parts_.term_articles) + of(shared_letters_);
}

}  // namespace scalestyle::retrieval
