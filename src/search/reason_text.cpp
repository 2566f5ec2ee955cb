#include "search/reason_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "recommend/popularity_board.hpp"
#include "search/look_reasons.hpp"
#include "search/shown_text.hpp"
#include "search/source_reasons.hpp"

namespace scalestyle::search {

namespace {

using catalog::Attribute;
using catalog::FilterField;
using ranking::BoostReason;
using retrieval::PieceKind;
using retrieval::UnderstoodPiece;

constexpr std::size_t kMaxValueCharacters = 30;
constexpr std::size_t kMaxWordCharacters = 20;
constexpr std::size_t kMaxQueryCharactersShown = 60;
constexpr std::size_t kMaxPriceCharacters = 16;
constexpr std::size_t kMaxNamed = 3;
constexpr std::size_t kUsualSentenceBytes = 128;
constexpr std::string_view kSomething = "Article";  // of no known type

// A value that says nothing is not worth a word.
bool is_known(std::string_view value) {
  return !shown(value, 1).empty() && value != "Unknown" && value != "Undefined" && value != "undefined";
}

bool is_price_piece(const UnderstoodPiece& piece) { return piece.kind == PieceKind::kPrice && piece.price.has_value(); }

// As people write it where that is exact: "20", "14.50"; else every digit. Empty: too long to be a price in a sentence.
std::string price_text(double price) {
  const double hundredths = price * 100;
  std::string text;
  if (price == std::floor(price)) {
    text = fmt::format("{:.0f}", price);
  } else if (std::abs(hundredths - std::round(hundredths)) < 1e-7) {
    text = fmt::format("{:.2f}", price);
  } else {
    text = fmt::format("{}", price);
  }
  return text.size() <= kMaxPriceCharacters ? text : std::string();
}

bool is_within(double price, const retrieval::PriceBounds& bounds) {
  const bool is_enough = !bounds.min || (bounds.includes_min ? price >= *bounds.min : price > *bounds.min);
  const bool is_cheap = !bounds.max || (bounds.includes_max ? price <= *bounds.max : price < *bounds.max);
  return is_enough && is_cheap;
}

std::string bounds_text(const retrieval::PriceBounds& bounds) {
  std::string text;
  const auto add = [&](std::string_view how, double bound) {
    const std::string number = price_text(bound);
    if (!number.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", how, number);
  };
  if (bounds.min) add(bounds.includes_min ? "at least" : "over", *bounds.min);
  if (bounds.max) add(bounds.includes_max ? "at most" : "under", *bounds.max);
  return text;
}

// The bounds that the request sets to the price, by a filter or in words; a filter overrules words.
std::optional<retrieval::PriceBounds> asked_price(const ReasonScope& scope) {
  if (scope.filter != nullptr && (scope.filter->price_min || scope.filter->price_max)) {
    return retrieval::PriceBounds{.min = scope.filter->price_min, .max = scope.filter->price_max};
  }
  if (scope.query == nullptr) return std::nullopt;
  const auto found = std::ranges::find_if(scope.query->pieces, is_price_piece);
  return found == scope.query->pieces.end() ? std::nullopt : found->price;
}

// " at 14.99 EUR (at most 20)"; empty where no price was asked for, or the article has none within.
std::string price_clause(const ReasonScope& scope, const catalog::ArticleView& article) {
  const auto bounds = asked_price(scope);
  const auto price = article.price();
  if (!bounds || !price || !is_within(*price, *bounds)) return {};
  const std::string amount = price_text(*price);
  const std::string limits = bounds_text(*bounds);
  if (amount.empty() || limits.empty()) return {};
  const std::string& currency = scope.generation.info().currency;
  return fmt::format(" at {}{}{} ({})", amount, currency.empty() ? "" : " ", currency, limits);
}

// "women" of "audience:women", where the article's columns say so.
std::string audience_of(const ReasonScope& scope, const catalog::ArticleView& article) {
  if (scope.query == nullptr) return {};
  for (const UnderstoodPiece& piece : scope.query->pieces) {
    if (piece.kind != PieceKind::kAudience || scope.generation.understanding().credit(piece, article.row()) < 1) continue;
    const std::string_view name = std::string_view(piece.id).substr(piece.id.rfind(':') + 1);
    if (name == "baby") return "babies";
    if (name == "toddler") return "toddlers";
    return shown(name, kMaxWordCharacters);
  }
  return {};
}

struct NamedField {
  std::string_view label;
  std::string_view text;
};

std::array<NamedField, 7> named_fields(const catalog::ArticleView& article) {
  return {NamedField{"name", article.name()},
          {"pattern", article[Attribute::kAppearance]},
          {"description", article.description()},
          {"department", article.department()},
          {"section", article[Attribute::kSection]},
          {"garment group", article[Attribute::kGarmentGroup]},
          {"product group", article[Attribute::kProductGroup]}};
}

// Words of the query in one text of an article.
struct NamedWords {
  std::string_view label{};  // of the text
  std::array<std::string_view, kMaxNamed> words{};
  std::size_t count = 0;
};

// "a", "a and b", "a, b and c"
template <class Part, class Append>
void append_joined(std::span<const Part> parts, std::string& text, const Append& append) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    append(parts[i]);
  }
}

// "“linen” and “airy” in its description"
void append_clause(const NamedWords& named, std::string& text) {
  append_joined(std::span(named.words).first(named.count), text, [&text](std::string_view word) {
    text += "“";
    append_shown(word, kMaxWordCharacters, text);
    text += "”";
  });
  text += " in its ";
  text += named.label;
}

std::string shopper_clause(std::string_view boosted_by) {
  const auto is = [&](BoostReason reason) { return boosted_by == to_string(reason); };
  if (is(BoostReason::kRecentClick)) return "you showed interest in it recently";
  if (is(BoostReason::kCategoryAffinity)) return "you have shown interest in this kind of item";
  if (is(BoostReason::kOnlinePopularity)) return "it has been popular in the last 7 days";
  return {};
}

bool is_popularity(ReasonOrigin origin) { return origin >= ReasonOrigin::kPopularHour; }

std::string_view without_zeros(std::string_view number) {
  return number.substr(std::min(number.find_first_not_of('0'), number.size()));
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string plain_claim(const ReasonScope& scope, const catalog::ArticleView& article) {
  if (scope.origin == ReasonOrigin::kFound && scope.query != nullptr) {
    const std::string query = shown(scope.query->text, kMaxQueryCharactersShown);
    if (!query.empty()) return fmt::format("Among the matches for “{}”", query);
  }
  std::string text = is_known(article.product_type()) ? shown(article.product_type(), kMaxValueCharacters) : std::string();
  if (text.empty()) text = kSomething;
  if (is_known(article.colour())) text += " in " + shown(article.colour(), kMaxValueCharacters);
  return text;
}

}  // namespace

std::size_t ReasonQuery::bytes() const {
  std::size_t total = sizeof(ReasonQuery) + text.capacity();
  for (const QueryWord& word : words) total += sizeof(QueryWord) + word.folded.capacity() + word.stem.capacity();
  for (const UnderstoodPiece& piece : pieces) {
    total += sizeof(UnderstoodPiece) + piece.id.capacity() + piece.values.capacity() * sizeof(retrieval::MatchedValue);
  }
  return total;
}

std::shared_ptr<const ReasonQuery> reason_query(const QueryReading& reading) {
  auto query = std::make_shared<ReasonQuery>();
  query->text = reading.query;
  query->words = words_worth_naming(reading.meaning);
  for (const UnderstoodPiece& piece : reading.understood.pieces) {
    if (piece.effect == retrieval::PieceEffect::kExclude) continue;
    UnderstoodPiece kept = piece;
    for (retrieval::MatchedValue& value : kept.values) value.text = std::string();  // the article says it
    query->pieces.push_back(std::move(kept));
  }
  return query;
}

ReasonPicture reason_picture(const std::optional<VisualQuery>& visual) {
  if (!visual) return ReasonPicture::kNone;
  const bool has_sides = visual->mode == VisualMode::kMultimodal || visual->mode == VisualMode::kHybrid;
  if (has_sides && visual->image_weight == 0) {
    return visual->mode == VisualMode::kHybrid ? ReasonPicture::kNone : ReasonPicture::kWords;
  }
  if (visual->mode == VisualMode::kTextToImage) return ReasonPicture::kWords;
  return visual->article ? ReasonPicture::kArticle : ReasonPicture::kPicture;
}

std::string sentence_of(const ReasonClaims& claims) {
  std::string text;
  text.reserve(claims.lead.size() + claims.match.size() + claims.shopper.size() + claims.plain.size() + 8);
  text += claims.lead;
  if (!claims.lead.empty() && !claims.match.empty()) text += ": ";
  text += claims.match;
  if (text.empty() && claims.shopper.empty()) text = claims.plain;
  if (!claims.shopper.empty()) {
    const bool begins = text.empty();
    if (!begins) text += ", and ";
    const std::size_t at = text.size();
    text += claims.shopper;
    if (begins && text[at] >= 'a' && text[at] <= 'z') text[at] = static_cast<char>(text[at] - ('a' - 'A'));
  }
  text += '.';
  return text;
}

ReasonWriter::ReasonWriter(const ReasonScope& scope)
    : scope_(scope),
      finder_(scope.query != nullptr ? std::span<const QueryWord>(scope.query->words) : std::span<const QueryWord>()) {}

ReasonClaims ReasonWriter::claims(const AnswerItem& item) {
  ReasonClaims claims;
  claims.lead = lead(item);
  claims.match = match(item.article);
  claims.shopper = shopper_clause(item.boosted_by);
  const bool is_said = is_popularity(scope_.origin) && !claims.lead.empty();
  if (is_said && item.boosted_by == to_string(BoostReason::kOnlinePopularity)) claims.shopper.clear();
  if (claims.lead.empty() && claims.match.empty() && claims.shopper.empty()) claims.plain = plain_claim(scope_, item.article);
  return claims;
}

std::string ReasonWriter::lead(const AnswerItem& item) const {
  if (!item.pinned_by.empty()) return "Picked by the shop";
  if (has_asked_number(item.article.id())) return "You asked for it by its article number";
  if (has_asked_number(item.article.product_code())) return "You asked for it by its product number";
  const bool is_alike = item.image_score.value_or(0) >= kLooksAlike;
  switch (is_alike ? scope_.picture : ReasonPicture::kNone) {
    case ReasonPicture::kPicture: return "Looks like your picture";
    case ReasonPicture::kArticle: return "Looks like the article you chose";
    case ReasonPicture::kWords: return "Its picture fits your words";
    case ReasonPicture::kNone: break;
  }
  if (scope_.look != nullptr) return look_lead(scope_, item);
  if (scope_.recommended != nullptr) return recommendation(item);
  return popularity(item.article, scope_.origin);
}

// Where popularity speaks most, by the shortest time in which something happened.
std::string ReasonWriter::recommendation(const AnswerItem& item) const {
  std::string text = source_lead(scope_, item);
  for (const ReasonOrigin origin : {ReasonOrigin::kPopularDay, ReasonOrigin::kPopularWeek, ReasonOrigin::kPopularEver}) {
    if (text.empty()) text = popularity(item.article, origin);
  }
  return text;
}

bool ReasonWriter::has_asked_number(std::string_view number) const {
  if (scope_.query == nullptr || !is_digits(number)) return false;
  return std::ranges::any_of(scope_.query->words, [&](const QueryWord& word) {
    return is_digits(word.folded) && without_zeros(word.folded) == without_zeros(number);
  });
}

std::string ReasonWriter::popularity(const catalog::ArticleView& article, ReasonOrigin origin) const {
  const auto& board = scope_.generation.popularity();
  const auto has_events = [&](events::Window window) { return board != nullptr && board->window_sum(window, article.row()) > 0; };
  switch (origin) {
    case ReasonOrigin::kPopularHour: return has_events(events::Window::k1h) ? "Popular in the last hour" : "";
    case ReasonOrigin::kPopularDay: return has_events(events::Window::k24h) ? "Popular in the last 24 hours" : "";
    case ReasonOrigin::kPopularWeek: return has_events(events::Window::k7d) ? "Popular in the last 7 days" : "";
    case ReasonOrigin::kRisingHour: return has_events(events::Window::k1h) ? "Rising in the last hour" : "";
    case ReasonOrigin::kRisingDay: return has_events(events::Window::k24h) ? "Rising in the last 24 hours" : "";
    case ReasonOrigin::kPopularEver: break;
    case ReasonOrigin::kPlain:
    case ReasonOrigin::kFound: return {};
  }
  const std::uint64_t purchases = article.purchase_count();
  if (purchases > 1) return fmt::format("Bought {} times so far", purchases);
  if (purchases == 1) return "Bought once so far";
  const bool is_live = board != nullptr && board->global(article.row(), scope_.now_ms) > 0;
  return is_live ? "Of interest to shoppers lately" : "";
}

bool ReasonWriter::is_asked(std::span<const FilterField> fields) const {
  if (scope_.filter == nullptr) return false;
  return std::ranges::any_of(fields, [&](FilterField field) { return !(*scope_.filter)[field].empty(); });
}

std::string ReasonWriter::match(const catalog::ArticleView& article) {
  static constexpr std::array kThings{FilterField::kType, FilterField::kGroup, FilterField::kGarmentGroup};
  static constexpr std::array kColours{FilterField::kColour, FilterField::kColourFamily};
  const bool has_type = is_known(article.product_type());
  bool is_thing_asked = has_type && is_asked(kThings);
  bool is_colour_asked = is_asked(kColours);
  if (scope_.query != nullptr) {
    for (const UnderstoodPiece& piece : scope_.query->pieces) {
      const bool is_thing = piece.kind == PieceKind::kType || piece.kind == PieceKind::kGroup;
      const bool is_colour = piece.kind == PieceKind::kColour || piece.kind == PieceKind::kColourFamily;
      if ((!is_thing && !is_colour) || scope_.generation.understanding().credit(piece, article.row()) <= 0) continue;
      (is_thing ? is_thing_asked : is_colour_asked) = true;
    }
  }
  is_colour_asked = is_colour_asked && is_known(article.colour());
  std::string text;
  text.reserve(kUsualSentenceBytes);
  if (has_type) {
    append_shown(article.product_type(), kMaxValueCharacters, text);
  } else {
    text = kSomething;
  }
  if (is_colour_asked) append_shown(article.colour(), kMaxValueCharacters, text += " in ");
  const std::string audience = audience_of(scope_, article);
  if (!audience.empty()) text += " for " + audience;
  const std::string price = price_clause(scope_, article);
  text += price;
  const bool names_words = append_named_words(article, text);
  is_thing_asked = is_thing_asked && has_type;
  const bool says_anything = is_thing_asked || is_colour_asked || !audience.empty() || !price.empty() || names_words;
  return says_anything ? text : std::string();
}

// True where a word of the query is in what `text` said already, or in what was appended.
bool ReasonWriter::append_named_words(const catalog::ArticleView& article, std::string& text) {
  if (scope_.query == nullptr || scope_.query->words.empty()) return false;
  std::array<std::string_view, kMaxNamedWords> places{};
  const auto found = std::span(places).first(scope_.query->words.size());
  const std::string_view said = std::string_view(text).substr(is_known(article.product_type()) ? 0 : kSomething.size());
  finder_.find(said, found);
  const bool is_said = std::ranges::any_of(found, [](std::string_view place) { return !place.empty(); });
  std::size_t named = 0;
  std::array<NamedWords, kMaxNamed> clauses{};
  std::size_t clause_count = 0;
  for (const NamedField& field : named_fields(article)) {
    std::array<bool, kMaxNamedWords> before{};
    for (std::size_t i = 0; i < found.size(); ++i) before[i] = !found[i].empty();
    finder_.find(field.text, found);
    NamedWords words{.label = field.label};
    for (std::size_t i = 0; i < found.size() && named < kMaxNamed; ++i) {
      if (before[i] || found[i].empty()) continue;
      words.words[words.count++] = found[i];
      ++named;
    }
    if (words.count > 0) clauses[clause_count++] = words;
    if (named == kMaxNamed) break;
  }
  if (clause_count > 0) {
    text += ", with ";
    const auto all = std::span<const NamedWords>(clauses).first(clause_count);
    append_joined(all, text, [&text](const NamedWords& words) { append_clause(words, text); });
  }
  return is_said || named > 0;
}

}  // namespace scalestyle::search
