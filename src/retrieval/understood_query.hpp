#pragma once
// What a query says besides its words: colours, product types, audience, prices, what is not wanted. The result of
// QueryUnderstanding (query_understanding.hpp); plain values, valid after the catalogue is gone.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article.hpp"

namespace scalestyle::retrieval {

enum class PieceKind : std::uint8_t {
  kColour,        // colour_group_name; its family counts partly
  kColourFamily,  // perceived colour, where no colour group has the word
  kType,          // product_type_name
  kGroup,         // product_group_name, garment_group_name
  kAudience,      // who wears it, or for sport: from index, section and department
  kAppearance,    // graphical_appearance_name
  kIndex,
  kSection,
  kDepartment,
  kPrice,
};
inline constexpr std::size_t kPieceKindCount = 10;
[[nodiscard]] const std::array<PieceKind, kPieceKindCount>& all_piece_kinds();

// colour, colour_family, type, group, audience, appearance, index, section, department, price.
[[nodiscard]] std::string_view to_string(PieceKind kind);
[[nodiscard]] std::optional<PieceKind> piece_kind(std::string_view name);

enum class PieceEffect : std::uint8_t {
  kFilter,   // only rows that have it may be shown (an audience: or of which the catalogue does not say otherwise)
  kPrefer,   // rows that have it come first
  kExclude,  // rows that have it may not be shown
};
[[nodiscard]] std::string_view to_string(PieceEffect effect);  // filter, prefer, exclude

// Bytes [begin, end) of the query as it was given; begin < end, both between characters.
struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;

  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

// A value of the catalogue's dictionaries. `credit` in (0, 1] is how well a row with it meets the piece: 1 what the
// word says, less for what is only akin to it.
struct MatchedValue {
  catalog::Attribute attribute = catalog::Attribute::kColour;
  std::uint32_t code = 0;
  float credit = 1;
  std::string text{};

  friend bool operator==(const MatchedValue&, const MatchedValue&) = default;
};

// In the catalogue's unit; at least one bound; min ≤ max.
struct PriceBounds {
  std::optional<double> min{};
  std::optional<double> max{};
  bool includes_min = true;
  bool includes_max = true;

  // The least and the greatest price within them.
  [[nodiscard]] std::optional<double> least() const;
  [[nodiscard]] std::optional<double> most() const;

  friend bool operator==(const PriceBounds&, const PriceBounds&) = default;
};

// Who an article is for: sets of ages, of genders, and sport. An empty set of the first two means "not said".
struct AudienceSet {
  static constexpr std::uint8_t kAdult = 1, kChild = 2, kBaby = 4, kFemale = 8, kMale = 16, kSport = 32;
  static constexpr std::uint8_t kAges = kAdult | kChild | kBaby, kGenders = kFemale | kMale;
  static constexpr std::size_t kCombinations = 64;

  std::uint8_t bits = 0;

  friend bool operator==(const AudienceSet&, const AudienceSet&) = default;
};

struct UnderstoodPiece {
  PieceKind kind = PieceKind::kColour;
  PieceEffect effect = PieceEffect::kPrefer;
  TextSpan span{};                     // of the words meant, with the word that negates them or makes them a price
  std::string id{};                    // "colour:light-blue", "not:colour:black", "price:max-20": the same for the same
                                       // words in any query, so that a client can switch it off
  std::vector<MatchedValue> values{};  // empty for prices; by falling credit, then attribute and code
  float weight = 0;                    // in (0, 1]: rows that have it come first; 0 for prices and exclusions
  std::optional<PriceBounds> price{};
  AudienceSet audience{};              // what an audience piece asks for
  AudienceSet tolerated{};             // ages that it counts partly

  friend bool operator==(const UnderstoodPiece&, const UnderstoodPiece&) = default;
};

// Why something that looks like a piece stayed text.
struct UnderstandingNote {
  enum class Reason : std::uint8_t {
    kPricesAreNotMoney,  // PriceUnit says so
    kOtherCurrency,
    kContradiction,      // two price phrases that no price can meet
    kTooLong,            // only the first words of the query were looked at, or only the first pieces kept
  };
  Reason reason = Reason::kTooLong;
  TextSpan span{};
  std::string text{};  // for people

  friend bool operator==(const UnderstandingNote&, const UnderstandingNote&) = default;
};
[[nodiscard]] std::string_view to_string(UnderstandingNote::Reason reason);  // prices_are_not_money, …

struct UnderstoodQuery {
  std::vector<UnderstoodPiece> pieces{};  // by span
  std::vector<TextSpan> removed{};        // what `remaining` leaves out: prices and exclusions. Sorted, apart
  std::string remaining{};                // for the legs that search by words and meaning; empty when nothing that says
                                          // something is left ("not black and under 20")
  std::vector<UnderstandingNote> notes{};

  [[nodiscard]] bool restricts() const;  // some piece filters or excludes
  [[nodiscard]] bool prefers() const;    // some piece has a weight

  friend bool operator==(const UnderstoodQuery&, const UnderstoodQuery&) = default;
};

// `text` without these parts (sorted, apart): what is left is trimmed and joined by one blank.
[[nodiscard]] std::string text_without(std::string_view text, std::span<const TextSpan> removed);

}  // namespace scalestyle::retrieval
