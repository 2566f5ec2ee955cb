#pragma once
// Parameters as a body: the same names, limits and meanings as in a query string, as one JSON object or as a form.
//
// In JSON a parameter has its own type: a number is a number, what may repeat is an array (or one value), what is a list is
// an array of texts or the text with commas. A member that is null counts as absent. In a form every part is the text that
// a query string would have, and a file.
// Thread safety: free functions and plain values.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/parameters.hpp"
#include "http/query_string.hpp"

namespace scalestyle::http {

// The body of a route that takes its parameters so.
struct ParameterBody {
  std::string_view schema;       // its name in components/schemas, as JSON
  std::string_view form_schema;  // and as a form
  std::string_view description;
  std::string_view example;      // JSON
  std::string_view file_part;    // the name of the file in a form
  std::string_view file_description;
  std::span<const ParameterSpec> parameters;  // at most 64
};

struct ParameterValues {
  Parameters parameters{};
  std::optional<std::string> file{};  // of a form
};

// Adds to the values of a body before they are compared with their limits; its error is the body's.
using CompleteParameters = std::function<core::Status(QueryPairs&)>;

// kInvalidArgument with the member as field ("colour[3]"; "body" where it is the whole): not JSON (with the place), a member
// unknown, given twice, missing, of a wrong type or out of its limits. As Parameters::check, and read_form of a form.
[[nodiscard]] core::Result<ParameterValues> read_parameters(const ParameterBody& body, std::string_view content_type,
                                                            std::string_view text, const CompleteParameters& complete = {});

// The values of a JSON object, not yet compared with their limits.
[[nodiscard]] core::Result<QueryPairs> parameters_of_json(std::span<const ParameterSpec> specs, std::string_view json);

}  // namespace scalestyle::http
