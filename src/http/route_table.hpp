#pragma once
// The API's routes: the one table from which routing, validation and the OpenAPI document follow.
// Every route answers GET, HEAD (the same without the body) and OPTIONS (204 with Allow).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/parameters.hpp"

namespace scalestyle::http {

enum class RouteId : std::uint8_t { kSearch, kArticle, kImage, kLive, kReady, kMetrics, kOpenApi };

inline constexpr std::string_view kAllowedMethods = "GET, HEAD, OPTIONS";

struct ResponseSpec {
  int status = 200;
  std::string_view description;
  std::string_view content_type = "application/json";
  std::string_view schema{};  // of components/schemas; empty: opaque content, or none when content_type is empty
};

struct Route {
  RouteId id;
  std::string_view pattern;       // "/api/articles/{id}": one parameter a segment; also the metrics' label
  std::string_view operation_id;
  std::string_view summary;
  std::span<const ParameterSpec> parameters;
  std::span<const ResponseSpec> responses;
};

[[nodiscard]] std::span<const Route> route_table();

struct RouteMatch {
  const Route* route = nullptr;
  QueryPairs path_values;  // decoded
};

// Nothing when no route has this path. kInvalidArgument when a parameter in the path cannot be decoded.
[[nodiscard]] core::Result<std::optional<RouteMatch>> match_route(std::string_view path);

}  // namespace scalestyle::http
