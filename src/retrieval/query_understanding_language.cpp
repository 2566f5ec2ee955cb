#include "retrieval/query_understanding_language.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace scalestyle::retrieval {
namespace {

using std::string_view;

template <std::size_t N>
bool contains(const std::array<string_view, N>& words, string_view word) {
  return std::ranges::find(words, word) != words.end();
}

constexpr AudienceSet set(unsigned bits) { return {static_cast<std::uint8_t>(bits)}; }
constexpr AudienceSet kNobody = set(0);
constexpr AudienceSet kBabies = set(AudienceSet::kBaby);
constexpr AudienceSet kWomen = set(AudienceSet::kAdult | AudienceSet::kFemale);
constexpr AudienceSet kMen = set(AudienceSet::kAdult | AudienceSet::kMale);
constexpr AudienceSet kGirls = set(AudienceSet::kChild | AudienceSet::kFemale);
constexpr AudienceSet kBoys = set(AudienceSet::kChild | AudienceSet::kMale);
constexpr AudienceSet kKids = set(AudienceSet::kChild);
constexpr AudienceSet kToddlers = set(AudienceSet::kBaby | AudienceSet::kChild);
constexpr AudienceSet kSporty = set(AudienceSet::kSport);

// A baby's clothes are children's clothes in a wider sense, but not the other way round.
constexpr AudienceWord kAudienceWords[] = {
    {"woman", "women", kWomen, kNobody},
    {"women", "women", kWomen, kNobody, true},
    {"lady", "women", kWomen, kNobody},
    {"ladieswear", "women", kWomen, kNobody, true},
    {"womenswear", "women", kWomen, kNobody, true},
    {"female", "women", kWomen, kNobody},
    {"man", "men", kMen, kNobody},
    {"men", "men", kMen, kNobody, true},
    {"menswear", "men", kMen, kNobody, true},
    {"gent", "men", kMen, kNobody},
    {"gentleman", "men", kMen, kNobody},
    {"gentlemen", "men", kMen, kNobody, true},
    {"male", "men", kMen, kNobody},
    {"girl", "girls", kGirls, kBabies},
    {"boy", "boys", kBoys, kBabies},
    {"kid", "kids", kKids, kBabies},
    {"child", "kids", kKids, kBabies},
    {"children", "kids", kKids, kBabies, true},
    {"kidswear", "kids", kKids, kBabies, true},
    {"childrenswear", "kids", kKids, kBabies, true},
    {"teen", "kids", kKids, kNobody},
    {"teenager", "kids", kKids, kNobody},
    {"baby", "baby", kBabies, kNobody},
    {"babywear", "baby", kBabies, kNobody, true},
    {"newborn", "baby", kBabies, kNobody},
    {"infant", "baby", kBabies, kNobody},
    {"toddler", "toddler", kToddlers, kNobody},
    {"sport", "sport", kSporty, kNobody},
    {"sportswear", "sport", kSporty, kNobody},
    {"activewear", "sport", kSporty, kNobody},
};

constexpr ShadeName kShadeNames[] = {
    {"navy", "dark blue", "blue"},        {"burgundy", "dark red", "red"},     {"maroon", "dark red", "red"},
    {"cream", "off white", "light beige"}, {"ivory", "off white", "white"},     {"charcoal", "dark grey", "grey"},
    {"camel", "dark beige", "beige"},     {"tan", "dark beige", "beige"},      {"nude", "light beige", "beige"},
    {"mint", "light green", "green"},     {"olive", "dark green", "green"},    {"mustard", "dark yellow", "yellow"},
    {"lilac", "light purple", "purple"},  {"lavender", "light purple", "purple"}, {"teal", "dark turquoise", "turquoise"},
};

// Symbols and the words that go with them. "$" and "kr" are the money of several countries.
constexpr string_view kDollars = "USD CAD AUD NZD SGD HKD";
constexpr string_view kCrowns = "SEK NOK DKK ISK";
constexpr std::pair<string_view, string_view> kMoney[] = {
    {"€", "EUR"},    {"eur", "EUR"},   {"euro", "EUR"},      {"euros", "EUR"},     {"$", kDollars},   {"usd", "USD"},
    {"dollar", kDollars}, {"dollars", kDollars}, {"bucks", kDollars}, {"£", "GBP"}, {"gbp", "GBP"},   {"pound", "GBP"},
    {"pounds", "GBP"}, {"quid", "GBP"}, {"kr", kCrowns},     {"sek", "SEK"},       {"nok", "NOK"},    {"dkk", "DKK"},
    {"chf", "CHF"},  {"pln", "PLN"},   {"zł", "PLN"},        {"¥", "JPY CNY"},     {"₹", "INR"},      {"inr", "INR"},
};

constexpr std::pair<string_view, string_view> kSpellings[] = {
    {"gray", "grey"},           {"grayish", "greyish"}, {"color", "colour"},  {"pajama", "pyjama"},
    {"jewelry", "jewellery"},   {"sulfur", "sulphur"},  {"aluminum", "aluminium"},
};

constexpr std::pair<string_view, string_view> kLooks[] = {
    {"plain", "solid"}, {"pattern", "print"}, {"plaid", "check"}, {"tartan", "check"}, {"gingham", "check"},
};

constexpr std::array<string_view, 30> kMeasures = {
    "%",     "denier", "den",  "cm",    "mm",    "m",      "inch", "inches", "ml",   "l",    "litre",
    "litres", "g",     "kg",   "oz",    "lb",    "year",   "years", "month", "months", "week", "weeks",
    "day",   "days",   "pack", "pcs",   "piece", "pieces", "degrees", "x"};
constexpr std::array<string_view, 9> kMeasured = {"size", "sizes", "age", "ages", "aged", "waist", "length", "height", "no"};
constexpr std::array<string_view, 6> kNegations = {"no", "not", "without", "non", "except", "excluding"};
constexpr std::array<string_view, 11> kFillers = {"a", "my", "an", "any", "the", "too", "in", "with", "for", "of", "all"};
constexpr std::array<string_view, 2> kAlternatives = {"or", "nor"};
constexpr std::array<string_view, 14> kPrepositions = {"with", "without", "for",  "from", "to",   "in",  "on",
                                                       "under", "over",   "like", "at",   "by", "featuring", "against"};
constexpr std::array<string_view, 8> kPlaceholders = {"unknown", "undefined", "other", "none", "na", "misc", "item", "various"};

}  // namespace

std::string word_form(string_view folded) {
  string_view word = folded;
  if (word.ends_with("'s")) word.remove_suffix(2);
  std::string form;
  form.reserve(word.size());
  std::ranges::copy_if(word, std::back_inserter(form), [](char c) { return c != '\''; });
  const auto ends = [&form](string_view end) { return string_view(form).ends_with(end); };
  const auto cut = [&form](std::size_t bytes) { form.resize(form.size() - bytes); };
  if (form.size() > 4 && ends("ies")) {
    cut(3);
    form += 'y';
  } else if (ends("arves")) {  // scarves
    cut(3);
    form += 'f';
  } else if (ends("sses") || ends("xes") || ends("ches") || ends("shes")) {
    cut(2);
  } else if (form.size() >= 3 && ends("s") && !ends("ss") && !ends("us") && !ends("is")) {
    cut(1);
  }
  if (form.size() > 4 && ends("ie")) {  // "hoodie" meets "hoodies"
    cut(2);
    form += 'y';
  }
  for (const auto& [american, british] : kSpellings) {
    if (form == american) form = british;
  }
  return form;
}

std::span<const AudienceWord> audience_words() { return kAudienceWords; }

const AudienceWord* audience_word(string_view form) {
  const auto* const found = std::ranges::find(kAudienceWords, form, &AudienceWord::form);
  return found == std::end(kAudienceWords) ? nullptr : found;
}

std::span<const ShadeName> shade_names() { return kShadeNames; }

string_view look_word(string_view form) {
  for (const auto& [word, same] : kLooks) {
    if (form == word) return same;
  }
  return form;
}

std::span<const std::pair<string_view, string_view>> same_looks() { return kLooks; }

std::vector<std::string> look_inflections(string_view form) {
  std::string stem(form);
  if (form.ends_with("ing")) stem.resize(stem.size() - 3);
  if (form.ends_with('e') || form.ends_with('y')) stem.resize(stem.size() - 1);
  if (stem.size() < 3) return {};
  std::vector<std::string> inflections = {stem + "ed", stem + "y", stem + "ing"};
  if (stem != form) inflections.push_back(stem);
  constexpr string_view kVowels = "aeiou";
  const auto vowel = [&](std::size_t from_end) { return kVowels.find(stem[stem.size() - from_end]) != string_view::npos; };
  if (stem == form && !vowel(1) && vowel(2) && !vowel(3)) {  // "dotted"
    const std::string doubled = stem + stem.back();
    for (const string_view end : {"ed", "y", "ing"}) inflections.push_back(doubled + std::string(end));
  }
  std::erase(inflections, form);
  return inflections;
}

string_view currencies_of(string_view surface) {
  for (const auto& [word, codes] : kMoney) {
    if (surface == word) return codes;
  }
  return {};
}

bool is_measure(string_view surface) { return contains(kMeasures, surface); }
bool is_measured(string_view surface) { return contains(kMeasured, surface); }
bool is_negation(string_view surface) { return contains(kNegations, surface); }
bool is_filler(string_view surface) { return contains(kFillers, surface); }
bool is_alternative(string_view surface) { return contains(kAlternatives, surface); }
bool is_conjunction(string_view surface) { return surface == "and" || is_alternative(surface); }
bool is_preposition(string_view surface) { return contains(kPrepositions, surface); }
bool is_placeholder(string_view form) { return contains(kPlaceholders, form); }

}  // namespace scalestyle::retrieval
