#include "retrieval/suggestions.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "retrieval/query_understanding_language.hpp"
#include "retrieval/query_understanding_phrases.hpp"
#include "text/english_stemmer.hpp"
#include "text/unicode.hpp"

namespace scalestyle::retrieval {

namespace {

using catalog::Attribute;
using PhraseIds = std::vector<std::uint32_t>;

constexpr std::array<std::string_view, kPhraseKindCount> kKindNames{"type",    "colour_type", "audience_type",
                                                                    "section", "department",  "name"};
constexpr std::size_t kMinDepartmentLetters = 3;  // of a word: "UW" and "S&T" are the shop's own language

std::string written(const ValuePhrase& phrase) {
  std::string text;
  for (std::size_t i = 0; i < phrase.surfaces.size(); ++i) {
    if (i > 0) text += i + 1 == phrase.surfaces.size() && phrase.hyphenated_end ? '-' : ' ';
    text += phrase.surfaces[i];
  }
  return text;
}

bool has_placeholder(const ValuePhrase& phrase) {
  return std::ranges::any_of(phrase.forms, [](const std::string& form) { return is_placeholder(form); });
}

bool is_plain_words(const ValuePhrase& phrase) {
  return std::ranges::all_of(phrase.surfaces, [](const std::string& word) {
    return word.size() >= kMinDepartmentLetters && std::ranges::none_of(word, [](char c) { return c >= '0' && c <= '9'; });
  });
}

// A product's name in lower case, blanks single, without a number in brackets at its end, which tells versions apart.
// Empty for a name without two letters, or one that is not well-formed.
std::string written_name(std::string_view name) {
  std::string text;
  std::size_t letters = 0;
  for (std::size_t position = 0; position < name.size();) {
    const char32_t c = text::next_code_point(name, position);
    if (c == text::kReplacementCharacter) return {};
    if (text::is_bert_whitespace(c)) {
      if (!text.empty() && text.back() != ' ') text += ' ';
      continue;
    }
    if (text::is_bert_control(c)) continue;
    if (text::is_letter_or_digit(c) && !text::is_digit(c)) ++letters;
    text::append_utf8(text::to_lower(c), text);
  }
  if (text.ends_with(')')) {
    const std::size_t open = text.rfind('(');
    const bool is_number = open != std::string::npos &&
                           std::ranges::all_of(text.substr(open + 1, text.size() - open - 2), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) text.resize(open);
  }
  while (text.ends_with(' ')) text.pop_back();
  return letters >= 2 ? text : std::string();
}

// Collects phrases, each once, and counts the products and purchases behind them.
class PhraseCounter {
 public:
  struct Phrase {
    std::string text;
    PhraseKind kind = PhraseKind::kName;
    std::uint32_t products = 0;
    std::uint64_t purchases = 0;
    std::uint32_t last_product = UINT32_MAX;
    std::uint32_t last_row = UINT32_MAX;
  };

  void add_to(PhraseIds& ids, std::string text, PhraseKind kind) {
    if (text.size() > Suggestions::kMaxPhraseBytes) return;
    std::string key = phrase_key(text);
    if (key.empty()) return;
    const auto [known, is_new] = by_key_.try_emplace(std::move(key), static_cast<std::uint32_t>(phrases_.size()));
    if (is_new) phrases_.push_back({.text = std::move(text), .kind = kind});
    ids.push_back(known->second);
  }

  // The rows of a product come together.
  void count(const PhraseIds& ids, std::uint32_t product, std::uint32_t row, std::uint64_t purchases) {
    for (const std::uint32_t id : ids) {
      Phrase& phrase = phrases_[id];
      if (phrase.last_product != product) ++phrase.products;
      phrase.last_product = product;
      if (phrase.last_row != row) phrase.purchases += purchases;
      phrase.last_row = row;
    }
  }

  // The best first.
  [[nodiscard]] std::vector<Phrase> take(std::size_t limit) && {
    std::ranges::sort(phrases_, [](const Phrase& a, const Phrase& b) {
      if (a.purchases != b.purchases) return a.purchases > b.purchases;
      if (a.products != b.products) return a.products > b.products;
      return a.text < b.text;
    });
    if (phrases_.size() > limit) phrases_.resize(limit);
    return std::move(phrases_);
  }

 private:
  std::unordered_map<std::string, std::uint32_t> by_key_;
  std::vector<Phrase> phrases_;
};

// Reads one catalogue, in the order of the kinds: what a phrase is first, it stays.
class PhraseReader {
 public:
  explicit PhraseReader(const catalog::Catalog& catalog) : catalog_(catalog) {
    read_types();
    pair_up(Attribute::kColour, colours(), PhraseKind::kColourType, colour_types_);
    pair_up(Attribute::kIndexGroup, audiences(), PhraseKind::kAudienceType, audience_types_);
    sections_ = read_values(Attribute::kSection, PhraseKind::kSection);
    departments_ = read_values(Attribute::kDepartment, PhraseKind::kDepartment);
    names_.resize(catalog_.name_count());
    for (std::uint32_t code = 0; code < names_.size(); ++code) {
      if (std::string text = written_name(catalog_.name_of(code)); !text.empty()) {
        counter_.add_to(names_[code], std::move(text), PhraseKind::kName);
      }
    }
  }

  [[nodiscard]] std::vector<PhraseCounter::Phrase> take(std::size_t limit) && {
    for (std::uint32_t product = 0; product < catalog_.product_count(); ++product) {
      for (const catalog::RowIndex row : catalog_.rows_of_product(product)) count(product, row);
    }
    return std::move(counter_).take(limit);
  }

 private:
  using Texts = std::vector<std::vector<std::string>>;  // by code
  using Pairs = std::unordered_map<std::uint64_t, PhraseIds>;

  static std::uint64_t pair(std::uint32_t first, std::uint32_t type) { return std::uint64_t{first} << 32U | type; }

  void read_types() {
    types_.resize(catalog_.value_count(Attribute::kProductType));
    type_texts_.resize(types_.size());
    for (std::uint32_t code = 0; code < types_.size(); ++code) {
      for (const ValuePhrase& phrase : value_phrases(catalog_.value_of(Attribute::kProductType, code))) {
        if (has_placeholder(phrase)) continue;
        type_texts_[code].push_back(written(phrase));
        counter_.add_to(types_[code], type_texts_[code].back(), PhraseKind::kType);
      }
    }
  }

  [[nodiscard]] Texts colours() const {
    Texts texts(catalog_.value_count(Attribute::kColour));
    for (std::uint32_t code = 0; code < texts.size(); ++code) {
      for (const ValuePhrase& phrase : value_phrases(catalog_.value_of(Attribute::kColour, code))) {
        if (!has_placeholder(phrase)) texts[code].push_back(written(phrase));
      }
    }
    return texts;
  }

  // "Ladieswear" is for ladies, "Baby/Children" for either.
  [[nodiscard]] Texts audiences() const {
    Texts texts(catalog_.value_count(Attribute::kIndexGroup));
    for (std::uint32_t code = 0; code < texts.size(); ++code) {
      for (const ValuePhrase& phrase : value_phrases(catalog_.value_of(Attribute::kIndexGroup, code))) {
        if (has_placeholder(phrase)) continue;
        const std::string text = written(phrase);
        const std::string_view wearer = text::wearer_of(text);
        texts[code].emplace_back(wearer.empty() ? std::string_view(text) : wearer);
      }
    }
    return texts;
  }

  void pair_up(Attribute attribute, const Texts& texts, PhraseKind kind, Pairs& pairs) {
    const auto firsts = catalog_.codes(attribute);
    const auto types = catalog_.codes(Attribute::kProductType);
    for (std::size_t row = 0; row < catalog_.size(); ++row) {
      const auto [entry, is_new] = pairs.try_emplace(pair(firsts[row], types[row]));
      if (!is_new) continue;
      for (const std::string& first : texts[firsts[row]]) {
        for (const std::string& type : type_texts_[types[row]]) counter_.add_to(entry->second, first + ' ' + type, kind);
      }
    }
  }

  [[nodiscard]] std::vector<PhraseIds> read_values(Attribute attribute, PhraseKind kind) {
    std::vector<PhraseIds> ids(catalog_.value_count(attribute));
    for (std::uint32_t code = 0; code < ids.size(); ++code) {
      // A list ("Womens Nightwear, Socks & Tigh") is the shop's own shorthand.
      const auto phrases = value_phrases(catalog_.value_of(attribute, code));
      if (phrases.size() != 1 || has_placeholder(phrases[0]) || !is_plain_words(phrases[0])) continue;
      counter_.add_to(ids[code], written(phrases[0]), kind);
    }
    return ids;
  }

  void count(std::uint32_t product, catalog::RowIndex row) {
    const auto code = [&](Attribute attribute) { return catalog_.codes(attribute)[row.value]; };
    const std::uint64_t purchases = catalog_.row(row).purchase_count();
    const std::uint32_t type = code(Attribute::kProductType);
    for (const PhraseIds* const ids :
         {&types_[type], &colour_types_.at(pair(code(Attribute::kColour), type)), &audience_types_.at(pair(code(Attribute::kIndexGroup), type)),
          &sections_[code(Attribute::kSection)], &departments_[code(Attribute::kDepartment)], &names_[catalog_.name_codes()[row.value]]}) {
      counter_.count(*ids, product, row.value, purchases);
    }
  }

  const catalog::Catalog& catalog_;
  PhraseCounter counter_;
  Texts type_texts_;
  std::vector<PhraseIds> types_;
  Pairs colour_types_;
  Pairs audience_types_;
  std::vector<PhraseIds> sections_;
  std::vector<PhraseIds> departments_;
  std::vector<PhraseIds> names_;
};

}  // namespace

std::string_view to_string(PhraseKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

Suggestions::Suggestions(const catalog::Catalog& catalog, std::size_t max_phrases) {
  const auto phrases = PhraseReader(catalog).take(max_phrases);
  std::vector<std::string_view> texts;
  texts.reserve(phrases.size());
  facts_.reserve(phrases.size());
  for (const auto& phrase : phrases) {
    texts_.intern(phrase.text);  // distinct: codes count up as places do
    texts.push_back(phrase.text);
    facts_.push_back({phrase.products, phrase.kind});
  }
  texts_.freeze();
  completion_ = PhraseCompletion(texts);
}

SuggestedPhrase Suggestions::phrase(std::size_t place) const {
  return {texts_[static_cast<std::uint32_t>(place)], facts_[place].kind, facts_[place].products};
}

std::vector<SuggestedPhrase> Suggestions::phrases(const std::vector<std::uint32_t>& places) const {
  std::vector<SuggestedPhrase> list;
  list.reserve(places.size());
  for (const std::uint32_t place : places) list.push_back(phrase(place));
  return list;
}

std::vector<SuggestedPhrase> Suggestions::complete(const TypedPrefix& prefix, std::size_t k) const {
  return phrases(completion_.complete(prefix, k));
}

std::vector<SuggestedPhrase> Suggestions::complete_mistyped(const TypedPrefix& prefix, std::size_t k) const {
  return phrases(completion_.complete_mistyped(prefix, k));
}

std::optional<SuggestedPhrase> Suggestions::find(std::string_view key) const {
  const auto place = completion_.find(key);
  return place ? std::optional(phrase(*place)) : std::nullopt;
}

std::size_t Suggestions::memory_bytes() const {
  return texts_.memory_bytes() + facts_.capacity() * sizeof(Facts) + completion_.memory_bytes();
}

}  // namespace scalestyle::retrieval
