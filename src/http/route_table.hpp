#pragma once
// The API's routes: the one table from which routing, validation and the OpenAPI document follow.
// A path may have several routes, one a method. One that answers GET answers HEAD too (the same without the body); every
// path answers OPTIONS (204 with Allow).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/json_body.hpp"
#include "http/message.hpp"
#include "http/parameter_body.hpp"
#include "http/parameters.hpp"
#include "http/scope.hpp"

namespace scalestyle::http {

enum class RouteId : std::uint8_t {
  kSearch,
  kSearchImage,
  kSearchHybrid,
  kBrowse,
  kTrending,
  kForYou,
  kSimilar,
  kLook,
  kSuggest,
  kWhyNot,
  kReason,
  kClick,
  kEvents,
  kExportUser,
  kUserFeatures,
  kForgetUser,
  kMergeSession,
  kPreferences,
  kCacheStats,
  kConfigurations,
  kChangeArticles,
  kPutArticle,
  kPatchArticle,
  kDeleteArticle,
  kArticle,
  kImage,
  kLive,
  kReady,
  kMetrics,
  kOpenApi,
};

struct ResponseSpec {
  int status = 200;
  std::string_view description;
  std::string_view content_type = "application/json";
  std::string_view schema{};  // of components/schemas; empty: opaque content, or none when content_type is empty
  std::string_view events{};  // where it can be sent as server-sent events too: what they are, for people
};

struct Route {
  RouteId id;
  std::string_view pattern;       // "/api/articles/{id}": one parameter a segment; also the metrics' label
  std::string_view operation_id;
  std::string_view summary;
  std::span<const ParameterSpec> parameters;
  std::span<const ResponseSpec> responses;
  Method method = Method::kGet;   // not kHead or kOptions, which follow
  const BodySpec* body = nullptr; // null: a body is read and ignored
  std::size_t max_body_bytes = 64 * 1024;  // of routes with a body
  const ParameterBody* form = nullptr;     // instead of `body`: parameters as JSON or as a form
  bool is_read = false;                    // changes nothing, whatever its method
  bool admin = false;                      // for operators: where they have a port of their own, answered there only

  // Where keys are in force, a key with one of these is needed; empty: none is.
  [[nodiscard]] ScopeSet scopes() const;
  [[nodiscard]] bool has_effects() const { return method != Method::kGet && !is_read; }
};

[[nodiscard]] std::span<const Route> route_table();

// "GET, HEAD, OPTIONS": what a path with these routes answers to this audience. Every method of any path for "".
[[nodiscard]] std::string allowed_methods(std::string_view pattern, Audience audience = Audience::kAll);

struct RouteMatch {
  const Route* route = nullptr;  // null: the path does not take the method
  std::string_view pattern;
  QueryPairs path_values;        // decoded
};

// Whether this audience may know of the route, or, where the method has none, of any route of the path.
[[nodiscard]] bool is_shown(const RouteMatch& match, Audience audience);

// Nothing when no route has this path. kInvalidArgument when a parameter in the path cannot be decoded.
[[nodiscard]] core::Result<std::optional<RouteMatch>> match_route(Method method, std::string_view path);

}  // namespace scalestyle::http
