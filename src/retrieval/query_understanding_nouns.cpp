#include "retrieval/query_understanding_nouns.hpp"

#include <algorithm>
#include <array>

#include "retrieval/query_understanding_language.hpp"

namespace scalestyle::retrieval {
namespace {

constexpr std::size_t kMaxOpeningWords = 8;
constexpr std::size_t kMaxTypesOfNoun = 64;
constexpr std::uint32_t kOtherTypes = UINT32_MAX;  // beyond so many they are counted together
constexpr std::uint32_t kMinOpenings = 10;
constexpr float kMinFirstShare = 0.4F;  // of the commonest type
constexpr float kMinCovered = 0.75F;    // of all types that count

constexpr std::array<std::string_view, 14> kEnds = {"in",  "with", "made", "that", "for", "and",   "featuring",
                                                    "from", "has", "to",   "which", "on",  "or",    "by"};

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

OpeningNouns::OpeningNouns(const catalog::Catalog& catalog) {
  const auto types = catalog.codes(catalog::Attribute::kProductType);
  const char* last_text = nullptr;
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    const std::string_view description = catalog.row({row}).description();
    if (description.empty() || description.data() == last_text) continue;
    last_text = description.data();
    read_opening(description, types[row]);
  }
  form_names_.resize(forms_.size());
  for (const Word& word : words_) {
    if (word.last >= kMinOpenings && 3 * word.last >= 2 * word.total) form_names_[word.form_id] = true;
  }
}

std::uint32_t OpeningNouns::word_of(const std::string& surface) {
  const auto [found, is_new] = word_ids_.try_emplace(surface, static_cast<std::uint32_t>(words_.size()));
  if (is_new) {
    std::string form = word_form(surface);
    const auto [id, new_form] = form_ids_.try_emplace(form, static_cast<std::uint32_t>(forms_.size()));
    if (new_form) forms_.push_back(form);
    words_.push_back({std::move(form), id->second});
  }
  return found->second;
}

void OpeningNouns::read_opening(std::string_view description, std::uint32_t type) {
  std::array<std::uint32_t, kMaxOpeningWords> words{};
  std::size_t count = 0;
  bool compound = false;  // the last word is the second half of "T-shirt"
  std::string surface;
  for (std::size_t position = 0; position < description.size();) {
    const char c = description[position];
    if (c == '.' || c == ';' || c == ':' || c == '(') break;
    if (!is_word_byte(c)) {
      ++position;
      continue;
    }
    const bool joined = position > 0 && description[position - 1] == '-';
    surface.clear();
    for (; position < description.size() && (is_word_byte(description[position]) || description[position] == '\''); ++position) {
      const char letter = description[position];
      surface += static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
    }
    if (count > 0 && std::ranges::find(kEnds, surface) != kEnds.end()) break;
    if (surface == "of") {  // "pair of earrings" is earrings
      count = 0;
      continue;
    }
    if (count == kMaxOpeningWords) return;  // no opening that names a thing
    words[count++] = word_of(surface);
    compound = joined;
  }
  if (count == 0) return;
  // The second half of a compound says nothing about that word alone.
  for (std::size_t i = 0; i + (compound ? 1 : 0) < count; ++i) ++words_[words[i]].total;
  if (!compound) ++words_[words[count - 1]].last;
  const auto add = [&](std::uint64_t key) {
    Counts& counts = endings_[key];
    auto found = std::ranges::find(counts, type, &Counts::value_type::first);
    if (found == counts.end() && counts.size() > kMaxTypesOfNoun) found = counts.end() - 1;
    if (found == counts.end()) {
      counts.emplace_back(counts.size() < kMaxTypesOfNoun ? type : kOtherTypes, 1);
    } else {
      ++found->second;
    }
  };
  const std::uint64_t last = words_[words[count - 1]].form_id;
  if (!compound) add(last);
  if (count > 1) add((std::uint64_t{words_[words[count - 2]].form_id} + 1) << 32 | last);
}

Noun OpeningNouns::noun_of(const Counts& counts, std::size_t& openings) {
  openings = 0;
  for (const auto& [type, count] : counts) openings += count;
  Noun noun;
  for (const auto& [type, count] : counts) {
    const float share = static_cast<float>(count) / static_cast<float>(openings);
    if (share < Noun::kMinShare || type == kOtherTypes) continue;
    noun.types.push_back({type, share});
  }
  std::ranges::sort(noun.types, [](const TypeShare& a, const TypeShare& b) {
    return a.share != b.share ? a.share > b.share : a.type < b.type;
  });
  for (const TypeShare& type : noun.types) noun.covered += type.share;
  return noun;
}

std::vector<Noun> OpeningNouns::nouns() const {
  std::vector<Noun> nouns;
  for (const auto& [key, counts] : endings_) {
    const auto last = static_cast<std::uint32_t>(key);
    const auto first = static_cast<std::uint32_t>(key >> 32);
    std::size_t openings = 0;
    Noun noun = noun_of(counts, openings);
    if (openings < kMinOpenings || noun.types.empty() || (first == 0 && !form_names_[last])) continue;
    noun.clear = noun.types[0].share >= kMinFirstShare && noun.covered >= kMinCovered;
    if (first != 0) {
      if (!noun.clear) continue;
      const auto counts_alone = endings_.find(last);
      std::size_t unused = 0;
      const Noun alone = counts_alone == endings_.end() ? Noun{} : noun_of(counts_alone->second, unused);
      if (!alone.types.empty() && alone.types[0].type == noun.types[0].type) continue;
      noun.forms.push_back(forms_[first - 1]);
    }
    noun.forms.push_back(forms_[last]);
    nouns.push_back(std::move(noun));
  }
  std::ranges::sort(nouns, {}, &Noun::forms);
  return nouns;
}

std::unordered_set<std::string> OpeningNouns::modifiers() const {
  std::unordered_set<std::string> modifiers;
  for (const auto& [surface, id] : word_ids_) {
    const Word& word = words_[id];
    if (word.total >= kMinOpenings && 2 * word.last < word.total) modifiers.insert(surface);
  }
  return modifiers;
}

}  // namespace scalestyle::retrieval
