#include "search/query_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "search/query_text.hpp"

namespace scalestyle::search {

namespace {

using catalog::FilterField;
using retrieval::PieceEffect;
using retrieval::PieceKind;
using retrieval::TextSpan;
using retrieval::UnderstoodPiece;

constexpr std::size_t kMaxValuesShown = 8;
constexpr std::string_view kFromQuery = "query";

bool any_filter(const catalog::Filter& filter, std::initializer_list<FilterField> fields) {
  return std::ranges::any_of(fields, [&](FilterField field) { return !filter[field].empty(); });
}

// Whether the request's own filter says something about what the piece is about.
bool is_overridden(PieceKind kind, const catalog::Filter& filter) {
  switch (kind) {
    case PieceKind::kColour:
    case PieceKind::kColourFamily: return any_filter(filter, {FilterField::kColour, FilterField::kColourFamily});
    case PieceKind::kType:
    case PieceKind::kGroup: return any_filter(filter, {FilterField::kType, FilterField::kGroup, FilterField::kGarmentGroup});
    case PieceKind::kAudience: return any_filter(filter, {FilterField::kIndex, FilterField::kSection, FilterField::kDepartment});
    case PieceKind::kIndex: return any_filter(filter, {FilterField::kIndex});
    case PieceKind::kSection: return any_filter(filter, {FilterField::kSection});
    case PieceKind::kDepartment: return any_filter(filter, {FilterField::kDepartment});
    case PieceKind::kPrice: return filter.price_min || filter.price_max;
    case PieceKind::kAppearance: break;
  }
  return false;
}

template <class Condition>
void drop(QueryReading& reading, DropReason why, Condition&& is_dropped) {
  std::erase_if(reading.understood.pieces, [&](UnderstoodPiece& piece) {
    if (!is_dropped(piece)) return false;
    reading.dropped.push_back({std::move(piece), why});
    return true;
  });
}

void move_to_query(const CorrectedText& corrected, retrieval::UnderstoodQuery& understood) {
  for (UnderstoodPiece& piece : understood.pieces) piece.span = corrected.in_query(piece.span);
  for (retrieval::UnderstandingNote& note : understood.notes) note.span = corrected.in_query(note.span);
  for (TextSpan& span : understood.removed) span = corrected.in_query(span);
}

std::string text_of(const QueryReading& reading, TextSpan span) {
  return reading.query.substr(span.begin, span.end - span.begin);
}

std::string price_text(const retrieval::PriceBounds& price) {
  std::string text;
  if (price.min) text = fmt::format("{} {}", price.includes_min ? "at least" : "over", *price.min);
  if (price.max) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", price.includes_max ? "at most" : "under", *price.max);
  return text;
}

// The values that the words name; of people who they are, which is the last part of the id.
std::string value_text(const UnderstoodPiece& piece) {
  if (piece.price) return price_text(*piece.price);
  if (piece.kind == PieceKind::kAudience) return piece.id.substr(piece.id.rfind(':') + 1);
  std::string text;
  std::size_t shown = 0;
  for (const retrieval::MatchedValue& value : piece.values) {
    if (value.credit < piece.values.front().credit || shown++ == kMaxValuesShown) break;
    text += (text.empty() ? "" : ", ") + value.text;
  }
  return text;
}

// Of the things that the query asks for (any, when it names none), whether one is in `rows`.
bool has_what_is_asked_for(const catalog::Catalog& articles, const retrieval::UnderstoodQuery& understood,
                           const catalog::Bitmap& rows) {
  catalog::Bitmap things(articles.size());
  bool any_named = false;
  for (const UnderstoodPiece& piece : understood.pieces) {
    if (piece.effect != PieceEffect::kPrefer || (piece.kind != PieceKind::kType && piece.kind != PieceKind::kGroup)) continue;
    for (const retrieval::MatchedValue& value : piece.values) {
      for (const FilterField field : {FilterField::kType, FilterField::kGroup, FilterField::kGarmentGroup}) {
        if (catalog::attribute_of(field) != value.attribute || value.credit < piece.values.front().credit) continue;
        articles.rows_by_value(field).add_to(things, value.code);
        any_named = true;
      }
    }
  }
  if (!any_named) return !rows.none();
  things &= rows;
  return !things.none();
}

Understood understood_of(const QueryReading& reading, const UnderstoodPiece& piece) {
  Understood entry{std::string(to_string(piece.kind)), value_text(piece), std::string(kFromQuery)};
  entry.id = piece.id;
  entry.text = text_of(reading, piece.span);
  entry.effect = to_string(piece.effect);
  return entry;
}

Understood note_of(std::string reason, std::string text, std::string words) {
  Understood entry{"note", std::move(text), std::string(kFromQuery)};
  entry.id = std::move(reason);
  entry.text = std::move(words);
  return entry;
}

}  // namespace

std::string_view to_string(DropReason reason) {
  return reason == DropReason::kExplicitFilter ? "explicit_filter" : "nothing_left";
}

QueryReading read_query(const retrieval::QueryUnderstanding& understanding, const ReadingWish& wish) {
  QueryReading reading{.query = std::string(wish.query), .understood = understanding.understand(wish.query, wish.switches)};
  std::vector<TextSpan> understood_as_typed;
  for (const UnderstoodPiece& piece : reading.understood.pieces) understood_as_typed.push_back(piece.span);
  const CorrectedText corrected = corrected_text(wish.query, wish.corrections, understood_as_typed);
  if (!corrected.changes.empty()) {
    reading.understood = understanding.understand(corrected.text, wish.switches);
    reading.meaning = reading.understood.removed.empty() ? corrected.text : reading.understood.remaining;
    move_to_query(corrected, reading.understood);
    const bool anything = !reading.meaning.empty();
    reading.understood.remaining = anything ? retrieval::text_without(wish.query, reading.understood.removed) : std::string();
  } else {
    reading.meaning = reading.understood.removed.empty() ? reading.query : reading.understood.remaining;
  }
  reading.words = reading.understood.removed.empty() ? reading.query : reading.understood.remaining;
  drop(reading, DropReason::kExplicitFilter,
       [&](const UnderstoodPiece& piece) { return is_overridden(piece.kind, wish.filter); });
  return reading;
}

void restrict_rows(const retrieval::QueryUnderstanding& understanding, const catalog::Catalog& articles, QueryReading& reading,
                   catalog::Bitmap& eligible) {
  if (!reading.understood.restricts()) return;
  const auto restricted_by = [&](const retrieval::UnderstoodQuery& understood) {
    catalog::Bitmap rows = eligible;
    understanding.restrict(understood, articles, rows);
    return rows;
  };
  const auto is_inferred = [](const UnderstoodPiece& piece) {
    return piece.kind == PieceKind::kAudience && piece.effect == PieceEffect::kFilter;
  };
  catalog::Bitmap restricted = restricted_by(reading.understood);
  const bool infers = std::ranges::any_of(reading.understood.pieces, is_inferred);
  if (infers && !has_what_is_asked_for(articles, reading.understood, restricted)) {
    retrieval::UnderstoodQuery strict = reading.understood;
    std::erase_if(strict.pieces, is_inferred);
    catalog::Bitmap without = restricted_by(strict);
    if (has_what_is_asked_for(articles, strict, without)) {
      drop(reading, DropReason::kNothingLeft, is_inferred);
      restricted = std::move(without);
    }
  }
  reading.nothing_left = restricted.none() && !eligible.none();
  eligible = std::move(restricted);
}

catalog::Filter typed_filter(const catalog::Filter& filter, const retrieval::UnderstoodQuery& understood) {
  catalog::Filter typed = filter;
  for (const UnderstoodPiece& piece : understood.pieces) {
    if (!piece.price) continue;
    if (const auto least = piece.price->least()) typed.price_min = std::max(typed.price_min.value_or(*least), *least);
    if (const auto most = piece.price->most()) typed.price_max = std::min(typed.price_max.value_or(*most), *most);
  }
  return typed;
}

std::vector<Understood> understood_pieces(const QueryReading& reading) {
  std::vector<std::pair<std::size_t, Understood>> entries;
  for (const UnderstoodPiece& piece : reading.understood.pieces) {
    entries.emplace_back(piece.span.begin, understood_of(reading, piece));
  }
  for (const DroppedPiece& dropped : reading.dropped) {
    Understood entry = understood_of(reading, dropped.piece);
    entry.effect = "dropped";
    entry.why = to_string(dropped.why);
    entries.emplace_back(dropped.piece.span.begin, std::move(entry));
  }
  std::ranges::stable_sort(entries, {}, [](const auto& entry) { return entry.first; });
  std::vector<Understood> all;
  for (auto& [place, entry] : entries) all.push_back(std::move(entry));
  for (const retrieval::UnderstandingNote& note : reading.understood.notes) {
    all.push_back(note_of(std::string(to_string(note.reason)), note.text, text_of(reading, note.span)));
  }
  if (reading.nothing_left) {
    all.push_back(note_of("nothing_left", "no article meets what the query asks for; leave a piece out with understand_without", {}));
  }
  if (reading.words.empty() && !reading.query.empty()) {
    all.push_back(note_of("no_words_left", "the query only says what articles must be: all of those, by popularity", {}));
  }
  return all;
}

}  // namespace scalestyle::search
