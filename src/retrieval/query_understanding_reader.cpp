#include "retrieval/query_understanding_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "retrieval/query_understanding_language.hpp"

namespace scalestyle::retrieval {
namespace {

using Reason = UnderstandingNote::Reason;

constexpr std::size_t kMaxFillers = 2;  // "not in the …"

bool names_things(PieceKind kind) { return kind == PieceKind::kType || kind == PieceKind::kGroup; }

std::string price_id(const PriceBounds& bounds) {
  if (bounds.min && bounds.max) return fmt::format("price:{}-{}", *bounds.min, *bounds.max);
  return bounds.min ? fmt::format("price:min-{}", *bounds.min) : fmt::format("price:max-{}", *bounds.max);
}

}  // namespace

double QueryReader::weight_of(const Sense& sense) const {
  if (sense.only_before_colour) return options_.appearance;
  switch (sense.kind) {
    case PieceKind::kColour:
    case PieceKind::kColourFamily: return options_.colour;
    case PieceKind::kType:
    case PieceKind::kGroup: return options_.thing;
    case PieceKind::kAudience: return options_.audience;
    case PieceKind::kAppearance: return options_.appearance;
    case PieceKind::kIndex:
    case PieceKind::kSection:
    case PieceKind::kDepartment: return options_.place;
    case PieceKind::kPrice: break;
  }
  return 0;
}

void QueryReader::note(Reason reason, TextSpan span, std::string text) { notes_.push_back({reason, span, std::move(text)}); }

UnderstoodPiece QueryReader::piece_of(const Sense& sense, PieceEffect effect, TextSpan span) const {
  UnderstoodPiece piece{.kind = sense.kind, .effect = effect, .span = span};
  piece.id = fmt::format("{}{}:{}", effect == PieceEffect::kExclude ? "not:" : "", to_string(sense.kind), sense.name);
  piece.values = sense.values;
  piece.audience = sense.audience;
  piece.tolerated = sense.tolerated;
  if (effect != PieceEffect::kExclude) {
    piece.weight = static_cast<float>(weight_of(sense)) * sense.confidence;
  } else if (!sense.excludes_akin) {
    std::erase_if(piece.values, [](const MatchedValue& value) { return value.credit < 1; });
  }
  return piece;
}

std::size_t QueryReader::read_price(std::size_t first) {
  const auto phrase = price_phrase(words_, first);
  if (!phrase) return first;
  const TextSpan span{words_[first].span.begin, words_[phrase->end - 1].span.end};
  if (!unit_.is_money) {
    note(Reason::kPricesAreNotMoney, span, unit_.reason);
  } else if (!phrase->currencies.empty() && !unit_.currency.empty() && phrase->currencies.find(unit_.currency) == std::string_view::npos) {
    note(Reason::kOtherCurrency, span, fmt::format("prices here are in {}", unit_.currency));
  } else {
    UnderstoodPiece piece{.kind = PieceKind::kPrice, .effect = PieceEffect::kFilter, .span = span};
    piece.id = price_id(phrase->bounds);
    piece.price = phrase->bounds;
    found_.push_back({.piece = std::move(piece), .first_word = first, .end_word = phrase->end});
  }
  return phrase->end;
}

// "not black", "no print or lace", "not in red and green": the list goes on with "or" to anything, with "and" or a comma
// only to more of the same kind ("not black and a belt" is about one colour).
std::size_t QueryReader::read_negation(std::size_t first) {
  std::size_t end = first;
  std::size_t piece_begin = first;  // the first piece takes the negation, the others their "or"
  std::size_t next = first;
  PieceKind kind{};
  while (next < words_.size()) {
    bool any_kind = end == first;
    if (end != first) {
      const bool conjunction = is_conjunction(words_[next].surface);
      if (!conjunction && !words_[next].listed) break;
      any_kind = is_alternative(words_[next].surface);
      if (conjunction) ++next;
    }
    if (next < words_.size() && is_negation(words_[next].surface)) {
      any_kind = true;
      ++next;
    }
    for (std::size_t fillers = 0; fillers < kMaxFillers && next < words_.size() && is_filler(words_[next].surface); ++fillers) ++next;
    const auto match = lexicon_.longest(words_, next);
    if (!match || !match->sense->certain || match->sense->only_before_colour) break;
    if (!any_kind && match->sense->kind != kind) break;
    kind = match->sense->kind;
    next += match->words;
    const TextSpan span{words_[piece_begin].span.begin, words_[next - 1].span.end};
    found_.push_back({.piece = piece_of(*match->sense, PieceEffect::kExclude, span), .first_word = piece_begin, .end_word = next});
    end = piece_begin = next;
  }
  return end;
}

std::size_t QueryReader::read_phrase(std::size_t first) {
  const auto match = lexicon_.longest(words_, first);
  if (!match) return first;
  const std::size_t end = first + match->words;
  if (weight_of(*match->sense) > 0) {
    const TextSpan span{words_[first].span.begin, words_[end - 1].span.end};
    const PieceEffect effect = surely_means(*match->sense, first) ? PieceEffect::kFilter : PieceEffect::kPrefer;
    found_.push_back({piece_of(*match->sense, effect, span), phrase_, subordinate_, match->sense, first, end});
  }
  return end;
}

// One person in the singular may be part of another name ("baby blue", "girl power"); several, an owner or "for" are not.
bool QueryReader::surely_means(const Sense& sense, std::size_t word) const {
  if (!options_.audience_filters || sense.kind != PieceKind::kAudience || (sense.audience.bits & AudienceSet::kSport) != 0) return false;
  const AudienceWord* const said = audience_word(words_[word].form);
  if ((said != nullptr && said->several) || words_[word].surface != words_[word].form) return true;
  std::size_t before = word;
  while (before > 0 && is_filler(words_[before - 1].surface)) {
    if (words_[--before].surface == "for") return true;
  }
  return false;
}

void QueryReader::follow_grammar(const QueryWord& word) {
  if (word.listed || (!word.continues && !word.symbol)) ++phrase_;
  if (is_conjunction(word.surface)) ++phrase_;
  if (is_preposition(word.surface)) {
    ++phrase_;
    subordinate_ = true;
  }
}

// "shirt dress" is a dress, "dress with a belt" no belt; "skirt or dress" is both.
void QueryReader::keep_what_names_the_thing() {
  bool main_thing = false;
  for (const Found& found : found_) {
    main_thing = main_thing || (found.sense != nullptr && names_things(found.piece.kind) && !found.subordinate);
  }
  std::vector<bool> keep(found_.size(), true);
  const Found* later = nullptr;
  for (std::size_t i = found_.size(); i-- > 0;) {
    const Found& found = found_[i];
    if (found.sense == nullptr || !names_things(found.piece.kind)) continue;
    keep[i] = !(found.subordinate && main_thing) && (later == nullptr || later->phrase != found.phrase);
    if (keep[i]) later = &found;
  }
  std::size_t i = 0;
  std::erase_if(found_, [&](const Found&) { return !keep[i++]; });
}

void QueryReader::keep_shades_before_colours() {
  const auto followed = [&](const Found& shade) {
    return std::ranges::any_of(found_, [&](const Found& other) {
      return other.sense != nullptr && other.piece.kind == PieceKind::kColour && other.first_word == shade.end_word &&
             words_[other.first_word].continues;
    });
  };
  std::vector<bool> keep;
  for (const Found& found : found_) keep.push_back(found.sense == nullptr || !found.sense->only_before_colour || followed(found));
  std::size_t i = 0;
  std::erase_if(found_, [&](const Found&) { return !keep[i++]; });
}

void QueryReader::keep_each_preference_once() {
  std::vector<std::string> seen;
  std::erase_if(found_, [&](const Found& found) {
    if (found.sense == nullptr) return false;
    if (std::ranges::find(seen, found.piece.id) != seen.end()) return true;
    seen.push_back(found.piece.id);
    return false;
  });
}

void QueryReader::drop_contradicting_prices() {
  PriceBounds all{.min = 0};
  for (const Found& found : found_) {
    if (!found.piece.price) continue;
    const PriceBounds& price = *found.piece.price;
    if (price.min && *price.min >= *all.min) {
      all.includes_min = *price.min > *all.min ? price.includes_min : all.includes_min && price.includes_min;
      all.min = price.min;
    }
    if (price.max && (!all.max || *price.max <= *all.max)) {
      all.includes_max = !all.max || *price.max < *all.max ? price.includes_max : all.includes_max && price.includes_max;
      all.max = price.max;
    }
  }
  if (!all.max || *all.min < *all.max || (*all.min == *all.max && all.includes_min && all.includes_max)) return;
  std::erase_if(found_, [&](const Found& found) {
    if (!found.piece.price) return false;
    note(Reason::kContradiction, found.piece.span, "no price is within all of these bounds");
    return true;
  });
}

UnderstoodQuery QueryReader::read(std::string_view query) && {
  words_ = query_words(query, QueryUnderstanding::kMaxWords + 1);
  if (words_.size() > QueryUnderstanding::kMaxWords) {
    words_.pop_back();
    note(Reason::kTooLong, {words_.back().span.end, query.size()},
         fmt::format("only the first {} words were looked at", QueryUnderstanding::kMaxWords));
  }
  for (std::size_t i = 0; i < words_.size();) {
    std::size_t end = read_price(i);
    if (end == i && is_negation(words_[i].surface)) end = read_negation(i);
    if (end == i) {
      follow_grammar(words_[i]);
      end = read_phrase(i);
    } else {
      ++phrase_;
    }
    i = std::max(end, i + 1);
  }
  keep_shades_before_colours();
  keep_what_names_the_thing();
  keep_each_preference_once();
  drop_contradicting_prices();
  if (found_.size() > QueryUnderstanding::kMaxPieces) {
    const TextSpan span{found_[QueryUnderstanding::kMaxPieces].piece.span.begin, query.size()};
    note(Reason::kTooLong, span, fmt::format("only the first {} pieces were kept", QueryUnderstanding::kMaxPieces));
    found_.resize(QueryUnderstanding::kMaxPieces);
  }
  UnderstoodQuery understood;
  for (Found& found : found_) understood.pieces.push_back(std::move(found.piece));
  std::ranges::sort(notes_, {}, [](const UnderstandingNote& entry) { return entry.span.begin; });
  understood.notes = std::move(notes_);
  return understood;
}

}  // namespace scalestyle::retrieval
