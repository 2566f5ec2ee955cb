// The description of bodies that are parameters, as JSON and as forms.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>

#include "http/openapi.hpp"
#include "http/parameter_body.hpp"
#include "http/route_table.hpp"
#include "http/visual_parameters.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object document() { return json::parse(openapi_document("1.2.3")).as_object(); }

const json::object& schema(const json::object& api, std::string_view name) {
  return api.at("components").at("schemas").at(name).as_object();
}

bool has_type(const json::array& alternatives, std::string_view type) {
  return std::ranges::any_of(alternatives, [&](const json::value& one) { return one.at("type").as_string() == type; });
}

void expect_json_member(const ParameterSpec& spec, const json::object& shown) {
  EXPECT_FALSE(shown.at("description").as_string().empty()) << spec.name;
  const auto& alternatives = shown.at("anyOf").as_array();
  const auto& own = alternatives.front().as_object();
  EXPECT_EQ(has_type(alternatives, "null"), !spec.required) << spec.name;
  EXPECT_EQ(has_type(alternatives, "array"), spec.is_list || spec.max_values > 1) << spec.name;
  EXPECT_EQ(has_type(alternatives, "boolean"), spec.is_switch || spec.kind == ParameterKind::kBoolean) << spec.name;
  EXPECT_EQ(has_type(alternatives, "integer"), spec.is_count || spec.kind == ParameterKind::kInteger) << spec.name;
  EXPECT_EQ(own.contains("contentEncoding"), spec.kind == ParameterKind::kBase64) << spec.name;
  if (own.contains("maxLength")) {
    EXPECT_EQ(own.at("maxLength").to_number<double>(), spec.maximum) << spec.name;
  }
  if (spec.kind == ParameterKind::kChoice) {
    EXPECT_EQ(own.at("enum").as_array().size(), spec.choices.size());
  }
}

TEST(OpenApiForms, EveryParameterIsDescribedInBoth) {
  const auto api = document();
  std::size_t forms = 0;
  for (const Route& route : route_table()) {
    if (route.form == nullptr) continue;
    ++forms;
    const auto& members = schema(api, route.form->schema).at("properties").as_object();
    const auto& parts = schema(api, route.form->form_schema).at("properties").as_object();
    EXPECT_EQ(members.size(), route.form->parameters.size());
    EXPECT_EQ(parts.size(), route.form->parameters.size() + 1);
    EXPECT_TRUE(parts.contains(route.form->file_part));
    std::size_t required = 0;
    for (const ParameterSpec& spec : route.form->parameters) {
      required += spec.required ? 1 : 0;
      expect_json_member(spec, members.at(spec.name).as_object());
      EXPECT_EQ(parts.at(spec.name).at("type").as_string() == "array", spec.max_values > 1) << spec.name;
    }
    for (const std::string_view name : {route.form->schema, route.form->form_schema}) {
      EXPECT_EQ(schema(api, name).at("required").as_array().size(), required);
      EXPECT_FALSE(schema(api, name).at("additionalProperties").as_bool());
    }
    const auto& operation = api.at("paths").at(route.pattern).at("post").as_object();
    const auto& content = operation.at("requestBody").at("content").as_object();
    EXPECT_EQ(content.at("application/json").at("schema").at("$ref").as_string(), "#/components/schemas/" + std::string(route.form->schema));
    EXPECT_EQ(content.at("multipart/form-data").at("schema").at("$ref").as_string(),
              "#/components/schemas/" + std::string(route.form->form_schema));
    for (const char* status : {"200", "400", "403", "404", "410", "413", "415", "500", "503"}) {
      EXPECT_TRUE(operation.at("responses").as_object().contains(status)) << status;
    }
  }
  EXPECT_EQ(forms, 2U);
}

TEST(OpenApiForms, ExamplesAreGoodBodies) {
  const auto api = document();
  const auto example = [&](const char* path) {
    return json::serialize(api.at("paths").at(path).at("post").at("requestBody").at("content").at("application/json").at("example"));
  };
  auto image = read_parameters(image_search_body(), "application/json", example("/api/recommendation/search/image"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(to_image_search(std::move(*image), core::SteadyTime(), 1));
  auto hybrid = read_parameters(hybrid_search_body(), "application/json", example("/api/recommendation/search/hybrid"));
  ASSERT_TRUE(hybrid) << hybrid.error().message;
  EXPECT_TRUE(to_hybrid_search(std::move(*hybrid), core::SteadyTime(), 1));
}

}  // namespace
}  // namespace scalestyle::http
