#include "retrieval/query_understanding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "retrieval/query_understanding_audience.hpp"
#include "retrieval/query_understanding_language.hpp"
#include "retrieval/query_understanding_lexicon.hpp"
#include "retrieval/query_understanding_reader.hpp"
#include "retrieval/query_understanding_words.hpp"

namespace scalestyle::retrieval {
namespace {

constexpr std::string_view kListMarks = " \t\n\v\f\r,/&+";

// Drops what was switched off. A client names a kind, or a piece by the id that an earlier answer gave it.
void switch_off(UnderstoodQuery& query, const UnderstandingSwitches& switches) {
  std::erase_if(query.pieces, [&](const UnderstoodPiece& piece) {
    return std::ranges::find(switches.without_kinds, piece.kind) != switches.without_kinds.end() ||
           std::ranges::find(switches.without_ids, piece.id) != switches.without_ids.end();
  });
}

bool says_something(std::string_view text) {
  return std::ranges::any_of(query_words(text, QueryUnderstanding::kMaxWords), [](const QueryWord& word) {
    return !is_filler(word.surface) && !is_conjunction(word.surface) && !is_preposition(word.surface);
  });
}

void cut_text(std::string_view text, UnderstoodQuery& query) {
  for (const UnderstoodPiece& piece : query.pieces) {
    if (piece.weight > 0) continue;
    const std::size_t end = query.removed.empty() ? std::string_view::npos : query.removed.back().end;
    // Between parts of one list nothing is left: "not black, red or white".
    if (end <= piece.span.begin && text.substr(end, piece.span.begin - end).find_first_not_of(kListMarks) == std::string_view::npos) {
      query.removed.back().end = piece.span.end;
    } else {
      query.removed.push_back(piece.span);
    }
  }
  query.remaining = text_without(text, query.removed);
  // "not black and under 20": what is left of it is no wish.
  if (!query.removed.empty() && !says_something(query.remaining)) query.remaining.clear();
}

}  // namespace

PriceUnit price_unit(const catalog::Catalog& catalog, std::string_view currency, double price_scale) {
  std::vector<double> prices;
  std::ranges::copy_if(catalog.prices(), std::back_inserter(prices), [](double price) { return !std::isnan(price); });
  PriceUnit unit{.currency = std::string(currency)};
  if (prices.empty()) {
    unit.is_money = false;
    unit.reason = "the articles have no prices";
  } else if (currency.empty() && price_scale == 1) {
    const auto middle = prices.begin() + static_cast<std::ptrdiff_t>(prices.size() / 2);
    std::ranges::nth_element(prices, middle);
    unit.is_money = *middle >= 1;
    if (!unit.is_money) {
      unit.reason = fmt::format(
          "prices have no known unit: half of them are below {:.3g}; ingest with --price-scale and --currency", *middle);
    }
  }
  return unit;
}

core::Status UnderstandingOptions::validate() const {
  const std::array<std::pair<const char*, double>, 5> all = {
      {{"thing", thing}, {"colour", colour}, {"audience", audience}, {"appearance", appearance}, {"place", place}}};
  for (const auto& [name, weight] : all) {
    if (weight >= 0 && weight <= 1) continue;
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("the weight {} of understanding is {}, it must be from 0 to 1", name, weight), name);
  }
  return {};
}

QueryUnderstanding::QueryUnderstanding(std::shared_ptr<const catalog::Catalog> catalog, PriceUnit unit,
                                       const UnderstandingOptions& options)
    : catalog_(std::move(catalog)), unit_(std::move(unit)), options_(options), audience_of_row_(audience_of_rows(*catalog_)) {
  lexicon_ = std::make_unique<const UnderstandingLexicon>(*catalog_, audience_of_row_);
}
QueryUnderstanding::~QueryUnderstanding() = default;
QueryUnderstanding::QueryUnderstanding(QueryUnderstanding&&) noexcept = default;
QueryUnderstanding& QueryUnderstanding::operator=(QueryUnderstanding&&) noexcept = default;

UnderstoodQuery QueryUnderstanding::understand(std::string_view query, const UnderstandingSwitches& switches) const {
  UnderstoodQuery understood;
  if (switches.understand) {
    understood = QueryReader(*lexicon_, unit_, options_).read(query);
    switch_off(understood, switches);
  }
  cut_text(query, understood);
  return understood;
}

std::size_t QueryUnderstanding::memory_bytes() const {
  return audience_of_row_.capacity() * sizeof(AudienceSet) + lexicon_->memory_bytes();
}

}  // namespace scalestyle::retrieval
