#include "http/openapi.hpp"

#include <utility>

#include "http/json_writer.hpp"
#include "http/route_table.hpp"

namespace scalestyle::http {

namespace {

void write_parameter_schema(JsonWriter& json, const ParameterSpec& spec) {
  json.begin_object();
  switch (spec.kind) {
    case ParameterKind::kText:
      json.key("type").text("string");
      json.key("minLength").number(spec.minimum);
      json.key("maxLength").number(spec.maximum);
      break;
    case ParameterKind::kInteger:
      json.key("type").text("integer");
      json.key("minimum").number(spec.minimum);
      json.key("maximum").number(spec.maximum);
      if (!spec.default_value.empty()) json.key("default").raw(spec.default_value);
      break;
    case ParameterKind::kNumber:
      json.key("type").text("number");
      json.key("minimum").number(spec.minimum);
      if (spec.maximum > spec.minimum) json.key("maximum").number(spec.maximum);
      break;
  }
  json.end_object();
}

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
  if (spec.status == 503) {
    json.key("Retry-After").begin_object().key("schema").raw(R"({"type":"integer","minimum":0})").end_object();
  }
  json.end_object();
  if (!spec.content_type.empty()) {
    json.key("content").begin_object().key(spec.content_type).begin_object();
    if (!spec.schema.empty()) {
      json.key("schema").begin_object().key("$ref").text("#/components/schemas/" + std::string(spec.schema)).end_object();
    }
    json.end_object().end_object();
  }
  json.end_object();
}

void write_operation(JsonWriter& json, const Route& route) {
  json.key(route.pattern).begin_object();
  json.key("get").begin_object();
  json.key("operationId").text(route.operation_id);
  json.key("summary").text(route.summary);
  json.key("parameters").begin_array();
  for (const ParameterSpec& spec : route.parameters) write_parameter(json, spec);
  json.end_array();
  json.key("responses").begin_object();
  for (const ResponseSpec& spec : route.responses) write_response(json, spec);
  write_response(json, {.status = 500, .description = "The server failed", .schema = "Error"});
  json.end_object().end_object().end_object();
}

}  // namespace

std::string openapi_document(std::string_view version) {
  JsonWriter json(32 * 1024);
  json.begin_object();
  json.key("openapi").text("3.1.0");
  json.key("info").begin_object();
  json.key("title").text("ScaleStyle");
  json.key("version").text(version);
  json.key("description")
      .text("Search of a fashion catalogue by meaning. Every path also answers HEAD and OPTIONS. Unknown parameters and "
            "parameters given twice are errors. Every error has the same envelope, the schema Error. Parameters that may "
            "repeat mean any of their values.");
  json.key("license").begin_object().key("name").text("Apache-2.0").key("identifier").text("Apache-2.0").end_object();
  json.end_object();
  json.key("paths").begin_object();
  for (const Route& route : route_table()) write_operation(json, route);
  json.end_object();
  json.key("components").begin_object().key("schemas").raw(openapi_schemas()).end_object();
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
