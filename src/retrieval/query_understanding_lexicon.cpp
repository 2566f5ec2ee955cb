#include "retrieval/query_understanding_lexicon.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "retrieval/query_understanding_audience.hpp"
#include "retrieval/query_understanding_language.hpp"
#include "retrieval/query_understanding_nouns.hpp"

namespace scalestyle::retrieval {
namespace {

using catalog::Attribute;
using Forms = std::vector<std::string>;

// A group or place that fewer rows have is a leftover of the shop's own book-keeping, not what a shopper says.
constexpr std::size_t kLeastGroupRows = 10'000;  // one row in so many
constexpr std::size_t kLeastPlaceRows = 5'000;

struct CodedPhrase {
  std::uint32_t code = 0;
  ValuePhrase phrase;
};

std::string joined(const Forms& forms) {
  std::string name;
  for (const std::string& form : forms) name += (name.empty() ? "" : "-") + form;
  return name;
}

class Builder {
 public:
  explicit Builder(const catalog::Catalog& catalog) : catalog_(catalog), nouns_(catalog) {}

  PhraseTable build(std::span<const AudienceSet> audience_of_row) {
    add_colours();
    add_shades();
    collect_types();
    add_types(true);
    add_groups(Attribute::kProductGroup);
    add_appearances();
    add_audiences(audience_of_row);
    add_types(false);
    add_groups(Attribute::kGarmentGroup);
    add_places(Attribute::kIndex, PieceKind::kIndex);
    add_places(Attribute::kSection, PieceKind::kSection);
    add_places(Attribute::kDepartment, PieceKind::kDepartment);
    return std::move(table_);
  }

  std::unordered_set<std::string> modifiers() const { return nouns_.modifiers(); }

 private:
  using Codes = std::vector<std::uint32_t>;

  std::vector<CodedPhrase> phrases_of(Attribute attribute, std::size_t one_row_in = 0) const {
    std::vector<std::size_t> rows;
    if (one_row_in != 0) {
      rows.resize(catalog_.value_count(attribute));
      for (const std::uint32_t code : catalog_.codes(attribute)) ++rows[code];
    }
    std::vector<CodedPhrase> phrases;
    for (std::uint32_t code = 0; code < catalog_.value_count(attribute); ++code) {
      if (one_row_in != 0 && rows[code] * one_row_in < catalog_.size()) continue;
      for (ValuePhrase& phrase : value_phrases(catalog_.value_of(attribute, code))) phrases.push_back({code, std::move(phrase)});
    }
    return phrases;
  }

  // A value may be credited more than once; add() keeps the most.
  void credit(Sense& sense, Attribute attribute, std::uint32_t code, float credit) const {
    sense.values.push_back({attribute, code, credit, std::string(catalog_.value_of(attribute, code))});
  }
  void credit(Sense& sense, Attribute attribute, const Codes& codes, float amount) const {
    for (const std::uint32_t code : codes) credit(sense, attribute, code, amount);
  }

  bool add(const Forms& forms, Sense sense) {
    if (sense.name.empty()) sense.name = joined(forms);
    const auto key = [](const MatchedValue& value) { return std::pair(value.attribute, value.code); };
    const auto by_key = [&](const MatchedValue& a, const MatchedValue& b) {
      return std::pair(key(a), b.credit) < std::pair(key(b), a.credit);
    };
    std::ranges::sort(sense.values, by_key);
    const auto repeated = std::ranges::unique(sense.values, {}, key);
    sense.values.erase(repeated.begin(), repeated.end());
    std::ranges::stable_sort(sense.values, std::greater(), &MatchedValue::credit);
    return table_.add(forms, std::move(sense));
  }

  // ---- colours ----

  // Everything whose last word is one hue: "Blue", "Dark Blue", "Light Blue".
  struct Hue {
    Codes groups;
    Codes families;
  };

  void add_colours() {
    const auto groups = phrases_of(Attribute::kColour);
    const auto families = phrases_of(Attribute::kColourFamily);
    std::map<std::string, Hue> hues;
    for (const auto& [code, phrase] : groups) hues[phrase.forms.back()].groups.push_back(code);
    for (const auto& [code, phrase] : families) hues[phrase.forms.back()].families.push_back(code);
    for (const auto& [code, phrase] : groups) {
      if (phrase.forms.size() == 1 || is_placeholder(phrase.forms.front())) continue;
      Sense sense{.kind = PieceKind::kColour};
      credit(sense, Attribute::kColour, code, 1);
      credit(sense, Attribute::kColourFamily, hues[phrase.forms.back()].families, kPartCredit);
      add(phrase.forms, std::move(sense));
    }
    for (const auto& [code, phrase] : families) {
      if (phrase.forms.size() == 1) continue;
      Sense sense{.kind = PieceKind::kColourFamily};
      credit(sense, Attribute::kColourFamily, code, 1);
      add(phrase.forms, std::move(sense));
    }
    for (const auto& [form, hue] : hues) {
      Sense sense{.kind = hue.groups.empty() ? PieceKind::kColourFamily : PieceKind::kColour, .excludes_akin = true};
      credit(sense, Attribute::kColour, hue.groups, 1);
      credit(sense, Attribute::kColourFamily, hue.families, hue.groups.empty() ? 1 : kPartCredit);
      add({form}, std::move(sense));
    }
  }

  void add_shades() {
    for (const ShadeName& shade : shade_names()) {
      for (const std::string_view phrase : {shade.phrase, shade.second_phrase}) {
        Forms forms;
        for (const QueryWord& word : query_words(phrase, kMaxValueWords)) forms.push_back(word.form);
        const Sense* const colour = table_.find(forms);
        if (colour == nullptr) continue;
        Sense sense = *colour;
        sense.name = shade.form;
        add({std::string(shade.form)}, std::move(sense));
        break;
      }
    }
    for (const auto& [code, phrase] : phrases_of(Attribute::kColourValue)) {
      for (const bool whole : {true, false}) {
        if (!whole && phrase.forms.size() == 1) continue;
        const Forms forms = whole ? phrase.forms : Forms{phrase.forms.back()};
        Sense& sense = shades_[forms];
        sense.kind = PieceKind::kColourFamily;
        sense.only_before_colour = true;
        credit(sense, Attribute::kColourValue, code, whole ? 1 : kPartCredit);
      }
    }
    for (auto& [forms, sense] : shades_) add(forms, std::move(sense));
  }

  // ---- types ----

  struct TypeEntry {
    Codes own;    // values of this name
    Codes kinds;  // values that end with it: "Vest top"
    const Noun* noun = nullptr;
    std::vector<std::string> surfaces;
    std::vector<std::pair<Attribute, std::uint32_t>> namesakes;  // groups and departments of the same name
  };

  void collect_types() {
    learned_ = nouns_.nouns();
    for (const auto& [code, phrase] : phrases_of(Attribute::kProductType)) {
      TypeEntry& entry = types_[phrase.forms];
      entry.own.push_back(code);
      entry.surfaces.push_back(phrase.surfaces.back());
      if (phrase.hyphenated_end && phrase.forms.size() == 2) types_[{phrase.forms[0] + phrase.forms[1]}].own.push_back(code);
      if (phrase.forms.size() > 1 && !phrase.hyphenated_end) types_[{phrase.forms.back()}].kinds.push_back(code);
    }
    for (const Noun& noun : learned_) types_[noun.forms].noun = &noun;
    for (const Attribute attribute : {Attribute::kProductGroup, Attribute::kGarmentGroup, Attribute::kDepartment}) {
      for (const auto& [code, phrase] : phrases_of(attribute)) {
        const auto entry = types_.find(phrase.forms);
        if (entry != types_.end()) entry->second.namesakes.emplace_back(attribute, code);
      }
    }
  }

  void add_types(bool named) {
    for (const auto& [forms, entry] : types_) {
      if (entry.own.empty() == named) continue;
      // The end of a name alone ("wear" of "Dog Wear") is a type only where descriptions use it so.
      if (!named && (entry.noun == nullptr || !entry.noun->clear || means_something_else(forms))) continue;
      Sense sense{.kind = PieceKind::kType, .surfaces = entry.surfaces};
      credit(sense, Attribute::kProductType, entry.own, 1);
      credit(sense, Attribute::kProductType, entry.kinds, named ? kPartCredit : 1);
      if (entry.noun != nullptr) credit_noun(sense, entry);
      for (const auto& [attribute, code] : entry.namesakes) credit(sense, attribute, code, kPartCredit);
      if (!named && forms.size() > 1) {  // swim shorts are a kind of shorts
        const auto last = types_.find({forms.back()});
        if (last != types_.end()) credit(sense, Attribute::kProductType, last->second.own, kPartCredit);
      }
      if (!named) {
        sense.confidence = std::min(entry.noun->covered, 1.0F);
        sense.certain = false;
      }
      add(forms, std::move(sense));
    }
  }

  // Where a type of this name takes a fair part of what is so called, other types are only akin to it; a "backpack" is
  // one of a few backpacks or, mostly, filed under "Bag".
  void credit_noun(Sense& sense, const TypeEntry& entry) const {
    const std::vector<TypeShare>& types = entry.noun->types;
    const bool own = std::ranges::any_of(types, [&](const TypeShare& type) {
      return std::ranges::find(entry.own, type.type) != entry.own.end();
    });
    for (const auto& [type, share] : types) {
      credit(sense, Attribute::kProductType, type, share / types.front().share * (own ? kPartCredit : 1));
    }
  }

  // "lace dress" as a noun of two words would swallow a look.
  [[nodiscard]] bool means_something_else(const Forms& forms) const {
    return std::any_of(forms.begin(), forms.end() - 1, [&](const std::string& form) {
      const Sense* const sense = table_.find(form);
      return sense != nullptr && sense->kind != PieceKind::kType;
    });
  }

  // ---- the rest ----

  void add_groups(Attribute attribute) {
    std::map<Forms, Codes> groups;
    for (const auto& [code, phrase] : phrases_of(attribute, kLeastGroupRows)) groups[phrase.forms].push_back(code);
    for (const auto& [forms, codes] : groups) {
      Sense sense{.kind = PieceKind::kGroup};
      credit(sense, attribute, codes, 1);
      add(forms, std::move(sense));
    }
  }

  void add_appearances() {
    struct Look {
      Codes own;
      Codes kinds;
    };
    std::map<Forms, Look> looks;
    for (const auto& [code, phrase] : phrases_of(Attribute::kAppearance)) {
      Forms forms = phrase.forms;
      if (forms.size() > 1) looks[{std::string(look_word(forms.back()))}].kinds.push_back(code);
      if (forms.size() == 1) forms[0] = look_word(forms[0]);
      looks[forms].own.push_back(code);
    }
    for (const auto& [forms, look] : looks) {
      Sense sense{.kind = PieceKind::kAppearance, .name = joined(forms)};
      credit(sense, Attribute::kAppearance, look.own, 1);
      credit(sense, Attribute::kAppearance, look.kinds, look.own.empty() ? 1 : kPartCredit);
      std::vector<std::string> words = {forms.back()};
      if (forms.size() == 1) {
        for (const auto& [word, same] : same_looks()) {
          if (same == forms[0]) words.emplace_back(word);
        }
      }
      Forms spelling = forms;
      for (const std::string& word : words) {
        spelling.back() = word;
        add(spelling, sense);
        for (const std::string& inflected : look_inflections(word)) {
          spelling.back() = inflected;
          add(spelling, sense);
        }
      }
    }
  }

  void add_audiences(std::span<const AudienceSet> audience_of_row) {
    unsigned bits = 0;
    for (const AudienceSet row : audience_of_row) bits |= row.bits;
    std::vector<std::pair<MatchedValue, AudienceSet>> values;
    for (const Attribute attribute : {Attribute::kIndex, Attribute::kSection}) {
      for (std::uint32_t code = 0; code < catalog_.value_count(attribute); ++code) {
        const std::string_view text = catalog_.value_of(attribute, code);
        values.push_back({{attribute, code, 1, std::string(text)}, audience_of_value(text)});
      }
    }
    for (const AudienceWord& word : audience_words()) {
      if ((word.asks.bits & ~bits) != 0) continue;  // nothing here is said to be for them
      Sense sense{.kind = PieceKind::kAudience, .name = std::string(word.name), .audience = word.asks, .tolerated = word.tolerates};
      for (const auto& [value, said] : values) {
        if (audience_credit(word.asks, word.tolerates, said) == 1) sense.values.push_back(value);
      }
      add({std::string(word.form)}, std::move(sense));
    }
  }

  // Only names that share no word with anything above: "Kids Girl Dresses" is a department, but whoever types it means
  // girls and dresses.
  void add_places(Attribute attribute, PieceKind kind) {
    std::map<Forms, Codes> places;
    for (const auto& [code, phrase] : phrases_of(attribute, kLeastPlaceRows)) {
      // "Knit & Woven" is one department, and neither "knit" nor "woven".
      if (kind != PieceKind::kIndex && value_phrases(catalog_.value_of(attribute, code)).size() > 1) continue;
      if (std::ranges::any_of(phrase.forms, [&](const std::string& form) { return table_.find(form) != nullptr; })) continue;
      places[phrase.forms].push_back(code);
    }
    for (const auto& [forms, codes] : places) {
      Sense sense{.kind = kind};
      credit(sense, attribute, codes, 1);
      add(forms, std::move(sense));
    }
  }

  const catalog::Catalog& catalog_;
  OpeningNouns nouns_;
  std::vector<Noun> learned_;
  std::map<Forms, TypeEntry> types_;
  std::map<Forms, Sense> shades_;
  PhraseTable table_;
};

}  // namespace

UnderstandingLexicon::UnderstandingLexicon(const catalog::Catalog& catalog, std::span<const AudienceSet> audience_of_row) {
  Builder builder(catalog);
  phrases_ = builder.build(audience_of_row);
  modifiers_ = builder.modifiers();
}

std::optional<PhraseTable::Match> UnderstandingLexicon::longest(std::span<const QueryWord> words, std::size_t first) const {
  auto match = phrases_.longest(words, first);
  if (!match || match->words > 1 || match->sense->kind != PieceKind::kType) return match;
  const std::string& surface = words[first].surface;
  const std::vector<std::string>& own = match->sense->surfaces;
  if (modifiers_.contains(surface) && std::ranges::find(own, surface) == own.end()) return std::nullopt;
  return match;
}

}  // namespace scalestyle::retrieval
