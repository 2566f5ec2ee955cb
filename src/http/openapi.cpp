#include "http/openapi.hpp"

#include <algorithm>
#include <utility>

#include "http/json_writer.hpp"
#include "http/route_table.hpp"

namespace scalestyle::http {

namespace {

std::string schema_reference(std::string_view name) { return "#/components/schemas/" + std::string(name); }

void write_parameter(JsonWriter& json, const ParameterSpec& spec) {
  json.begin_object();
  json.key("name").text(spec.name);
  json.key("in").text(spec.place == ParameterPlace::kPath ? "path" : "query");
  json.key("description").text(spec.description);
  json.key("required").boolean(spec.required);
  json.key("schema");
  if (spec.max_values > 1) {
    json.begin_object().key("type").text("array").key("maxItems").integer(spec.max_values).key("items");
    write_parameter_schema(json, spec);
    json.end_object();
    json.key("style").text("form").key("explode").boolean(true);
  } else {
    write_parameter_schema(json, spec);
  }
  json.end_object();
}

void write_response(JsonWriter& json, const ResponseSpec& spec) {
  json.key(std::to_string(spec.status)).begin_object();
  json.key("description").text(spec.description);
  json.key("headers").begin_object();
  json.key("X-Request-Id").begin_object().key("schema").begin_object();
  json.key("$ref").text("#/components/schemas/RequestId").end_object().end_object();
  if (spec.status == 503 || spec.status == 429) {
    json.key("Retry-After").begin_object().key("schema").raw(R"({"type":"integer","minimum":0})").end_object();
  }
  if (spec.status == 401) {
    json.key("WWW-Authenticate").begin_object().key("schema").raw(R"({"type":"string"})").end_object();
  }
  json.end_object();
  if (!spec.content_type.empty()) {
    json.key("content").begin_object().key(spec.content_type).begin_object();
    if (!spec.schema.empty()) {
      json.key("schema").begin_object().key("$ref").text(schema_reference(spec.schema)).end_object();
    }
    json.end_object();
    if (!spec.events.empty()) {
      // No type: readers differ in whether a schema is of the whole stream or of each event.
      json.key("text/event-stream").begin_object().key("schema").begin_object();
      json.key("description").text(spec.events).end_object().end_object();
    }
    json.end_object();
  }
  json.end_object();
}

void write_body(JsonWriter& json, const BodySpec& spec) {
  json.key("requestBody").begin_object();
  json.key("required").boolean(true);
  json.key("content").begin_object();
  for (const std::string_view type : {"application/json", "text/plain"}) {
    json.key(type).begin_object().key("schema").begin_object();
    json.key("$ref").text(schema_reference(spec.schema)).end_object().end_object();
  }
  json.end_object().end_object();
}

std::string_view method_key(Method method) {
  switch (method) {
    case Method::kPost: return "post";
    case Method::kPut: return "put";
    case Method::kPatch: return "patch";
    case Method::kDelete: return "delete";
    default: return "get";
  }
}

// Of a route that needs a key; pictures have a 403 of their own.
void write_refusals(JsonWriter& json, const Route& route) {
  const auto has = [&](int status) { return std::ranges::find(route.responses, status, &ResponseSpec::status) != route.responses.end(); };
  write_response(json, {.status = 401, .description = "There is no API key, or the key or the user token is not good", .schema = "Error"});
  if (has(403)) return;
  write_response(json, {.status = 403,
                        .description = "The key may not do that, or not for the user, session or parameter that error.field names",
                        .schema = "Error"});
}

// What the connection answers before any route is asked (connection_errors.hpp).
void write_connection_refusals(JsonWriter& json) {
  write_response(json, {.status = 408, .description = "The request came too slowly", .schema = "Error"});
  write_response(json, {.status = 414, .description = "The request's target is too long", .schema = "Error"});
  write_response(json, {.status = 431, .description = "The header fields are too large", .schema = "Error"});
}

void write_operation(JsonWriter& json, const Route& route, bool keys) {
  json.key(method_key(route.method)).begin_object();
  json.key("operationId").text(route.operation_id);
  json.key("summary").text(route.summary);
  if (keys) write_security(json, route.scopes());
  json.key("parameters").begin_array();
  for (const ParameterSpec& spec : route.parameters) write_parameter(json, spec);
  json.end_array();
  if (route.body != nullptr) write_body(json, *route.body);
  if (route.form != nullptr) write_form_body(json, *route.form);
  json.key("responses").begin_object();
  for (const ResponseSpec& spec : route.responses) write_response(json, spec);
  if (keys && !route.scopes().empty()) write_refusals(json, route);
  write_response(json, {.status = 429, .description = "A key, a user or a client address asks for too much", .schema = "Error"});
  write_response(json, {.status = 500, .description = "The server failed", .schema = "Error"});
  write_connection_refusals(json);
  json.end_object().end_object();
}

// Every path once, with all its methods.
void write_paths(JsonWriter& json, bool keys) {
  const auto routes = route_table();
  json.key("paths").begin_object();
  for (auto route = routes.begin(); route != routes.end(); ++route) {
    const auto same_path = [&](const Route& other) { return other.pattern == route->pattern; };
    if (std::any_of(routes.begin(), route, same_path)) continue;
    json.key(route->pattern).begin_object();
    for (const Route& operation : routes) {
      if (same_path(operation)) write_operation(json, operation, keys);
    }
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::string openapi_document(std::string_view version, bool keys) {
  JsonWriter json(32 * 1024);
  json.begin_object();
  json.key("openapi").text("3.1.0");
  json.key("info").begin_object();
  json.key("title").text("ScaleStyle");
  json.key("version").text(version);
  json.key("description")
      .text("Search of a fashion catalogue by meaning, bent towards what its shoppers do. What answers GET answers HEAD; "
            "every path answers OPTIONS. Unknown parameters and members of bodies, and any given twice, are errors. A member "
            "that is null counts as absent. Every error has the same envelope, the schema Error. Parameters that may repeat "
            "mean any of their values.");
  json.key("license").begin_object().key("name").text("Apache-2.0").key("identifier").text("Apache-2.0").end_object();
  json.end_object();
  write_paths(json, keys);
  json.key("components").begin_object().key("schemas").raw(openapi_schemas());
  if (keys) write_security_schemes(json);
  json.end_object();
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
