#include "retrieval/phrase_completion.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <queue>
#include <utility>

#include "retrieval/spelling.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {

namespace {

// What is typed may go on: a letter behind it tells whether it would belong to the last word.
constexpr char kNextLetter = 'x';

std::string joined(std::span<const std::string> words, bool ended) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += words[i];
    if (i + 1 < words.size() || ended) text += ' ';
  }
  return text;
}

std::size_t letters(std::string_view word) {
  return static_cast<std::size_t>(std::ranges::count_if(word, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// The bytes of the first `count` letters; the whole word when it has fewer.
std::size_t bytes_of_letters(std::string_view word, std::size_t count) {
  std::size_t position = 0;
  for (; count > 0 && position < word.size(); --count) static_cast<void>(text::next_code_point(word, position));
  return position;
}

// False only where no start of `known`, nor the whole, is within one edit of `word`; cheap. Outside ASCII always true.
bool may_be_near(std::string_view known, std::string_view word) {
  std::size_t same = 0;
  while (same < known.size() && same < word.size() && known[same] == word[same]) ++same;
  if (same + 1 >= word.size()) return true;
  const auto is_ascii = [](std::string_view text) { return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }); };
  const std::string_view rest = word.substr(same);
  const std::string_view known_rest = known.substr(same);
  if (known_rest.starts_with(rest.substr(1))) return true;
  if (known_rest.size() > 1) {
    const std::string_view known_next = known_rest.substr(1);
    if (known_next.starts_with(rest.substr(1)) || known_next.starts_with(rest)) return true;
    if (known_rest[0] == rest[1] && known_rest[1] == rest[0] && known_rest.substr(2).starts_with(rest.substr(2))) return true;
  }
  return !is_ascii(known) || !is_ascii(word);
}

// Whether one edit at most makes `a` of `b`: the letters that they have in common at both ends leave at most one of each,
// or two that changed places.
bool within_one_edit(std::string_view a, std::string_view b) {
  std::size_t begin = 0;
  while (begin < a.size() && begin < b.size() && a[begin] == b[begin]) ++begin;
  while (begin > 0 && begin < a.size() && (static_cast<unsigned char>(a[begin]) & 0xC0U) == 0x80U) --begin;
  while (begin > 0 && begin < b.size() && (static_cast<unsigned char>(b[begin]) & 0xC0U) == 0x80U) --begin;
  const std::string_view rest_a = a.substr(begin);
  const std::string_view rest_b = b.substr(begin);
  if (rest_a == rest_b) return true;
  const std::size_t one_a = bytes_of_letters(rest_a, 1);
  const std::size_t one_b = bytes_of_letters(rest_b, 1);
  const std::string_view after_a = rest_a.substr(one_a);
  const std::string_view after_b = rest_b.substr(one_b);
  if (after_a == after_b || rest_a == after_b || after_a == rest_b) return true;
  const std::size_t two_a = bytes_of_letters(after_a, 1);
  const std::size_t two_b = bytes_of_letters(after_b, 1);
  return two_a > 0 && two_b > 0 && rest_a.substr(0, one_a) == after_b.substr(0, two_b) &&
         after_a.substr(0, two_a) == rest_b.substr(0, one_b) && after_a.substr(two_a) == after_b.substr(two_b);
}

}  // namespace

TypedPrefix TypedPrefix::read(std::string_view text) {
  TypedPrefix prefix;
  text::Words words;
  text::split_words(std::string(text) + kNextLetter, kMaxWords + 1, words);
  prefix.too_long = words.truncated();
  for (std::size_t i = 0; i < words.size(); ++i) prefix.words.emplace_back(words[i]);
  if (prefix.words.empty()) return prefix;
  std::string& last = prefix.words.back();
  if (last.size() >= text::kMaxWordBytes) {  // the letter may have been left out of so long a word
    text::split_words(text, kMaxWords + 1, words);
    last = words[words.size() - 1];
    return prefix;
  }
  last.pop_back();
  if (last.empty()) {
    prefix.words.pop_back();
    prefix.ended = true;
  }
  prefix.too_long = prefix.too_long || prefix.words.size() > kMaxWords;
  return prefix;
}

std::string phrase_key(std::string_view text) {
  text::Words words;
  text::split_words(text, SIZE_MAX, words);
  std::string key;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) key += ' ';
    key += words[i];
  }
  return key;
}

void PhraseCompletion::Table::build(const std::string& texts) {
  // Most comparisons end within eight bytes, which are kept beside the entry for as long as it takes.
  struct Sorted {
    std::uint64_t head;
    Entry entry;
  };
  std::vector<Sorted> sorted;
  sorted.reserve(entries.size());
  for (const Entry entry : entries) {
    std::uint64_t head = 0;
    const char* const text = texts.c_str() + entry.begin;
    const std::size_t length = strnlen(text, sizeof(head));
    for (std::size_t i = 0; i < sizeof(head); ++i) head = head << 8U | (i < length ? static_cast<unsigned char>(text[i]) : 0U);
    sorted.push_back({head, entry});
  }
  std::ranges::sort(sorted, [&texts](const Sorted& a, const Sorted& b) {
    if (a.head != b.head) return a.head < b.head;
    const int order = std::strcmp(texts.c_str() + a.entry.begin, texts.c_str() + b.entry.begin);
    return order != 0 ? order < 0 : a.entry.phrase < b.entry.phrase;
  });
  std::ranges::transform(sorted, entries.begin(), &Sorted::entry);
  entries.shrink_to_fit();
  const auto count = static_cast<std::uint32_t>(entries.size());
  best.resize(std::size_t{2} * count);
  for (std::uint32_t i = 0; i < count; ++i) best[count + i] = i;
  for (std::uint32_t i = count; i-- > 1;) best[i] = better(best[2 * i], best[2 * i + 1]);
}

std::uint32_t PhraseCompletion::Table::better(std::uint32_t a, std::uint32_t b) const {
  if (entries[a].phrase != entries[b].phrase) return entries[a].phrase < entries[b].phrase ? a : b;
  return std::min(a, b);
}

std::uint32_t PhraseCompletion::Table::best_of(std::uint32_t begin, std::uint32_t end) const {
  const auto count = static_cast<std::uint32_t>(entries.size());
  std::uint32_t result = begin;
  for (std::uint32_t low = begin + count, high = end + count; low < high; low /= 2, high /= 2) {
    if (low % 2 == 1) result = better(result, best[low++]);
    if (high % 2 == 1) result = better(result, best[--high]);
  }
  return result;
}

PhraseCompletion::PhraseCompletion(std::span<const std::string_view> phrases) {
  text::Words split;
  std::vector<std::string> words;
  std::vector<std::uint32_t> starts;
  for (std::uint32_t phrase = 0; phrase < phrases.size(); ++phrase) {
    text::split_words(phrases[phrase], kMaxPhraseWords, split);
    if (split.empty() || split.truncated()) continue;
    words.clear();
    starts.clear();
    bool has_compound = false;
    for (std::size_t i = 0; i < split.size(); ++i) {
      words.emplace_back(split[i]);
      starts.push_back(static_cast<std::uint32_t>(i));
      has_compound = has_compound || split.continues(i);
    }
    add(phrase, words, starts);
    if (!has_compound) continue;
    // A second reading, its compounds written as one; where none is left to come, it reads as the first.
    words.clear();
    starts.clear();
    for (std::size_t i = 0, last_start = 0; i < split.size();) {
      const std::size_t count = split.compound_length(i);
      words.emplace_back(split.joined(i, count));
      if (count > 1) {
        for (; last_start < words.size(); ++last_start) starts.push_back(static_cast<std::uint32_t>(last_start));
      }
      i += count;
    }
    add(phrase, words, starts);
  }
  texts_.shrink_to_fit();
  fronts_.build(texts_);
  inners_.build(texts_);
  std::vector<Entry> all(fronts_.entries.size() + inners_.entries.size());
  std::ranges::merge(fronts_.entries, inners_.entries, all.begin(), [this](Entry a, Entry b) { return first_word(a) < first_word(b); });
  for (const Entry entry : all) words_.intern(first_word(entry));
  words_.freeze();
}

void PhraseCompletion::add(std::uint32_t phrase, std::span<const std::string> words, std::span<const std::uint32_t> starts) {
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < words.size(); ++i) {
    if (next < starts.size() && starts[next] == i) {
      (i == 0 ? fronts_ : inners_).entries.push_back({static_cast<std::uint32_t>(texts_.size()), phrase});
      ++next;
    }
    texts_ += words[i];
    texts_ += ' ';
  }
  texts_ += '\0';
}

std::string_view PhraseCompletion::first_word(Entry entry) const {
  const std::string_view text = std::string_view(texts_).substr(entry.begin);
  return text.substr(0, text.find(' '));
}

PhraseCompletion::Range PhraseCompletion::matching(const Table& table, std::string_view start) const {
  const auto order = [&](Entry entry) { return std::strncmp(texts_.c_str() + entry.begin, start.data(), start.size()); };
  const auto begin = std::ranges::partition_point(table.entries, [&](Entry entry) { return order(entry) < 0; });
  const auto end = std::partition_point(begin, table.entries.end(), [&](Entry entry) { return order(entry) == 0; });
  return {static_cast<std::uint32_t>(begin - table.entries.begin()), static_cast<std::uint32_t>(end - table.entries.begin())};
}

// Ranges are split at their best entry: each step takes the best of what is left. A phrase has at most some entries, so
// that the steps are bounded by k.
void PhraseCompletion::take_best(const Table& table, std::span<const std::string> starts, std::size_t k,
                                 std::vector<std::uint32_t>& found) const {
  struct Part {
    std::uint32_t best;
    Range range;
  };
  const auto worse = [&table](const Part& a, const Part& b) { return table.better(a.best, b.best) != a.best; };
  std::priority_queue<Part, std::vector<Part>, decltype(worse)> parts(worse);
  const auto push = [&](Range range) {
    if (range.begin < range.end) parts.push({table.best_of(range.begin, range.end), range});
  };
  for (const std::string& start : starts) push(matching(table, start));
  while (found.size() < k && !parts.empty()) {
    const Part part = parts.top();
    parts.pop();
    const std::uint32_t phrase = table.entries[part.best].phrase;
    if (std::ranges::find(found, phrase) == found.end()) found.push_back(phrase);
    push({part.range.begin, part.best});
    push({part.best + 1, part.range.end});
  }
}

std::vector<std::uint32_t> PhraseCompletion::complete_any(std::span<const std::string> starts, std::size_t k) const {
  std::vector<std::uint32_t> found;
  take_best(fronts_, starts, k, found);
  std::vector<std::uint32_t> all = found;
  take_best(inners_, starts, 2 * k, all);
  const std::size_t inside = std::min(all.size() - found.size(), std::max(k / kInnerShare, k - found.size()));
  const auto first_inside = all.begin() + static_cast<std::ptrdiff_t>(found.size());
  found.resize(std::min(found.size(), k - inside));
  found.insert(found.end(), first_inside, first_inside + static_cast<std::ptrdiff_t>(inside));
  return found;
}

std::vector<std::uint32_t> PhraseCompletion::complete(const TypedPrefix& prefix, std::size_t k) const {
  if (prefix.matches_nothing()) return {};
  const std::array starts{joined(prefix.words, prefix.ended)};
  return complete_any(starts, k);
}

std::vector<std::uint32_t> PhraseCompletion::complete_mistyped(const TypedPrefix& prefix, std::size_t k) const {
  if (prefix.matches_nothing()) return {};
  const std::size_t count = prefix.words.size();
  const auto may_go_on = [&](std::size_t word) { return word + 1 == count && !prefix.ended; };
  std::size_t wrong = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (knows(prefix.words[i], may_go_on(i))) continue;
    if (wrong < count) return {};
    wrong = i;
  }
  if (wrong == count) return {};
  std::vector<std::string> starts;
  std::vector<std::string> words = prefix.words;
  for (std::string& near : near_words(prefix.words[wrong], may_go_on(wrong))) {
    words[wrong] = std::move(near);
    starts.push_back(joined(words, prefix.ended));
  }
  return complete_any(starts, k);
}

// The words of the phrases that are one error from `word`; where it may go on, the shortest starts of words that are.
std::vector<std::string> PhraseCompletion::near_words(const std::string& word, bool may_go_on) const {
  std::vector<std::string> near;
  if (allowed_edits(word) == 0) return near;
  const std::string_view letter = std::string_view(word).substr(0, bytes_of_letters(word, 1));
  const std::size_t count = letters(word);
  for (std::uint32_t at = first_word_from(letter); at < words_.size() && near.size() < kMaxCorrections; ++at) {
    const std::string_view known = words_[at];
    if (!known.starts_with(letter)) break;
    if (!may_be_near(known, word)) continue;
    if (!may_go_on) {
      if (within_one_edit(known, word)) near.emplace_back(known);
      continue;
    }
    for (std::size_t length = count - 1; length <= count + 1; ++length) {
      const std::string_view start = known.substr(0, bytes_of_letters(known, length));
      if (!within_one_edit(start, word)) continue;
      // Words that begin alike come together.
      if (near.empty() || near.back() != start) near.emplace_back(start);
      break;
    }
  }
  return near;
}

std::uint32_t PhraseCompletion::first_word_from(std::string_view start) const {
  std::uint32_t low = 0;
  for (auto high = static_cast<std::uint32_t>(words_.size()); low < high;) {
    const std::uint32_t middle = low + (high - low) / 2;
    (words_[middle] < start ? low : high) = words_[middle] < start ? middle + 1 : middle;
  }
  return low;
}

bool PhraseCompletion::knows(std::string_view word, bool may_go_on) const {
  const std::uint32_t at = first_word_from(word);
  return at < words_.size() && (may_go_on ? words_[at].starts_with(word) : words_[at] == word);
}

std::optional<std::uint32_t> PhraseCompletion::find(std::string_view key) const {
  if (key.empty()) return std::nullopt;
  const std::string whole = std::string(key) + ' ';
  const Range range = matching(fronts_, whole);
  if (range.begin == range.end) return std::nullopt;
  const Entry first = fronts_.entries[range.begin];
  if (std::strlen(texts_.c_str() + first.begin) != whole.size()) return std::nullopt;
  return first.phrase;
}

std::size_t PhraseCompletion::memory_bytes() const {
  std::size_t bytes = texts_.capacity() + words_.memory_bytes();
  for (const Table* table : {&fronts_, &inners_}) {
    bytes += table->entries.capacity() * sizeof(Entry) + table->best.capacity() * sizeof(std::uint32_t);
  }
  return bytes;
}

}  // namespace scalestyle::retrieval
