#pragma once
// The OpenAPI 3.1 description of the API, made from route_table(), the error codes and the degradation reasons.

#include <string>
#include <string_view>

namespace scalestyle::http {

[[nodiscard]] std::string openapi_document(std::string_view version);

// components/schemas as JSON.
[[nodiscard]] std::string openapi_schemas();

}  // namespace scalestyle::http
