#include "retrieval/query_understanding_phrases.hpp"

#include <algorithm>
#include <utility>

#include "retrieval/query_understanding_language.hpp"

namespace scalestyle::retrieval {
namespace {

constexpr std::size_t kMaxAlternatives = 8;

// One place of a phrase: the words that may stand there.
struct Place {
  std::vector<const QueryWord*> words;
};

bool says_something(const ValuePhrase& phrase) {
  std::size_t letters = 0;
  for (const std::string& form : phrase.forms) {
    letters += static_cast<std::size_t>(std::ranges::count_if(form, [](char c) { return c < '0' || c > '9'; }));
  }
  return letters >= 2 && !std::ranges::all_of(phrase.forms, [](const std::string& form) { return is_placeholder(form); });
}

void add_phrases(const std::vector<Place>& places, std::vector<ValuePhrase>& phrases) {
  std::vector<ValuePhrase> made(1);
  for (const Place& place : places) {
    std::vector<ValuePhrase> longer;
    for (const ValuePhrase& begun : made) {
      for (const QueryWord* const word : place.words) {
        if (longer.size() == kMaxAlternatives) break;
        ValuePhrase phrase = begun;
        phrase.forms.push_back(word->form);
        phrase.surfaces.push_back(word->surface);
        phrase.hyphenated_end = word->hyphenated;
        longer.push_back(std::move(phrase));
      }
    }
    made = std::move(longer);
  }
  for (ValuePhrase& phrase : made) {
    if (says_something(phrase)) phrases.push_back(std::move(phrase));
  }
}

}  // namespace

std::vector<ValuePhrase> value_phrases(std::string_view value) {
  const std::vector<QueryWord> words = query_words(value, kMaxValueWords + 1);
  std::vector<ValuePhrase> phrases;
  if (words.size() > kMaxValueWords) return phrases;
  std::vector<Place> places;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].symbol) continue;
    const std::string_view gap = i == 0 ? "" : value.substr(words[i - 1].span.end, words[i].span.begin - words[i - 1].span.end);
    if (gap == "/" && !places.empty()) {
      places.back().words.push_back(&words[i]);
      continue;
    }
    if (words[i].listed && !places.empty()) {
      add_phrases(places, phrases);
      places.clear();
    }
    places.push_back({{&words[i]}});
  }
  if (!places.empty()) add_phrases(places, phrases);
  return phrases;
}

bool PhraseTable::add(std::span<const std::string> forms, Sense sense) {
  std::uint32_t node = 0;
  for (const std::string& form : forms) {
    const std::uint32_t word = words_.try_emplace(form, static_cast<std::uint32_t>(words_.size())).first->second;
    const auto [edge, is_new] = edges_.try_emplace(std::uint64_t{node} << 32 | word, static_cast<std::uint32_t>(sense_of_node_.size()));
    node = edge->second;
    if (is_new) sense_of_node_.push_back(kNone);
  }
  if (node == 0 || sense_of_node_[node] != kNone) return false;
  sense_of_node_[node] = static_cast<std::uint32_t>(senses_.size());
  senses_.push_back(std::move(sense));
  return true;
}

std::uint32_t PhraseTable::next(std::uint32_t node, const std::string& form) const {
  const auto word = words_.find(form);
  if (word == words_.end()) return kNone;
  const auto edge = edges_.find(std::uint64_t{node} << 32 | word->second);
  return edge == edges_.end() ? kNone : edge->second;
}

const Sense* PhraseTable::find(std::span<const std::string> forms) const {
  std::uint32_t node = 0;
  for (const std::string& form : forms) {
    node = next(node, form);
    if (node == kNone) return nullptr;
  }
  return sense_of_node_[node] == kNone ? nullptr : &senses_[sense_of_node_[node]];
}

std::optional<PhraseTable::Match> PhraseTable::longest(std::span<const QueryWord> words, std::size_t first) const {
  std::optional<Match> best;
  std::uint32_t node = 0;
  for (std::size_t i = first; i < words.size() && (i == first || words[i].continues); ++i) {
    if (words[i].symbol) break;
    node = next(node, words[i].form);
    if (node == kNone) break;
    if (sense_of_node_[node] != kNone) best = {&senses_[sense_of_node_[node]], i - first + 1};
  }
  return best;
}

std::size_t PhraseTable::memory_bytes() const {
  constexpr std::size_t kMapEntry = 64;  // node of a hash map, about
  std::size_t bytes = (words_.size() + edges_.size()) * kMapEntry + sense_of_node_.capacity() * sizeof(std::uint32_t) +
                      senses_.capacity() * sizeof(Sense);
  for (const Sense& sense : senses_) bytes += sense.values.capacity() * sizeof(MatchedValue);
  return bytes;
}

}  // namespace scalestyle::retrieval
