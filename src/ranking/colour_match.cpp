#include "ranking/colour_match.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "catalog/filters.hpp"

namespace scalestyle::ranking {

namespace {

constexpr float kWithNeutral = 1.0F;
constexpr float kSameFamily = 0.9F;
constexpr float kStatedPair = 0.85F;
constexpr float kOtherwise = 0.4F;

struct ColourWord {
  std::string_view word;
  Hue hue;
};

// The first that a name has, in this order: a "Greenish Khaki" is khaki, a "Yellowish Brown" brown, a "Greyish Beige" beige.
constexpr std::array kWords{
    ColourWord{"khaki", Hue::kKhaki},   ColourWord{"olive", Hue::kKhaki},      ColourWord{"beige", Hue::kBeige},
    ColourWord{"mole", Hue::kBeige},    ColourWord{"cream", Hue::kWhite},      ColourWord{"ivory", Hue::kWhite},
    ColourWord{"taupe", Hue::kBeige},   ColourWord{"camel", Hue::kBrown},      ColourWord{"brown", Hue::kBrown},
    ColourWord{"navy", Hue::kNavy},     ColourWord{"black", Hue::kBlack},      ColourWord{"white", Hue::kWhite},
    ColourWord{"gold", Hue::kMetal},    ColourWord{"silver", Hue::kMetal},     ColourWord{"bronze", Hue::kMetal},
    ColourWord{"copper", Hue::kMetal},  ColourWord{"metal", Hue::kMetal},      ColourWord{"metallic", Hue::kMetal},
    ColourWord{"grey", Hue::kGrey},     ColourWord{"gray", Hue::kGrey},        ColourWord{"turquoise", Hue::kTurquoise},
    ColourWord{"teal", Hue::kTurquoise}, ColourWord{"mint", Hue::kGreen},      ColourWord{"green", Hue::kGreen},
    ColourWord{"yellow", Hue::kYellow}, ColourWord{"mustard", Hue::kYellow},   ColourWord{"orange", Hue::kOrange},
    ColourWord{"rust", Hue::kOrange},   ColourWord{"coral", Hue::kOrange},     ColourWord{"burgundy", Hue::kRed},
    ColourWord{"red", Hue::kRed},       ColourWord{"pink", Hue::kPink},        ColourWord{"rose", Hue::kPink},
    ColourWord{"purple", Hue::kPurple}, ColourWord{"lilac", Hue::kPurple},     ColourWord{"lavender", Hue::kPurple},
    ColourWord{"violet", Hue::kPurple}, ColourWord{"denim", Hue::kBlue},       ColourWord{"blue", Hue::kBlue}};

constexpr std::array<std::pair<Hue, Hue>, 18> kPairs{{{Hue::kBlue, Hue::kBrown},
                                                      {Hue::kBlue, Hue::kKhaki},
                                                      {Hue::kBlue, Hue::kTurquoise},
                                                      {Hue::kBlue, Hue::kPink},
                                                      {Hue::kBlue, Hue::kYellow},
                                                      {Hue::kBlue, Hue::kRed},
                                                      {Hue::kBlue, Hue::kOrange},
                                                      {Hue::kBrown, Hue::kKhaki},
                                                      {Hue::kBrown, Hue::kGreen},
                                                      {Hue::kBrown, Hue::kOrange},
                                                      {Hue::kBrown, Hue::kYellow},
                                                      {Hue::kBrown, Hue::kPink},
                                                      {Hue::kKhaki, Hue::kOrange},
                                                      {Hue::kKhaki, Hue::kGreen},
                                                      {Hue::kPink, Hue::kRed},
                                                      {Hue::kPink, Hue::kPurple},
                                                      {Hue::kPink, Hue::kGreen},
                                                      {Hue::kGreen, Hue::kTurquoise}}};

// Whole words of a folded name.
bool has_word(std::string_view folded, std::string_view word) {
  const auto is_letter = [&](std::size_t at) { return at < folded.size() && folded[at] >= 'a' && folded[at] <= 'z'; };
  for (std::size_t at = folded.find(word); at != std::string_view::npos; at = folded.find(word, at + 1)) {
    if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + word.size())) return true;
  }
  return false;
}

Hue by_words(std::string_view name) {
  const std::string folded = catalog::fold_value(name);
  const auto found = std::ranges::find_if(kWords, [&](const ColourWord& entry) { return has_word(folded, entry.word); });
  if (found == kWords.end()) return Hue::kUnknown;
  return found->hue == Hue::kBlue && has_word(folded, "dark") ? Hue::kNavy : found->hue;
}

bool is_neutral(Hue hue) { return hue >= Hue::kBlack && hue <= Hue::kMetal; }

}  // namespace

Hue hue_of(std::string_view colour, std::string_view family) {
  const Hue hue = by_words(colour);
  return hue != Hue::kUnknown ? hue : by_words(family);
}

float colour_match(Hue a, Hue b) {
  if (a == Hue::kUnknown || b == Hue::kUnknown) return kUnknownColours;
  if (is_neutral(a) || is_neutral(b)) return kWithNeutral;
  if (a == b) return kSameFamily;
  const std::pair pair(std::min(a, b), std::max(a, b));
  const bool is_stated = std::ranges::any_of(kPairs, [&](const auto& stated) {
    return std::min(stated.first, stated.second) == pair.first && std::max(stated.first, stated.second) == pair.second;
  });
  return is_stated ? kStatedPair : kOtherwise;
}

RowHues::RowHues(const catalog::Catalog& articles) : hues_(articles.size()) {
  const auto colours = articles.codes(catalog::Attribute::kColour);
  const auto families = articles.codes(catalog::Attribute::kColourFamily);
  std::map<std::pair<std::uint32_t, std::uint32_t>, Hue> known;
  for (std::size_t row = 0; row < hues_.size(); ++row) {
    const auto [found, is_new] = known.try_emplace({colours[row], families[row]}, Hue::kUnknown);
    if (is_new) {
      found->second = hue_of(articles.value_of(catalog::Attribute::kColour, colours[row]),
                             articles.value_of(catalog::Attribute::kColourFamily, families[row]));
    }
    hues_[row] = found->second;
  }
}

}  // namespace scalestyle::ranking
