// What an understood query means for the rows of the catalogue: which may be shown, and which are preferred.

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
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

// Keeps the rows of `rows` for which passes(row) holds.
template <class Passes>
void keep_rows(Bitmap& rows, Passes&& passes) {
  const auto words = rows.words();
  for (std::size_t w = 0; w < words.size(); ++w) {
    std::uint64_t kept = words[w];
    for (std::uint64_t rest = kept; rest != 0; rest &= rest - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(rest));
      kept &= ~(std::uint64_t{!passes(w * 64 + bit)} << bit);
    }
    if (kept != words[w]) rows.set_word(w, kept);
  }
}

void keep_prices(const catalog::Catalog& catalog, const PriceBounds& bounds, Bitmap& rows) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  catalog::Filter filter;
  if (bounds.min) filter.price_min = bounds.includes_min ? *bounds.min : std::nextafter(*bounds.min, kInfinity);
  if (bounds.max) filter.price_max = bounds.includes_max ? *bounds.max : std::nextafter(*bounds.max, -kInfinity);
  rows &= catalog::eligible(catalog, filter);
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

// For one slot and one column: what each value is worth.
struct CreditTable {
  std::size_t slot = 0;
  Attribute attribute{};
  std::span<const std::uint32_t> codes;
  std::vector<float> worth;  // by code
};

}  // namespace

void QueryUnderstanding::restrict(const UnderstoodQuery& query, Bitmap& rows) const {
  assert(rows.size() == catalog_->size());
  std::array<std::vector<std::uint8_t>, catalog::kAttributeCount> excluded;  // by code; empty: nothing is
  for (const UnderstoodPiece& piece : query.pieces) {
    if (piece.effect == PieceEffect::kPrefer) continue;
    const bool exclude = piece.effect == PieceEffect::kExclude;
    if (piece.price) {
      keep_prices(*catalog_, *piece.price, rows);
    } else if (piece.kind == PieceKind::kAudience) {
      // An exclusion takes who is said to be such: "not for kids" leaves what is said to be for nobody in particular.
      const AudienceCredits credits = audience_credits(piece);
      keep_rows(rows, [&](std::size_t row) {
        const float credit = credits[audience_of_row_[row].bits];
        return exclude ? credit < 1 : credit > 0;
      });
    } else {
      for (const MatchedValue& value : piece.values) {
        auto& codes = excluded[static_cast<std::size_t>(value.attribute)];
        codes.resize(catalog_->value_count(value.attribute));
        codes[value.code] = 1;
      }
    }
  }
  for (const Attribute attribute : catalog::all_attributes()) {
    const auto& codes = excluded[static_cast<std::size_t>(attribute)];
    if (codes.empty()) continue;
    const auto column = catalog_->codes(attribute);
    keep_rows(rows, [&](std::size_t row) { return codes[column[row]] == 0; });
  }
}

void QueryUnderstanding::prefer(const UnderstoodQuery& query, std::span<const catalog::RowIndex> rows, std::span<float> preferences) const {
  assert(rows.size() == preferences.size());
  std::array<float, kSlots> most{};  // weight of each slot
  std::array<AudienceCredits, kSlots> by_audience{};
  std::vector<CreditTable> tables;
  for (const UnderstoodPiece& piece : query.pieces) {
    if (piece.effect != PieceEffect::kPrefer) continue;
    const auto slot = static_cast<std::size_t>(slot_of(piece));
    most[slot] = std::max(most[slot], piece.weight);
    if (piece.kind == PieceKind::kAudience) {
      const AudienceCredits credits = audience_credits(piece);
      for (std::size_t bits = 0; bits < credits.size(); ++bits) {
        by_audience[slot][bits] = std::max(by_audience[slot][bits], piece.weight * credits[bits]);
      }
      continue;
    }
    for (const MatchedValue& value : piece.values) {
      auto table = std::ranges::find_if(tables, [&](const CreditTable& entry) { return entry.slot == slot && entry.attribute == value.attribute; });
      if (table == tables.end()) {
        tables.push_back({slot, value.attribute, catalog_->codes(value.attribute), std::vector<float>(catalog_->value_count(value.attribute))});
        table = tables.end() - 1;
      }
      table->worth[value.code] = std::max(table->worth[value.code], piece.weight * value.credit);
    }
  }
  float total = 0;
  for (const float weight : most) total += weight;
  if (total == 0) {
    std::ranges::fill(preferences, 0.0F);
    return;
  }
  constexpr auto kPeople = static_cast<std::size_t>(Slot::kPeople);
  constexpr auto kSport = static_cast<std::size_t>(Slot::kSport);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t row = rows[i].value;
    const std::uint8_t audience = audience_of_row_[row].bits;
    std::array<float, kSlots> met{};
    met[kPeople] = by_audience[kPeople][audience];
    met[kSport] = by_audience[kSport][audience];
    for (const CreditTable& table : tables) met[table.slot] = std::max(met[table.slot], table.worth[table.codes[row]]);
    float sum = 0;
    for (const float part : met) sum += part;
    preferences[i] = std::min(sum / total, 1.0F);
  }
}

}  // namespace scalestyle::retrieval
