#include "http/openapi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <string>

#include "http/api_error.hpp"
#include "http/route_table.hpp"
#include "http/running_server.hpp"
#include "search/degradation.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object document() { return json::parse(openapi_document("1.2.3")).as_object(); }
const json::object& schemas(const json::object& api) { return api.at("components").as_object().at("schemas").as_object(); }

TEST(OpenApi, HasEveryRouteAndParameterOfTheTableAndNoOther) {
  const auto api = document();
  EXPECT_EQ(api.at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(api.at("info").at("version").as_string(), "1.2.3");
  const auto& paths = api.at("paths").as_object();
  EXPECT_EQ(paths.size(), route_table().size());
  std::set<std::string> operations;
  for (const Route& route : route_table()) {
    ASSERT_TRUE(paths.contains(route.pattern)) << route.pattern;
    const auto& get = paths.at(route.pattern).as_object().at("get").as_object();
    EXPECT_TRUE(operations.insert(std::string(get.at("operationId").as_string())).second);
    const auto& parameters = get.at("parameters").as_array();
    ASSERT_EQ(parameters.size(), route.parameters.size()) << route.pattern;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const ParameterSpec& spec = route.parameters[i];
      const auto& shown = parameters[i].as_object();
      EXPECT_EQ(shown.at("name").as_string(), spec.name);
      EXPECT_EQ(shown.at("in").as_string(), spec.place == ParameterPlace::kPath ? "path" : "query");
      EXPECT_EQ(shown.at("required").as_bool(), spec.required);
      EXPECT_FALSE(shown.at("description").as_string().empty()) << spec.name;
      const auto& outer = shown.at("schema").as_object();
      const auto& schema = spec.max_values > 1 ? outer.at("items").as_object() : outer;
      const bool text = spec.kind == ParameterKind::kText;
      EXPECT_EQ(schema.at(text ? "minLength" : "minimum").to_number<double>(), spec.minimum) << spec.name;
      if (spec.maximum > spec.minimum) {
        EXPECT_EQ(schema.at(text ? "maxLength" : "maximum").to_number<double>(), spec.maximum) << spec.name;
      }
    }
    const auto& responses = get.at("responses").as_object();
    EXPECT_EQ(responses.size(), route.responses.size() + 1) << "two responses of one status, or none for 500";
    for (const ResponseSpec& spec : route.responses) EXPECT_TRUE(responses.contains(std::to_string(spec.status)));
  }
}

TEST(OpenApi, PublicSearchParametersAreTheAgreedOnes) {
  const auto api = document();
  std::set<std::string> names;
  for (const auto& parameter :
       api.at("paths").at("/api/recommendation/search").at("get").at("parameters").as_array()) {
    names.insert(std::string(parameter.at("name").as_string()));
  }
  EXPECT_EQ(names, (std::set<std::string>{"query", "k", "offset", "deadline_ms", "colour", "colour_family", "type", "group", "department",
                                          "section", "garment_group", "index", "price_min", "price_max", "userId", "sessionId"}));
}

TEST(OpenApi, EnumsAreThoseOfTheCode) {
  const auto api = document();
  const auto values = [&](const char* name) {
    std::set<std::string> all;
    for (const auto& value : schemas(api).at(name).at("enum").as_array()) all.insert(std::string(value.as_string()));
    return all;
  };
  std::set<std::string> reasons;
  for (const auto& reason : search::kDegradationReasons) reasons.insert(std::string(reason.name));
  EXPECT_EQ(values("DegradationReason"), reasons);
  std::set<std::string> codes;
  for (const auto& code : error_codes()) codes.insert(std::string(code.code));
  EXPECT_EQ(values("ErrorCode"), codes);
  std::set<std::string> stages;
  for (std::size_t i = 0; i < search::kStageCount; ++i) stages.insert(std::string(search::to_string(static_cast<search::Stage>(i))));
  std::set<std::string> shown;
  for (const auto& value : schemas(api).at("Stage").at("properties").at("stage").at("enum").as_array()) {
    shown.insert(std::string(value.as_string()));
  }
  EXPECT_EQ(shown, stages);
}

void collect_references(const json::value& value, std::set<std::string>& names) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "$ref") names.insert(std::string(member.as_string()));
      collect_references(member, names);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) collect_references(element, names);
  }
}

TEST(OpenApi, EveryReferenceLeadsToASchemaAndEverySchemaIsUsed) {
  const auto api = document();
  std::set<std::string> names;
  collect_references(api, names);
  std::set<std::string> defined;
  for (const auto& [name, schema] : schemas(api)) defined.insert("#/components/schemas/" + std::string(name));
  EXPECT_EQ(names, defined);
}

// Checks required members, unknown members and the shapes below; enough to notice a shape that drifted from its schema.
void expect_fits(const json::object& all, const json::object& schema, const json::value& value, const std::string& where) {
  if (const auto* reference = schema.if_contains("$ref")) {
    const std::string name = std::string(reference->as_string()).substr(std::string("#/components/schemas/").size());
    expect_fits(all, all.at(name).as_object(), value, where);
    return;
  }
  if (const auto* properties = schema.if_contains("properties")) {
    ASSERT_TRUE(value.is_object()) << where;
    for (const auto& name : schema.at("required").as_array()) {
      EXPECT_TRUE(value.as_object().contains(name.as_string())) << where << " lacks " << name.as_string();
    }
    for (const auto& [name, member] : value.as_object()) {
      const auto* described = properties->as_object().if_contains(name);
      ASSERT_NE(described, nullptr) << where << " has " << name << ", which its schema lacks";
      expect_fits(all, described->as_object(), member, where + "." + std::string(name));
    }
  } else if (const auto* items = schema.if_contains("items")) {
    ASSERT_TRUE(value.is_array()) << where;
    for (const auto& element : value.as_array()) expect_fits(all, items->as_object(), element, where + "[]");
  } else if (const auto* fixed = schema.if_contains("const")) {
    EXPECT_EQ(value, *fixed) << where;
  } else if (const auto* choices = schema.if_contains("enum")) {
    EXPECT_NE(std::ranges::find(choices->as_array(), value), choices->as_array().end()) << where;
  }
}

TEST(OpenApi, AnswersFitTheirSchemas) {
  RunningServer server;
  server.publish();
  const auto api = document();
  const auto check = [&](const std::string& target, const char* schema) {
    const auto response = server.get(target);
    ASSERT_FALSE(response.body.empty()) << target;
    expect_fits(schemas(api), schemas(api).at(schema).as_object(), json::parse(response.body), target);
  };
  check("/api/recommendation/search?query=name+0&colour=red", "SearchAnswer");
  check("/api/articles/1001", "ArticleAnswer");
  check("/live", "Live");
  check("/ready", "Ready");
  check("/api/recommendation/search", "Error");
  server.encoder().fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  check("/api/recommendation/search?query=x", "Error");
  EXPECT_EQ(server.get("/openapi.json").body, openapi_document("1.2.3"));
}

}  // namespace
}  // namespace scalestyle::http
