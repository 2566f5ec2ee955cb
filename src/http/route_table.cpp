#include "http/route_table.hpp"

#include <array>
#include <vector>

#include "http/search_parameters.hpp"

namespace scalestyle::http {

namespace {

constexpr ResponseSpec kInvalid{.status = 400, .description = "A parameter is wrong; error.field names it", .schema = "Error"};
constexpr ResponseSpec kUnavailable{.status = 503,
                                    .description = "Nothing can answer now; Retry-After says when to try again",
                                    .schema = "Error"};
constexpr ResponseSpec kMissing{.status = 404, .description = "There is no such article or picture", .schema = "Error"};

constexpr std::array kArticleParameters{ParameterSpec{.name = "id",
                                                      .description = "The article's id, such as 0108775015",
                                                      .minimum = 1,
                                                      .maximum = 64,
                                                      .place = ParameterPlace::kPath,
                                                      .required = true}};

constexpr std::array kSearchResponses{
    ResponseSpec{.description = "The articles nearest in meaning to the query, best first", .schema = "SearchAnswer"}, kInvalid,
    kUnavailable};
constexpr std::array kArticleResponses{ResponseSpec{.description = "The article", .schema = "ArticleAnswer"}, kInvalid, kMissing,
                                       kUnavailable};
constexpr std::array kImageResponses{ResponseSpec{.description = "The picture", .content_type = "image/*"},
                                     ResponseSpec{.status = 304, .description = "The client's copy is current", .content_type = ""},
                                     kInvalid, kMissing, kUnavailable};
constexpr std::array kLiveResponses{ResponseSpec{.description = "The process runs", .schema = "Live"}};
constexpr std::array kReadyResponses{ResponseSpec{.description = "Searches can be answered", .schema = "Ready"}, kUnavailable};
constexpr std::array kMetricsResponses{
    ResponseSpec{.description = "Metrics in the Prometheus text format", .content_type = "text/plain"}, kUnavailable};
constexpr std::array kOpenApiResponses{ResponseSpec{.description = "This document"}};

std::span<const Route> build_table() {
  static const std::array routes{
      Route{RouteId::kSearch, "/api/recommendation/search", "search", "Search the catalogue by meaning", search_parameters(),
            kSearchResponses},
      Route{RouteId::kArticle, "/api/articles/{id}", "getArticle", "One article with all its attributes", kArticleParameters,
            kArticleResponses},
      Route{RouteId::kImage, "/images/{id}", "getImage", "An article's picture", kArticleParameters, kImageResponses},
      Route{RouteId::kLive, "/live", "live", "Whether the process runs", {}, kLiveResponses},
      Route{RouteId::kReady, "/ready", "ready", "Whether searches can be answered", {}, kReadyResponses},
      Route{RouteId::kMetrics, "/metrics", "metrics", "Metrics for Prometheus", {}, kMetricsResponses},
      Route{RouteId::kOpenApi, "/openapi.json", "openApi", "This description", {}, kOpenApiResponses},
  };
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

}  // namespace

std::span<const Route> route_table() {
  static const std::span<const Route> table = build_table();
  return table;
}

core::Result<std::optional<RouteMatch>> match_route(std::string_view path) {
  if (!path.starts_with('/')) return std::optional<RouteMatch>();
  const auto pieces = segments(path);
  for (const Route& route : route_table()) {
    const auto pattern = segments(route.pattern);
    if (!fits(pattern, pieces)) continue;
    RouteMatch match{&route, {}};
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (!is_parameter(pattern[i])) continue;
      const std::string_view name = pattern[i].substr(1, pattern[i].size() - 2);
      CORE_TRY(std::string value, percent_decode(pieces[i], false, name));
      match.path_values.emplace_back(std::string(name), std::move(value));
    }
    return std::optional<RouteMatch>(std::move(match));
  }
  return std::optional<RouteMatch>();
}

}  // namespace scalestyle::http
