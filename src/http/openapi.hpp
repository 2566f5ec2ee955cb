#pragma once
// The OpenAPI 3.1 description of the API, made from route_table(), the error codes and the degradation reasons.

#include <string>
#include <string_view>

#include "http/json_writer.hpp"
#include "http/scope.hpp"

namespace scalestyle::http {

struct BodySpec;
struct ParameterBody;
struct ParameterSpec;

// `keys`: an API key is needed, as Route::scopes() says.
[[nodiscard]] std::string openapi_document(std::string_view version, bool keys = false);

// components/schemas as JSON.
[[nodiscard]] std::string openapi_schemas();

// The parts of it that describe the event and user routes, those that change articles (bodies, from their descriptions, and
// answers), and what tells why an answer is as it is.
void write_event_schemas(JsonWriter& json);
void write_article_schemas(JsonWriter& json);
void write_diagnostic_schemas(JsonWriter& json);
void write_reason_schemas(JsonWriter& json);
void write_security_schemes(JsonWriter& json);  // the member "securitySchemes" of components
void write_security(JsonWriter& json, ScopeSet scopes);  // the member "security" of an operation that a key with one of them may use
void write_form_schemas(JsonWriter& json);  // of the bodies that are parameters, as JSON and as forms
void write_form_body(JsonWriter& json, const ParameterBody& body);  // the member "requestBody" of an operation
void write_parameter_schema(JsonWriter& json, const ParameterSpec& spec);
void write_body_schema(JsonWriter& json, const BodySpec& spec);  // and those of its entries

// A constant's JSON, written over several lines, in one.
[[nodiscard]] std::string without_line_ends(std::string_view json);

}  // namespace scalestyle::http
