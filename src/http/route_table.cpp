#include "http/route_table.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "http/article_bodies.hpp"
#include "http/event_bodies.hpp"
#include "http/list_parameters.hpp"
#include "http/reason_routes.hpp"
#include "http/recommendation_parameters.hpp"
#include "http/visual_parameters.hpp"
#include "search/event_service.hpp"
#include "search/suggest_service.hpp"

namespace scalestyle::http {

namespace {

constexpr ResponseSpec kInvalid{.status = 400, .description = "The request is wrong; error.field names what", .schema = "Error"};
constexpr ResponseSpec kMissing{.status = 404, .description = "There is no such article or picture", .schema = "Error"};
constexpr ResponseSpec kExpired{.status = 410,
                                .description = "The cursor is too old, or of a catalogue no longer served: begin at the first page",
                                .schema = "Error"};
constexpr ResponseSpec kTooLarge{.status = 413, .description = "The body is too large", .schema = "Error"};
constexpr ResponseSpec kWrongType{.status = 415, .description = "The body is not JSON, or is compressed", .schema = "Error"};
constexpr ResponseSpec kUnavailable{.status = 503,
                                    .description = "Nothing can answer now; Retry-After says when to try again",
                                    .schema = "Error"};
constexpr ResponseSpec kNotDone{.status = 503,
                                .description = "Not kept, or perhaps kept: error.outcome tells. Retry-After says when to try again; "
                                               "safe with the same event_id",
                                .schema = "Error"};

constexpr std::array kArticleParameters{ParameterSpec{.name = "id",
                                                      .description = "The article's id, such as 0108775015",
                                                      .minimum = 1,
                                                      .maximum = 64,
                                                      .place = ParameterPlace::kPath,
                                                      .required = true}};

constexpr std::array kSuggestParameters{
    ParameterSpec{.name = "prefix",
                  .description = "What was typed so far. Its last word may be unfinished; the others must be whole. Not blank.",
                  .minimum = 1,
                  .maximum = static_cast<double>(search::kMaxPrefixCharacters),
                  .required = true},
    ParameterSpec{.name = "k",
                  .kind = ParameterKind::kInteger,
                  .description = "How many suggestions to return at most.",
                  .minimum = 1,
                  .maximum = static_cast<double>(search::kMaxSuggestions),
                  .default_value = "8"}};

constexpr ParameterSpec kUserId{.name = "user_id",
                                .description = "The user's id",
                                .minimum = 1,
                                .maximum = static_cast<double>(events::kMaxSubjectCharacters),
                                .place = ParameterPlace::kPath,
                                .required = true};
constexpr std::array kUserParameters{kUserId};
constexpr std::array kForgetParameters{
    kUserId, ParameterSpec{.name = "event_id",
                           .description = "The client's own id of this request: repeated with it, it sets no second barrier",
                           .minimum = 1,
                           .maximum = static_cast<double>(events::kMaxEventIdBytes)}};
constexpr std::array kExportParameters{
    kUserId,
    ParameterSpec{.name = "cursor", .description = "next_cursor of the page before", .minimum = 1, .maximum = 512},
    ParameterSpec{.name = "limit",
                  .kind = ParameterKind::kInteger,
                  .description = "How many events a page has",
                  .minimum = 1,
                  .maximum = 1000,
                  .default_value = "1000"}};

constexpr std::array kSearchResponses{
    ResponseSpec{.description = "The articles that fit the query best by its words and its meaning", .schema = "SearchAnswer"}, kInvalid,
    kExpired, kUnavailable};
constexpr ResponseSpec kPictureForbidden{.status = 403,
                                         .description = "The server may not fetch a picture from there, or the key may not do that: error.field tells",
                                         .schema = "Error"};
constexpr ResponseSpec kPictureTooLarge{.status = 413,
                                        .description = "The body, or the picture in bytes or pixels, is too large",
                                        .schema = "Error"};
constexpr ResponseSpec kPictureOfWrongType{.status = 415,
                                           .description = "The body is neither JSON nor a form, or is compressed; or the picture is no JPEG, "
                                                          "PNG or WebP file",
                                           .schema = "Error"};
constexpr ResponseSpec kNoVision{.status = 503,
                                 .description = "Search by picture is switched off, or nothing can answer now; Retry-After says when to "
                                                "try again",
                                 .schema = "Error"};
constexpr std::array kImageSearchResponses{
    ResponseSpec{.description = "The articles whose photos fit best", .schema = "SearchAnswer"}, kInvalid, kPictureForbidden, kMissing,
    kExpired, kPictureTooLarge, kPictureOfWrongType, kNoVision};
constexpr std::array kHybridSearchResponses{
    ResponseSpec{.description = "The articles that fit the query and the picture best", .schema = "SearchAnswer"}, kInvalid,
    kPictureForbidden, kMissing, kExpired, kPictureTooLarge, kPictureOfWrongType, kNoVision};
constexpr std::array kBrowseResponses{
    ResponseSpec{.description = "The articles that pass the filters, in the order asked for", .schema = "SearchAnswer"}, kInvalid,
    kExpired, kUnavailable};
constexpr std::array kTrendingResponses{
    ResponseSpec{.description = "The articles that most happened with in the window", .schema = "SearchAnswer"}, kInvalid,
    kExpired, kUnavailable};
constexpr std::array kForYouResponses{
    ResponseSpec{.description = "What the shopper may like; for who is not known, what is popular", .schema = "SearchAnswer"}, kInvalid,
    kExpired, kUnavailable};
constexpr std::array kSimilarResponses{ResponseSpec{.description = "The articles that are most like it", .schema = "SearchAnswer"},
                                       kInvalid, kMissing, kExpired, kUnavailable};
constexpr std::array kLookResponses{
    ResponseSpec{.description = "An article of each part of an outfit that goes with it", .schema = "SearchAnswer"}, kInvalid, kMissing,
    kExpired, kUnavailable};
constexpr std::array kSuggestResponses{
    ResponseSpec{.description = "What the shopper may want to type, the best first; none is an answer too", .schema = "SuggestAnswer"},
    kInvalid, kUnavailable};
constexpr std::array kWhyNotResponses{
    ResponseSpec{.description = "Whether the article is on the page of this search, and what keeps it off", .schema = "WhyNot"},
    kInvalid, kExpired, kUnavailable};
constexpr std::array kReasonResponses{
    ResponseSpec{.description = "Why the article is for the shopper. Sent as events, unless the Accept header names JSON and no events",
                 .schema = "ReasonAnswer",
                 .events = "event: token with data {\"text\"}, the next part of the sentence; at last event: done with the answer as its "
                           "data, whose reason replaces what was shown, or event: error with an Error. Closing the connection stops the "
                           "generation."},
    kInvalid, kMissing, kTooLarge, kWrongType, kUnavailable};
constexpr std::array kClickResponses{ResponseSpec{.description = "The click is on disk", .schema = "EventAnswer"}, kInvalid, kTooLarge,
                                     kWrongType, kNotDone};
constexpr std::array kEventsResponses{ResponseSpec{.description = "All events are on disk", .schema = "EventsAnswer"}, kInvalid,
                                      kTooLarge, kWrongType, kNotDone};
constexpr std::array kExportResponses{ResponseSpec{.description = "A page of what is kept of the user", .schema = "UserAnswer"}, kInvalid,
                                      kUnavailable};
constexpr std::array kFeaturesResponses{
    ResponseSpec{.description = "What is known of the user now; of one that is not known nothing is", .schema = "FeaturesAnswer"}, kInvalid,
    kUnavailable};
constexpr std::array kForgetResponses{
    ResponseSpec{.description = "The barrier is on disk: nothing before it counts or can be read", .schema = "ForgetAnswer"}, kInvalid,
    kNotDone};
constexpr std::array kUserEventResponses{ResponseSpec{.description = "On disk", .schema = "EventAnswer"}, kInvalid, kTooLarge, kWrongType,
                                         kNotDone};
constexpr std::array kArticleResponses{ResponseSpec{.description = "The article", .schema = "ArticleAnswer"}, kInvalid, kMissing,
                                       kUnavailable};
constexpr std::array kImageResponses{ResponseSpec{.description = "The picture", .content_type = "image/*"},
                                     ResponseSpec{.status = 304, .description = "The client's copy is current", .content_type = ""},
                                     kInvalid, kMissing, kUnavailable};
constexpr std::array kCacheStatsResponses{ResponseSpec{.description = "What is kept between requests", .schema = "CacheStats"}, kInvalid};
constexpr std::array kConfigurationsResponses{
    ResponseSpec{.description = "The configurations that config may name", .schema = "Configurations"}, kInvalid};
constexpr std::array kLiveResponses{ResponseSpec{.description = "The process runs", .schema = "Live"}};
constexpr std::array kReadyResponses{ResponseSpec{.description = "Searches can be answered", .schema = "Ready"}, kUnavailable};
constexpr std::array kMetricsResponses{
    ResponseSpec{.description = "Metrics in the Prometheus text format", .content_type = "text/plain"}, kUnavailable};
constexpr std::array kOpenApiResponses{ResponseSpec{.description = "This document"}};

constexpr ResponseSpec kNotChanged{.status = 503,
                                   .description = "Not kept, or perhaps kept: error.outcome tells. Retry-After says when to try again",
                                   .schema = "Error"};
constexpr std::array kPutResponses{ResponseSpec{.description = "The article is on disk", .schema = "ChangeAnswer"}, kInvalid, kTooLarge,
                                   kWrongType, kNotChanged};
constexpr std::array kChangeResponses{ResponseSpec{.description = "What changes is on disk", .schema = "ChangeAnswer"}, kInvalid, kMissing,
                                      kTooLarge, kWrongType, kNotChanged};
constexpr std::array kDeleteResponses{ResponseSpec{.description = "The article is gone", .schema = "ChangeAnswer"}, kInvalid, kMissing,
                                      kNotChanged};

constexpr std::size_t kMaxBatchBytes = 1024 * 1024;
constexpr std::size_t kMaxChangesBytes = 8 * 1024 * 1024;

constexpr std::array kForOperators{RouteId::kWhyNot,     RouteId::kCacheStats,    RouteId::kChangeArticles, RouteId::kPutArticle,
                                   RouteId::kPatchArticle, RouteId::kDeleteArticle, RouteId::kMetrics,       RouteId::kUserFeatures,
                                   RouteId::kConfigurations};

// The same routes, those for operators marked.
template <std::size_t N>
std::array<Route, N> for_operators(std::array<Route, N> routes) {
  for (Route& route : routes) route.admin = std::ranges::find(kForOperators, route.id) != kForOperators.end();
  return routes;
}

std::span<const Route> build_table() {
  static const std::array routes = for_operators(std::array{
      Route{RouteId::kSearch, "/api/recommendation/search", "search", "Search the catalogue by words and meaning", search_parameters(),
            kSearchResponses},
      Route{.id = RouteId::kSearchImage,
            .pattern = "/api/recommendation/search/image",
            .operation_id = "searchImage",
            .summary = "Search the photos of the catalogue by a picture, by words or by both",
            .parameters = {},
            .responses = kImageSearchResponses,
            .method = Method::kPost,
            .form = &image_search_body(),
            .is_read = true},
      Route{.id = RouteId::kSearchHybrid,
            .pattern = "/api/recommendation/search/hybrid",
            .operation_id = "searchHybrid",
            .summary = "Search the catalogue by words and meaning, and its photos by a picture, at once",
            .parameters = {},
            .responses = kHybridSearchResponses,
            .method = Method::kPost,
            .form = &hybrid_search_body(),
            .is_read = true},
      Route{RouteId::kBrowse, "/api/recommendation/browse", "browse", "List the catalogue, without words", browse_parameters(),
            kBrowseResponses},
      Route{RouteId::kTrending, "/api/recommendation/trending", "trending", "What shoppers act on now", trending_parameters(),
            kTrendingResponses},
      Route{RouteId::kForYou, "/api/recommendation/for-you", "forYou", "What one shopper is shown without asking", for_you_parameters(),
            kForYouResponses},
      Route{RouteId::kSimilar, "/api/recommendation/similar/{id}", "similar", "Articles like one article", similar_parameters(),
            kSimilarResponses},
      Route{RouteId::kLook, "/api/recommendation/complete-the-look/{id}", "completeTheLook", "What completes an outfit with one article",
            look_parameters(), kLookResponses},
      Route{RouteId::kSuggest, "/api/recommendation/suggest", "suggest", "Complete what a shopper begins to type", kSuggestParameters,
            kSuggestResponses},
      Route{RouteId::kWhyNot, "/api/recommendation/why-not", "whyNot", "Why a search does not show an article", why_not_parameters(),
            kWhyNotResponses},
      Route{.id = RouteId::kReason, .pattern = "/api/recommendation/reason", .operation_id = "reason",
            .summary = "Why one article is for one shopper", .parameters = {}, .responses = kReasonResponses, .method = Method::kPost,
            .body = &reason_body(), .is_read = true},
      Route{RouteId::kClick, "/api/events/click", "trackClick", "Keep a click: it changes the next answer", {}, kClickResponses,
            Method::kPost, &click_body()},
      Route{RouteId::kEvents, "/api/events", "trackEvents", "Keep a batch of events: all or none", {}, kEventsResponses, Method::kPost,
            &events_body(), kMaxBatchBytes},
      Route{RouteId::kExportUser, "/api/users/{user_id}", "exportUser", "Everything that is kept of a user", kExportParameters,
            kExportResponses},
      Route{RouteId::kUserFeatures, "/api/users/{user_id}/features", "userFeatures", "What lists for a user are personalised by",
            kUserParameters, kFeaturesResponses},
      Route{RouteId::kForgetUser, "/api/users/{user_id}", "forgetUser", "Forget a user", kForgetParameters, kForgetResponses,
            Method::kDelete},
      Route{RouteId::kMergeSession, "/api/users/{user_id}/merge", "mergeSession", "At login: a session's history becomes the user's",
            kUserParameters, kUserEventResponses, Method::kPost, &merge_body()},
      Route{RouteId::kPreferences, "/api/users/{user_id}/preferences", "setPreferences", "A user's own settings", kUserParameters,
            kUserEventResponses, Method::kPost, &preferences_body()},
      Route{RouteId::kCacheStats, "/api/recommendation/debug/cache-stats", "cacheStats", "Sizes, hits, misses and ages of what is kept", {},
            kCacheStatsResponses},
      Route{RouteId::kConfigurations, "/api/recommendation/debug/configurations", "configurations", "Named configurations of searches", {},
            kConfigurationsResponses},
      Route{RouteId::kChangeArticles, "/api/articles/batch", "changeArticles", "Change articles: all or none", {}, kChangeResponses,
            Method::kPost, &changes_body(), kMaxChangesBytes},
      Route{RouteId::kPutArticle, "/api/articles/{id}", "putArticle", "Add an article, or replace it", kArticleParameters, kPutResponses,
            Method::kPut, &article_body()},
      Route{RouteId::kPatchArticle, "/api/articles/{id}", "patchArticle", "Change some of an article", kArticleParameters,
            kChangeResponses, Method::kPatch, &article_patch_body()},
      Route{RouteId::kDeleteArticle, "/api/articles/{id}", "deleteArticle", "Remove an article", kArticleParameters, kDeleteResponses,
            Method::kDelete},
      Route{RouteId::kArticle, "/api/articles/{id}", "getArticle", "One article with all its attributes", kArticleParameters,
            kArticleResponses},
      Route{RouteId::kImage, "/images/{id}", "getImage", "An article's picture", kArticleParameters, kImageResponses},
      Route{RouteId::kLive, "/live", "live", "Whether the process runs", {}, kLiveResponses},
      Route{RouteId::kReady, "/ready", "ready", "Whether searches can be answered", {}, kReadyResponses},
      Route{RouteId::kMetrics, "/metrics", "metrics", "Metrics for Prometheus", {}, kMetricsResponses},
      Route{RouteId::kOpenApi, "/openapi.json", "openApi", "This description", {}, kOpenApiResponses},
  });
  return routes;
}

// The pieces between slashes; "/a/" has an empty last one and so is another path than "/a".
std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> pieces;
  path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    pieces.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return pieces;
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i]) ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

// Each route's pattern in pieces, in the order of the table.
const std::vector<std::vector<std::string_view>>& patterns() {
  static const std::vector<std::vector<std::string_view>> all = [] {
    std::vector<std::vector<std::string_view>> pieces;
    for (const Route& route : route_table()) pieces.push_back(segments(route.pattern));
    return pieces;
  }();
  return all;
}

}  // namespace

std::span<const Route> route_table() {
  static const std::span<const Route> table = build_table();
  return table;
}

bool is_shown(const RouteMatch& match, Audience audience) {
  if (audience != Audience::kPublic) return true;
  if (match.route != nullptr) return !match.route->admin;
  return std::ranges::any_of(route_table(), [&](const Route& route) { return route.pattern == match.pattern && !route.admin; });
}

std::string allowed_methods(std::string_view pattern, Audience audience) {
  const auto takes = [&](Method method) {
    return std::ranges::any_of(route_table(), [&](const Route& route) {
      const bool is_shown = audience != Audience::kPublic || !route.admin;
      return is_shown && (pattern.empty() || route.pattern == pattern) && route.method == method;
    });
  };
  std::string methods;
  if (takes(Method::kGet)) methods += "GET, HEAD, ";
  if (takes(Method::kPost)) methods += "POST, ";
  if (takes(Method::kPut)) methods += "PUT, ";
  if (takes(Method::kPatch)) methods += "PATCH, ";
  if (takes(Method::kDelete)) methods += "DELETE, ";
  return methods + "OPTIONS";
}

core::Result<std::optional<RouteMatch>> match_route(Method method, std::string_view path) {
  if (!path.starts_with('/')) return std::optional<RouteMatch>();
  const Method wanted = method == Method::kHead ? Method::kGet : method;
  const auto pieces = segments(path);
  std::optional<RouteMatch> match;
  for (std::size_t i = 0; i < patterns().size(); ++i) {
    if (!fits(patterns()[i], pieces)) continue;
    const Route& route = route_table()[i];
    if (!match) match = RouteMatch{nullptr, route.pattern, {}};
    if (route.method != wanted) continue;
    match->route = &route;
    for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
      const std::string_view segment = patterns()[i][piece];
      if (!is_parameter(segment)) continue;
      const std::string_view name = segment.substr(1, segment.size() - 2);
      CORE_TRY(std::string value, percent_decode(pieces[piece], false, name));
      match->path_values.emplace_back(std::string(name), std::move(value));
    }
    break;
  }
  return match;
}

}  // namespace scalestyle::http
