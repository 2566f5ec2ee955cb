#include "retrieval/understood_query.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace scalestyle::retrieval {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::array<PieceKind, kPieceKindCount> kKinds = {
    PieceKind::kColour,     PieceKind::kColourFamily, PieceKind::kType,    PieceKind::kGroup,      PieceKind::kAudience,
    PieceKind::kAppearance, PieceKind::kIndex,        PieceKind::kSection, PieceKind::kDepartment, PieceKind::kPrice};
constexpr std::array<std::string_view, kPieceKindCount> kKindNames = {
    "colour", "colour_family", "type", "group", "audience", "appearance", "index", "section", "department", "price"};

}  // namespace

const std::array<PieceKind, kPieceKindCount>& all_piece_kinds() { return kKinds; }

std::string_view to_string(PieceKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<PieceKind> piece_kind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return kKinds[static_cast<std::size_t>(found - kKindNames.begin())];
}

std::string_view to_string(PieceEffect effect) {
  switch (effect) {
    case PieceEffect::kFilter: return "filter";
    case PieceEffect::kPrefer: return "prefer";
    case PieceEffect::kExclude: return "exclude";
  }
  return {};
}

std::string_view to_string(UnderstandingNote::Reason reason) {
  switch (reason) {
    case UnderstandingNote::Reason::kPricesAreNotMoney: return "prices_are_not_money";
    case UnderstandingNote::Reason::kOtherCurrency: return "other_currency";
    case UnderstandingNote::Reason::kContradiction: return "contradiction";
    case UnderstandingNote::Reason::kTooLong: return "too_long";
  }
  return {};
}

std::optional<double> PriceBounds::least() const {
  return !min || includes_min ? min : std::nextafter(*min, kInfinity);
}

std::optional<double> PriceBounds::most() const {
  return !max || includes_max ? max : std::nextafter(*max, -kInfinity);
}

std::string text_without(std::string_view text, std::span<const TextSpan> removed) {
  std::string left;
  const auto keep = [&](std::size_t begin, std::size_t end) {
    std::string_view part = text.substr(begin, end - begin);
    const std::size_t first = part.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return;
    part = part.substr(first, part.find_last_not_of(kBlanks) - first + 1);
    if (!left.empty()) left += ' ';
    left += part;
  };
  std::size_t begin = 0;
  for (const TextSpan& span : removed) {
    keep(begin, span.begin);
    begin = span.end;
  }
  keep(begin, text.size());
  return left;
}

bool UnderstoodQuery::restricts() const {
  return std::ranges::any_of(pieces, [](const auto& piece) { return piece.effect != PieceEffect::kPrefer; });
}

bool UnderstoodQuery::prefers() const {
  return std::ranges::any_of(pieces, [](const auto& piece) { return piece.weight > 0; });
}

}  // namespace scalestyle::retrieval
