// What an understood query means for the rows of the catalogue: which may be shown, and which are preferred.

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "catalog/filters.hpp"
#include "retrieval/query_understanding.hpp"
#include "retrieval/query_understanding_audience.hpp"

namespace scalestyle::retrieval {
namespace {

using catalog::Attribute;
using catalog::Bitmap;
using AudienceCredits = std::array<float, AudienceSet::kCombinations>;

AudienceCredits audience_credits(const UnderstoodPiece& piece) {
  AudienceCredits credits{};
  for (std::size_t bits = 0; bits < credits.size(); ++bits) {
    credits[bits] = audience_credit(piece.audience, piece.tolerated, {static_cast<std::uint8_t>(bits)});
  }
  return credits;
}

std::size_t index_of(std::uint32_t code) { return code; }
std::size_t index_of(AudienceSet audience) { return audience.bits; }

// Keeps the rows of `rows` whose code has a 1 in `kept`. Most words are full, so 64 rows are looked up at once.
template <class Code>
void keep_codes(Bitmap& rows, std::span<const Code> codes, std::span<const std::uint8_t> kept) {
  const auto words = rows.words();
  for (std::size_t w = 0; w < words.size(); ++w) {
    if (words[w] == 0) continue;
    const std::size_t first = w * 64;
    const std::size_t count = std::min<std::size_t>(64, codes.size() - first);
    std::array<std::uint8_t, 64> pass{};
    for (std::size_t i = 0; i < count; ++i) pass[i] = kept[index_of(codes[first + i])];
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, pass.data() + 8 * i, 8);
      word |= ((eight * 0x0102040810204080U) >> 56) << (8 * i);  // gathers the low bit of each byte, in order
    }
    rows.set_word(w, words[w] & word);
  }
}

void keep_prices(const catalog::Catalog& catalog, const PriceBounds& bounds, Bitmap& rows) {
  catalog::Filter filter;
  filter.price_min = bounds.least();
  filter.price_max = bounds.most();
  rows &= catalog::eligible(catalog, filter);
}

// By the catalogue's bitmaps where the attribute has them, else by a look at every row.
void exclude_codes(const catalog::Catalog& catalog, Attribute attribute, std::span<const std::uint32_t> codes, Bitmap& rows) {
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    if (catalog::attribute_of(field) != attribute) continue;
    Bitmap with_value(catalog.size());
    for (const std::uint32_t code : codes) catalog.rows_by_value(field).add_to(with_value, code);
    rows.and_not(with_value);
    return;
  }
  std::vector<std::uint8_t> kept(catalog.value_count(attribute), 1);
  for (const std::uint32_t code : codes) kept[code] = 0;
  keep_codes(rows, catalog.codes(attribute), kept);
}

// Preferences of which a row can meet only one: a row has one colour, one type.
enum class Slot : std::uint8_t { kThing, kColour, kShade, kPeople, kSport, kAppearance, kIndex, kSection, kDepartment };
constexpr std::size_t kSlots = 9;

Slot slot_of(const UnderstoodPiece& piece) {
  switch (piece.kind) {
    case PieceKind::kType:
    case PieceKind::kGroup: return Slot::kThing;
    case PieceKind::kColourFamily:
      if (!piece.values.empty() && piece.values.front().attribute == Attribute::kColourValue) return Slot::kShade;
      return Slot::kColour;
    case PieceKind::kAudience: return (piece.audience.bits & AudienceSet::kSport) != 0 ? Slot::kSport : Slot::kPeople;
    case PieceKind::kAppearance: return Slot::kAppearance;
    case PieceKind::kIndex: return Slot::kIndex;
    case PieceKind::kSection: return Slot::kSection;
    case PieceKind::kDepartment: return Slot::kDepartment;
    case PieceKind::kColour:
    case PieceKind::kPrice: break;
  }
  return Slot::kColour;
}

std::array<float, kSlots> slot_weights(const UnderstoodQuery& query) {
  std::array<float, kSlots> most{};
  for (const UnderstoodPiece& piece : query.pieces) {
    float& weight = most[static_cast<std::size_t>(slot_of(piece))];
    weight = std::max(weight, piece.weight);
  }
  return most;
}

// A query's preferences as tables, so that a row costs a few look-ups.
class Preferences {
 public:
  Preferences(const catalog::Catalog& catalog, const UnderstoodQuery& query) : catalog_(catalog) {
    for (const UnderstoodPiece& piece : query.pieces) {
      if (piece.weight > 0) add(piece);
    }
    for (const float weight : slot_weights(query)) total_ += weight;
  }

  [[nodiscard]] bool empty() const { return total_ == 0; }

  [[nodiscard]] float of(std::uint32_t row, AudienceSet audience) const {
    constexpr auto kPeople = static_cast<std::size_t>(Slot::kPeople);
    constexpr auto kSport = static_cast<std::size_t>(Slot::kSport);
    std::array<float, kSlots> met{};
    met[kPeople] = by_audience_[kPeople][audience.bits];
    met[kSport] = by_audience_[kSport][audience.bits];
    for (const Table& table : tables_) met[table.slot] = std::max(met[table.slot], table.worth[table.codes[row]]);
    float sum = 0;
    for (const float part : met) sum += part;
    return std::min(sum / total_, 1.0F);
  }

 private:
  struct Table {  // of one slot and one column: what each value is worth
    std::size_t slot = 0;
    Attribute attribute{};
    std::span<const std::uint32_t> codes;
    std::vector<float> worth;  // by code
  };

  void add(const UnderstoodPiece& piece) {
    const auto slot = static_cast<std::size_t>(slot_of(piece));
    if (piece.kind == PieceKind::kAudience) {
      const AudienceCredits credits = audience_credits(piece);
      for (std::size_t bits = 0; bits < credits.size(); ++bits) {
        by_audience_[slot][bits] = std::max(by_audience_[slot][bits], piece.weight * credits[bits]);
      }
      return;
    }
    for (const MatchedValue& value : piece.values) {
      float& worth = table_of(slot, value.attribute).worth[value.code];
      worth = std::max(worth, piece.weight * value.credit);
    }
  }

  Table& table_of(std::size_t slot, Attribute attribute) {
    for (Table& table : tables_) {
      if (table.slot == slot && table.attribute == attribute) return table;
    }
    tables_.push_back({slot, attribute, catalog_.codes(attribute), std::vector<float>(catalog_.value_count(attribute))});
    return tables_.back();
  }

  const catalog::Catalog& catalog_;
  float total_ = 0;
  std::array<AudienceCredits, kSlots> by_audience_{};
  std::vector<Table> tables_;
};

}  // namespace

void QueryUnderstanding::restrict(const UnderstoodQuery& query, const catalog::Catalog& articles, Bitmap& rows) const {
  assert(rows.size() == catalog_->size());
  std::array<std::vector<std::uint32_t>, catalog::kAttributeCount> excluded;  // codes
  std::array<std::uint8_t, AudienceSet::kCombinations> meant{};
  std::array<std::uint8_t, AudienceSet::kCombinations> kept{};
  kept.fill(1);
  bool audience_meant = false;
  bool audience_excluded = false;
  for (const UnderstoodPiece& piece : query.pieces) {
    if (piece.effect == PieceEffect::kPrefer) continue;
    if (piece.price) {
      keep_prices(articles, *piece.price, rows);
    } else if (piece.kind != PieceKind::kAudience) {
      for (const MatchedValue& value : piece.values) excluded[static_cast<std::size_t>(value.attribute)].push_back(value.code);
    } else if (piece.effect == PieceEffect::kFilter) {
      audience_meant = true;
      for (std::size_t bits = 0; bits < meant.size(); ++bits) {
        if (audience_passes(piece.audience, piece.tolerated, {static_cast<std::uint8_t>(bits)})) meant[bits] = 1;
      }
    } else {
      // Takes who is said to be such: "not for kids" leaves what is for nobody in particular.
      audience_excluded = true;
      const AudienceCredits credits = audience_credits(piece);
      for (std::size_t bits = 0; bits < kept.size(); ++bits) {
        if (credits[bits] == 1) kept[bits] = 0;
      }
    }
  }
  if (audience_meant) keep_codes(rows, std::span<const AudienceSet>(audience_of_row_), meant);
  if (audience_excluded) keep_codes(rows, std::span<const AudienceSet>(audience_of_row_), kept);
  for (const Attribute attribute : catalog::all_attributes()) {
    const auto& codes = excluded[static_cast<std::size_t>(attribute)];
    if (!codes.empty()) exclude_codes(*catalog_, attribute, codes, rows);
  }
}

void QueryUnderstanding::prefer(const UnderstoodQuery& query, std::span<const catalog::RowIndex> rows,
                                std::span<float> preferences) const {
  assert(rows.size() == preferences.size());
  const Preferences tables(*catalog_, query);
  if (tables.empty()) {
    std::ranges::fill(preferences, 0.0F);
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) preferences[i] = tables.of(rows[i].value, audience_of_row_[rows[i].value]);
}

float QueryUnderstanding::strength(const UnderstoodQuery& query) {
  float sum = 0;
  for (const float weight : slot_weights(query)) sum += weight;
  return sum;
}

float QueryUnderstanding::credit(const UnderstoodPiece& piece, catalog::RowIndex row) const {
  if (piece.price) {
    const double price = catalog_->prices()[row.value];  // not a number where there is none
    const double least = piece.price->least().value_or(0);
    return price >= least && price <= piece.price->most().value_or(price) ? 1.0F : 0.0F;
  }
  if (piece.kind == PieceKind::kAudience) return audience_credit(piece.audience, piece.tolerated, audience_of_row_[row.value]);
  float best = 0;
  for (const MatchedValue& value : piece.values) {
    if (catalog_->codes(value.attribute)[row.value] == value.code) best = std::max(best, value.credit);
  }
  return best;
}

}  // namespace scalestyle::retrieval
