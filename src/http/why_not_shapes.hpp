#pragma once
// The answer of why-not as JSON. openapi_diagnostic_schemas.cpp describes the same shape; a test compares them.

#include <string>

#include "search/why_not.hpp"

namespace scalestyle::http {

[[nodiscard]] std::string why_not_json(const search::WhyNot& why);

}  // namespace scalestyle::http
