#pragma once
// The answer of why-not as JSON. openapi_diagnostic_schemas.cpp describes the same shape; a test compares them.

#include <string>
#include <string_view>

#include "search/why_not.hpp"

namespace scalestyle::http {

// `configuration`: the named one that the request asked for; empty: none.
[[nodiscard]] std::string why_not_json(const search::WhyNot& why, std::string_view configuration = {});

}  // namespace scalestyle::http
