#include "evaluation/typos.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "evaluation/random.hpp"
#include "text/unicode.hpp"

namespace scalestyle::evaluation {
namespace {

struct WordRange {
  std::size_t first = 0;
  std::size_t end = 0;
};

// Everything outside ASCII counts as a letter but marks and punctuation.
bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return !text::is_bert_punctuation(c) && !text::is_bert_whitespace(c) && !text::is_bert_control(c);
}

std::vector<WordRange> long_words(const std::u32string& text) {
  std::vector<WordRange> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t first = i;
    while (i < text.size() && is_letter(text[i])) ++i;
    if (i - first >= kLongWordLetters) words.push_back({first, i});
    if (i == first) ++i;
  }
  return words;
}

char32_t other_letter(char32_t than, Random& random) {
  const auto letter = static_cast<char32_t>('a' + random.below(25));
  return letter == than ? U'z' : letter;  // 25 letters are drawn; the one that must not come gives way to the last
}

// One edit of the word at `word`, behind its first letter. The text always changes.
void edit(std::u32string& text, WordRange word, Random& random) {
  const std::size_t place = word.first + 1 + random.below(word.end - word.first - 1);
  switch (random.below(4)) {
    case 0: text.erase(place, 1); return;
    case 1: text.insert(place, 1, static_cast<char32_t>('a' + random.below(26))); return;
    case 2: text[place] = other_letter(text[place], random); return;
    default: break;
  }
  const std::size_t left = std::min(place, word.end - 2);
  if (text[left] != text[left + 1]) {
    std::swap(text[left], text[left + 1]);
  } else {
    text.erase(left, 1);  // exchanging two equal letters would change nothing
  }
}

std::u32string decode(std::string_view text) {
  std::u32string decoded;
  for (std::size_t position = 0; position < text.size();) decoded += text::next_code_point(text, position);
  return decoded;
}

}  // namespace

core::Result<TypoPlan> parse_typo_plan(std::string_view text) {
  if (text == "none") return TypoPlan::kNone;
  if (text == "query") return TypoPlan::kOnePerQuery;
  if (text == "word") return TypoPlan::kEachLongWord;
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("typos must be none, query or word, not \"{}\"", text), "typos");
}

std::string with_typos(const EvaluationQuery& query, TypoPlan plan, std::uint64_t seed) {
  std::u32string text = decode(query.text);
  std::vector<WordRange> words = long_words(text);
  if (plan == TypoPlan::kNone || words.empty()) return query.text;
  Random random(seed, query.query_id);
  if (plan == TypoPlan::kOnePerQuery) words = {words[random.below(words.size())]};
  std::ranges::reverse(words);  // from the end, so that the places before stay right
  for (const WordRange word : words) edit(text, word, random);
  std::string edited;
  for (const char32_t c : text) text::append_utf8(c, edited);
  return edited;
}

std::size_t put_typos(QuerySet& set, TypoPlan plan, std::uint64_t seed) {
  std::size_t changed = 0;
  for (EvaluationQuery& query : set.queries) {
    std::string edited = with_typos(query, plan, seed);
    if (edited != query.text) ++changed;
    query.text = std::move(edited);
  }
  return changed;
}

}  // namespace scalestyle::evaluation
