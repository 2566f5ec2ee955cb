#include "http/list_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "catalog/article_id.hpp"
#include "events/event_position.hpp"
#include "http/search_configurations.hpp"
#include "ranking/diversity.hpp"
#include "ranking/rerank_budget.hpp"
#include "search/page_cursor.hpp"

namespace scalestyle::http {

namespace {

constexpr double kMaxFilterCharacters = 200;

constexpr ParameterSpec filter_parameter(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .minimum = 1, .maximum = kMaxFilterCharacters,
          .max_values = search::kMaxFilterValues};
}

constexpr double kMaxTokenCharacters = 96;
constexpr double kMaxLegsCharacters = 40;
constexpr double kMaxPieceCharacters = 500;

constexpr double kMaxFacetsCharacters = 100;

constexpr std::array<std::string_view, 3> kReasonModes{"template", "llm", "false"};
constexpr std::array<std::string_view, 5> kSorts{"popular", "price_asc", "price_desc", "name", "newest"};
constexpr std::array<std::string_view, 5> kSearchSorts{"relevance", "price_asc", "price_desc", "newest", "popularity"};
constexpr std::array<std::string_view, events::kWindowCount> kWindowNames{events::kWindows[0].name, events::kWindows[1].name,
                                                                         events::kWindows[2].name};

// Of every list.
constexpr std::array kListParameters{
    ParameterSpec{.name = "k",
                  .kind = ParameterKind::kInteger,
                  .description = "How many items to return.",
                  .minimum = 1,
                  .maximum = static_cast<double>(search::kMaxK),
                  .default_value = "10"},
    ParameterSpec{.name = "offset",
                  .kind = ParameterKind::kInteger,
                  .description = "How many items of the ranked list to pass over; beyond its end the page is empty.",
                  .minimum = 0,
                  .maximum = static_cast<double>(search::kMaxOffset),
                  .default_value = "0"},
    ParameterSpec{.name = "cursor",
                  .description = "The cursor of the answer before: the page that follows it, without anything shown before, "
                                 "also when the list has changed. Not together with offset; everything else that makes the "
                                 "list must be as it was. 410 when it is too old.",
                  .minimum = 1,
                  .maximum = static_cast<double>(search::kMaxCursorCharacters)},
    ParameterSpec{.name = "collapse",
                  .kind = ParameterKind::kBoolean,
                  .description = "true: one item a product, shown as the variant that fits best, with the others in variants; "
                                 "false: every article is an item of its own.",
                  .default_value = "true"},
    ParameterSpec{.name = "facets",
                  .description = "What to count: true for all, or some of colour, colour_family, type, group, department, section, "
                                 "garment_group, index, price, separated by commas.",
                  .minimum = 1,
                  .maximum = kMaxFacetsCharacters,
                  .is_list = true,
                  .is_switch = true},
    ParameterSpec{.name = "max_per_type",
                  .kind = ParameterKind::kInteger,
                  .description = "How many items of one product type each diversity_window of the list may have; others are "
                                 "deferred, not dropped. 0: any number. A list sorted by a column is left as it is. Not given: "
                                 "the server's setting.",
                  .minimum = 0,
                  .maximum = static_cast<double>(ranking::kMaxDiversityWindow)},
    ParameterSpec{.name = "max_per_section",
                  .kind = ParameterKind::kInteger,
                  .description = "The same for items of one section.",
                  .minimum = 0,
                  .maximum = static_cast<double>(ranking::kMaxDiversityWindow)},
    ParameterSpec{.name = "diversity_window",
                  .kind = ParameterKind::kInteger,
                  .description = "Items in which max_per_type and max_per_section count. Not given: the server's setting.",
                  .minimum = 1,
                  .maximum = static_cast<double>(ranking::kMaxDiversityWindow)},
    ParameterSpec{.name = "deadline_ms",
                  .kind = ParameterKind::kInteger,
                  .description = "How long the answer may take, in milliseconds.",
                  .minimum = static_cast<double>(search::kMinDeadline.count()),
                  .maximum = static_cast<double>(search::kMaxDeadline.count()),
                  .default_value = "600"},
    filter_parameter("colour", "Only articles of this colour; repeat for any of several, as with every filter. "
                               "Values compare whole, without regard to case."),
    filter_parameter("colour_family", "Only articles of this colour family."),
    filter_parameter("type", "Only articles of this product type."),
    filter_parameter("group", "Only articles of this product group."),
    filter_parameter("department", "Only articles of this department."),
    filter_parameter("section", "Only articles of this section."),
    filter_parameter("garment_group", "Only articles of this garment group."),
    filter_parameter("index", "Only articles of this index."),
    ParameterSpec{.name = "price_min",
                  .kind = ParameterKind::kNumber,
                  .description = "Only articles that cost at least this much, in the catalogue's currency."},
    ParameterSpec{.name = "price_max",
                  .kind = ParameterKind::kNumber,
                  .description = "Only articles that cost at most this much; not below price_min."},
    ParameterSpec{.name = "userId",
                  .description = "The shopper, whose own events bend the list. Empty: none.",
                  .maximum = static_cast<double>(search::kMaxSubjectCharacters),
                  .may_be_blank = true},
    ParameterSpec{.name = "sessionId",
                  .description = "The shopper's session; it counts where there is no userId. Empty: none.",
                  .maximum = static_cast<double>(search::kMaxSubjectCharacters),
                  .may_be_blank = true},
    ParameterSpec{.name = "personalize",
                  .kind = ParameterKind::kBoolean,
                  .description = "false: the list that everyone gets.",
                  .default_value = "true"},
    ParameterSpec{.name = "explain",
                  .kind = ParameterKind::kBoolean,
                  .description = "true: each article says what found it, where, and what its score is made of.",
                  .default_value = "false"},
    ParameterSpec{.name = "reasons",
                  .kind = ParameterKind::kChoice,
                  .description = "What says of each item why it is there: template (one sentence from what is known); llm (the "
                                 "language model's for the first items, as far as the time goes, the template's for the others; 503 "
                                 "where generation is switched off); false (nothing).",
                  .default_value = "template",
                  .choices = kReasonModes},
    ParameterSpec{.name = "after",
                  .description = "The token of an event of the shopper's own: the answer waits a little until it has taken "
                                 "effect, and after_reached tells whether it has.",
                  .minimum = 1,
                  .maximum = kMaxTokenCharacters},
};

constexpr ParameterSpec kQuery{.name = "query",
                               .description = "What the shopper is looking for, in words. Not blank.",
                               .minimum = 1,
                               .maximum = static_cast<double>(search::kMaxQueryCharacters),
                               .required = true};
constexpr ParameterSpec kLegsParameter{.name = "legs",
                                       .description = "What looks for articles, separated by commas: lexical (the query's words), "
                                                      "dense (its meaning), image (photos that the query describes). "
                                                      "Not given: lexical and dense.",
                                       .minimum = 1,
                                       .maximum = kMaxLegsCharacters,
                                       .is_list = true};
constexpr double kMaxRerankCharacters = 5;
constexpr ParameterSpec kRerank{.name = "rerank",
                                .description = "false: the list is not reranked by a cross-encoder. 1 to 200: so many articles are, in "
                                               "the time that is left. Not given, or true: as many as the machine affords.",
                                .minimum = 1,
                                .maximum = kMaxRerankCharacters,
                                .is_switch = true,
                                .is_count = true};
constexpr ParameterSpec kUnderstand{.name = "understand",
                                    .kind = ParameterKind::kBoolean,
                                    .description = "false: the query is words only; no colour, type, audience, price or exclusion "
                                                   "is read out of it.",
                                    .default_value = "true"};
constexpr ParameterSpec kUnderstandWithout{
    .name = "understand_without",
    .description = "What is not to be read out of the query, separated by commas: kinds (colour, colour_family, type, group, "
                   "audience, appearance, index, section, department, price), or ids of understood, such as not:colour:black. "
                   "May repeat.",
    .minimum = 1,
    .maximum = kMaxPieceCharacters,
    .max_values = search::kMaxSwitchedOff};
constexpr ParameterSpec kConfig{.name = "config",
                                .description = "The named configuration that gives the parameters which the request does not; "
                                               "/api/recommendation/debug/configurations lists them.",
                                .minimum = 1,
                                .maximum = static_cast<double>(kMaxConfigurationName)};
constexpr ParameterSpec kSort{.name = "sort",
                              .kind = ParameterKind::kChoice,
                              .description = "The order. Articles without a price are the last of both price orders; newest is "
                                             "by article id, the greatest first; only popular is personalised.",
                              .default_value = "popular",
                              .choices = kSorts};
constexpr ParameterSpec kSearchSort{.name = "sort",
                                    .kind = ParameterKind::kChoice,
                                    .description = "The order of what was found. Articles without a price are the last of both "
                                                   "price orders; newest is by article id, the greatest first; only relevance "
                                                   "is personalised.",
                                    .default_value = "relevance",
                                    .choices = kSearchSorts};
constexpr ParameterSpec kWindow{.name = "window",
                                .kind = ParameterKind::kChoice,
                                .description = "How far back events count. A window in which nothing happened gives way to the "
                                               "next longer one, and at last to all-time popularity: see fallback_source.",
                                .default_value = "24h",
                                .choices = kWindowNames};

constexpr std::array<std::string_view, 2> kTrendingOrders{"popular", "rising"};
constexpr ParameterSpec kTrendingOrder{.name = "order",
                                       .kind = ParameterKind::kChoice,
                                       .description = "popular: most happened with first. rising: most more than before, this hour against "
                                                      "the 23 before it, these 24 hours against the six days before; where nothing rises, "
                                                      "what is popular: see fallback_source. Not of 7d.",
                                       .default_value = "popular",
                                       .choices = kTrendingOrders};

template <std::size_t kOwn>
constexpr auto with_list_parameters(const std::array<ParameterSpec, kOwn>& own) {
  std::array<ParameterSpec, kListParameters.size() + kOwn> all{};
  std::ranges::copy(kListParameters, std::ranges::copy(own, all.begin()).out);
  return all;
}

constexpr auto kSearchParameters =
    with_list_parameters(std::array{kQuery, kLegsParameter, kUnderstand, kUnderstandWithout, kRerank, kSearchSort, kConfig});
constexpr ParameterSpec kArticle{.name = "article_id",
                                 .description = "The article in question, such as 0108775015.",
                                 .minimum = 1,
                                 .maximum = static_cast<double>(catalog::ArticleId::kMaxBytes),
                                 .required = true};
constexpr auto kWhyNotParameters = [] {
  std::array<ParameterSpec, kSearchParameters.size() + 1> all{};
  *std::ranges::copy(kSearchParameters, all.begin()).out = kArticle;
  return all;
}();
constexpr auto kBrowseParameters = with_list_parameters(std::array{kSort});
constexpr auto kTrendingParameters = with_list_parameters(std::array{kWindow, kTrendingOrder});

core::Result<search::LegSet> parse_legs(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kNames{"lexical", "dense", "image"};
  search::LegSet legs{.lexical = false, .dense = false};
  const std::array<bool*, kNames.size()> wanted{&legs.lexical, &legs.dense, &legs.image};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto leg = static_cast<std::size_t>(std::ranges::find(kNames, name) - kNames.begin());
    if (leg == kNames.size()) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("legs {}", choice_fault(kNames, name)), "legs");
    if (*wanted[leg]) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("legs names {} twice", name), "legs");
    *wanted[leg] = true;
    begin = end + 1;
  }
  return legs;
}

core::Result<search::RerankWish> parse_rerank(std::string_view text) {
  if (text == "true") return search::RerankWish{};
  if (text == "false") return search::RerankWish{.enabled = false};
  std::size_t depth = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), depth);
  if (error == std::errc() && end == text.data() + text.size() && depth >= 1 && depth <= ranking::kMaxRerankDepth) {
    return search::RerankWish{.depth = depth};
  }
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("rerank must be true, false or 1 to {}, not \"{}\"", ranking::kMaxRerankDepth, text), "rerank");
}

core::Result<search::FacetSet> parse_facets(std::string_view text) {
  static constexpr std::array<std::string_view, search::FacetSet().size()> kNames{
      "colour", "colour_family", "type", "group", "department", "section", "garment_group", "index", "price"};
  search::FacetSet facets;
  if (text == "true") return facets.set();
  if (text == "false") return facets;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("facets {}", choice_fault(kNames, name)), "facets");
    }
    facets.set(static_cast<std::size_t>(found - kNames.begin()));
    begin = end + 1;
  }
  return facets;
}

// A kind, or with a colon the id of a piece, which need not be known.
core::Status switch_off(std::string_view text, retrieval::UnderstandingSwitches& switches) {
  static const auto kNames = [] {
    std::array<std::string_view, retrieval::kPieceKindCount> names{};
    std::ranges::transform(retrieval::all_piece_kinds(), names.begin(), [](retrieval::PieceKind kind) { return to_string(kind); });
    return names;
  }();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    begin = end + 1;
    if (name.find(':') != std::string_view::npos) {
      switches.without_ids.emplace_back(name);
    } else if (const auto kind = retrieval::piece_kind(name)) {
      switches.without_kinds.push_back(*kind);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("understand_without {}", choice_fault(kNames, name)),
                        "understand_without");
    }
  }
  return {};
}

}  // namespace

core::Status fill_list_request(search::ListRequest& request, const Parameters& parameters, core::SteadyTime received) {
  request.k = parameters.integer("k");
  request.offset = parameters.integer("offset");
  request.cursor = parameters.text("cursor").value_or("");
  request.collapse = parameters.boolean("collapse");
  if (const auto facets = parameters.text("facets")) {
    CORE_TRY(request.facets, parse_facets(*facets));
  }
  request.max_per_type = parameters.optional_integer("max_per_type");
  request.max_per_section = parameters.optional_integer("max_per_section");
  request.diversity_window = parameters.optional_integer("diversity_window");
  request.deadline = core::Deadline::at(received + std::chrono::milliseconds(parameters.integer("deadline_ms")));
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    request.filter[field] = parameters.texts(catalog::parameter_name(field));
  }
  request.filter.price_min = parameters.number("price_min");
  request.filter.price_max = parameters.number("price_max");
  if (auto user = parameters.text("userId"); user && !user->empty()) request.user_id = core::UserId(std::move(*user));
  if (auto session = parameters.text("sessionId"); session && !session->empty()) {
    request.session_id = core::SessionId(std::move(*session));
  }
  request.personalize = parameters.boolean("personalize");
  request.explain = parameters.boolean("explain");
  const std::string reasons = parameters.choice("reasons");
  request.reasons = reasons == "llm"     ? search::ReasonMode::kLlm
                    : reasons == "false" ? search::ReasonMode::kNone
                                         : search::ReasonMode::kTemplate;
  if (const auto token = parameters.text("after")) {
    CORE_TRY(request.after, events::parse_reference(*token, "after"));
  }
  return {};
}

std::span<const ParameterSpec> list_parameters() { return kListParameters; }
std::span<const ParameterSpec> search_parameters() { return kSearchParameters; }
std::span<const ParameterSpec> why_not_parameters() { return kWhyNotParameters; }
std::span<const ParameterSpec> browse_parameters() { return kBrowseParameters; }
std::span<const ParameterSpec> trending_parameters() { return kTrendingParameters; }

core::Result<search::SearchRequest> to_search_request(const Parameters& parameters, core::SteadyTime received) {
  search::SearchRequest request;
  CORE_CHECK(fill_list_request(request, parameters, received));
  request.query = parameters.text("query").value_or("");
  request.sort = search::search_sort(parameters.choice("sort")).value_or(search::SearchSort::kRelevance);
  if (const auto legs = parameters.text("legs")) {
    CORE_TRY(request.legs, parse_legs(*legs));
  }
  if (const auto rerank = parameters.text("rerank")) {
    CORE_TRY(request.rerank, parse_rerank(*rerank));
  }
  request.understanding.understand = parameters.boolean("understand");
  for (const std::string& text : parameters.texts("understand_without")) CORE_CHECK(switch_off(text, request.understanding));
  return request;
}

core::Result<search::WhyNotRequest> to_why_not_request(const Parameters& parameters, core::SteadyTime received) {
  CORE_TRY(search::SearchRequest wanted, to_search_request(parameters, received));
  search::WhyNotRequest request{std::move(wanted), parameters.text("article_id").value_or("")};
  return request;
}

core::Result<search::BrowseRequest> to_browse_request(const Parameters& parameters, core::SteadyTime received) {
  search::BrowseRequest request;
  CORE_CHECK(fill_list_request(request, parameters, received));
  request.sort = search::browse_sort(parameters.choice("sort")).value_or(search::BrowseSort::kPopular);
  return request;
}

core::Result<search::TrendingRequest> to_trending_request(const Parameters& parameters, core::SteadyTime received) {
  search::TrendingRequest request;
  CORE_CHECK(fill_list_request(request, parameters, received));
  const auto window = std::ranges::find(kWindowNames, parameters.choice("window"));
  request.window = static_cast<events::Window>(window - kWindowNames.begin());
  const bool is_rising = parameters.choice("order") == "rising";
  request.order = is_rising ? search::TrendingOrder::kRising : search::TrendingOrder::kPopular;
  return request;
}

}  // namespace scalestyle::http
