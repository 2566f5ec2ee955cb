#include <string>

#include "http/openapi.hpp"
#include "http/route_table.hpp"

namespace scalestyle::http {

namespace {

void write_text_limits(JsonWriter& json, const ParameterSpec& spec) {
  json.key("type").text("string");
  json.key("minLength").number(spec.minimum);
  json.key("maxLength").number(spec.maximum);
}

void write_members(JsonWriter& json, const ParameterSpec& spec) {
  switch (spec.kind) {
    case ParameterKind::kText: write_text_limits(json, spec); break;
    case ParameterKind::kBase64:
      write_text_limits(json, spec);
      json.key("contentEncoding").text("base64");
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
    case ParameterKind::kBoolean:
      json.key("type").text("boolean");
      if (!spec.default_value.empty()) json.key("default").raw(spec.default_value);
      break;
    case ParameterKind::kChoice:
      json.key("type").text("string").key("enum").begin_array();
      for (const std::string_view choice : spec.choices) json.text(choice);
      json.end_array();
      if (!spec.default_value.empty()) json.key("default").text(spec.default_value);
      break;
  }
}

// A member of a JSON object: the parameter's own type, and what else stands for it.
void write_json_member(JsonWriter& json, const ParameterSpec& spec) {
  json.key(spec.name).begin_object();
  json.key("description").text(spec.description);
  json.key("anyOf").begin_array();
  write_parameter_schema(json, spec);
  if (spec.is_list || spec.max_values > 1) {
    json.begin_object().key("type").text("array");
    if (spec.max_values > 1) json.key("maxItems").integer(spec.max_values);
    json.key("items");
    write_parameter_schema(json, spec);
    json.end_object();
  }
  if (spec.is_switch) json.raw(R"({"type":"boolean"})");
  if (spec.is_count) json.raw(R"({"type":"integer"})");
  if (!spec.required) json.raw(R"({"type":"null"})");
  json.end_array().end_object();
}

// A part of a form; what may repeat is several parts of one name.
void write_form_member(JsonWriter& json, const ParameterSpec& spec) {
  json.key(spec.name).begin_object();
  json.key("description").text(spec.description);
  if (spec.max_values > 1) {
    json.key("type").text("array").key("maxItems").integer(spec.max_values).key("items");
    write_parameter_schema(json, spec);
  } else {
    write_members(json, spec);
  }
  json.end_object();
}

void begin_schema(JsonWriter& json, std::string_view name, const ParameterBody& body) {
  json.key(name).begin_object();
  json.key("type").text("object");
  json.key("description").text(body.description);
  json.key("additionalProperties").boolean(false);
  json.key("required").begin_array();
  for (const ParameterSpec& spec : body.parameters) {
    if (spec.required) json.text(spec.name);
  }
  json.end_array();
  json.key("properties").begin_object();
}

}  // namespace

void write_parameter_schema(JsonWriter& json, const ParameterSpec& spec) {
  json.begin_object();
  write_members(json, spec);
  json.end_object();
}

void write_form_body(JsonWriter& json, const ParameterBody& body) {
  const auto write_schema = [&](std::string_view name) {
    json.key("schema").begin_object().key("$ref").text("#/components/schemas/" + std::string(name)).end_object();
  };
  json.key("requestBody").begin_object();
  json.key("required").boolean(true);
  json.key("content").begin_object();
  for (const std::string_view type : {"application/json", "text/plain"}) {
    json.key(type).begin_object();
    write_schema(body.schema);
    json.key("example").raw(body.example);
    json.end_object();
  }
  json.key("multipart/form-data").begin_object();
  write_schema(body.form_schema);
  json.key("encoding").begin_object().key(body.file_part).raw(R"({"contentType":"image/jpeg, image/png, image/webp"})").end_object();
  json.end_object();
  json.end_object().end_object();
}

void write_form_schemas(JsonWriter& json) {
  for (const Route& route : route_table()) {
    if (route.form == nullptr) continue;
    begin_schema(json, route.form->schema, *route.form);
    for (const ParameterSpec& spec : route.form->parameters) write_json_member(json, spec);
    json.end_object().end_object();
    begin_schema(json, route.form->form_schema, *route.form);
    json.key(route.form->file_part).begin_object();
    json.key("description").text(route.form->file_description);
    json.key("contentMediaType").text("application/octet-stream").end_object();
    for (const ParameterSpec& spec : route.form->parameters) write_form_member(json, spec);
    json.end_object().end_object();
  }
}

}  // namespace scalestyle::http
