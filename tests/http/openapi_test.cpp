#include "http/openapi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <string>

#include "http/api_error.hpp"
#include "http/route_table.hpp"
#include "http/running_server.hpp"
#include "http/search_configurations.hpp"
#include "search/degradation.hpp"
#include "search/why_not.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object document() { return json::parse(openapi_document("1.2.3")).as_object(); }
const json::object& schemas(const json::object& api) { return api.at("components").as_object().at("schemas").as_object(); }

std::string method_key(Method method) {
  switch (method) {
    case Method::kPost: return "post";
    case Method::kPut: return "put";
    case Method::kPatch: return "patch";
    case Method::kDelete: return "delete";
    default: return "get";
  }
}

void expect_described(const ParameterSpec& spec, const json::object& shown) {
  EXPECT_EQ(shown.at("name").as_string(), spec.name);
  EXPECT_EQ(shown.at("in").as_string(), spec.place == ParameterPlace::kPath ? "path" : "query");
  EXPECT_EQ(shown.at("required").as_bool(), spec.required);
  EXPECT_FALSE(shown.at("description").as_string().empty()) << spec.name;
  const auto& outer = shown.at("schema").as_object();
  const auto& schema = spec.max_values > 1 ? outer.at("items").as_object() : outer;
  if (spec.kind == ParameterKind::kBoolean) {
    EXPECT_EQ(schema.at("type").as_string(), "boolean");
    return;
  }
  if (spec.kind == ParameterKind::kChoice) {
    EXPECT_EQ(schema.at("enum").as_array().size(), spec.choices.size());
    EXPECT_NE(std::ranges::find(spec.choices, std::string_view(schema.at("default").as_string())), spec.choices.end());
    return;
  }
  const bool text = spec.kind == ParameterKind::kText;
  EXPECT_EQ(schema.at(text ? "minLength" : "minimum").to_number<double>(), spec.minimum) << spec.name;
  if (spec.maximum > spec.minimum) {
    EXPECT_EQ(schema.at(text ? "maxLength" : "maximum").to_number<double>(), spec.maximum) << spec.name;
  }
}

TEST(OpenApi, HasEveryRouteAndParameterOfTheTableAndNoOther) {
  const auto api = document();
  EXPECT_EQ(api.at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(api.at("info").at("version").as_string(), "1.2.3");
  const auto& paths = api.at("paths").as_object();
  std::size_t shown_operations = 0;
  for (const auto& [path, methods] : paths) shown_operations += methods.as_object().size();
  EXPECT_EQ(shown_operations, route_table().size());
  std::set<std::string> operations;
  for (const Route& route : route_table()) {
    ASSERT_TRUE(paths.contains(route.pattern)) << route.pattern;
    const auto& operation = paths.at(route.pattern).as_object().at(method_key(route.method)).as_object();
    EXPECT_TRUE(operations.insert(std::string(operation.at("operationId").as_string())).second);
    const auto& parameters = operation.at("parameters").as_array();
    ASSERT_EQ(parameters.size(), route.parameters.size()) << route.pattern;
    for (std::size_t i = 0; i < parameters.size(); ++i) expect_described(route.parameters[i], parameters[i].as_object());
    EXPECT_EQ(operation.contains("requestBody"), route.body != nullptr || route.form != nullptr) << route.pattern;
    const auto& responses = operation.at("responses").as_object();
    EXPECT_EQ(responses.size(), route.responses.size() + 5) << "two responses of one status, or none for 408, 414, 429, 431 or 500";
    for (const ResponseSpec& spec : route.responses) EXPECT_TRUE(responses.contains(std::to_string(spec.status)));
  }
}

void expect_body_described(const json::object& all, const BodySpec& spec) {
  const auto& schema = all.at(spec.schema).as_object();
  EXPECT_FALSE(schema.at("additionalProperties").as_bool());
  const auto& properties = schema.at("properties").as_object();
  EXPECT_EQ(properties.size(), spec.fields.size());
  std::size_t required = 0;
  for (const BodyField& field : spec.fields) {
    required += field.required ? 1 : 0;
    const auto& shown = properties.at(field.name).as_object();
    EXPECT_FALSE(shown.at("description").as_string().empty()) << field.name;
    if (!field.choices.empty()) {
      EXPECT_EQ(shown.at("enum").as_array().size(), field.choices.size() + (field.required ? 0 : 1));
    }
    if (field.kind == BodyKind::kText) {
      EXPECT_EQ(shown.at("maxLength").to_number<double>(), field.maximum) << field.name;
    }
    if (field.kind == BodyKind::kInteger) {
      EXPECT_EQ(shown.at("maximum").to_number<double>(), field.maximum) << field.name;
    }
    if (field.entries == nullptr) continue;
    EXPECT_EQ(shown.at("maxItems").to_number<double>(), field.maximum);
    EXPECT_EQ(shown.at("items").at("$ref").as_string(), "#/components/schemas/" + std::string(field.entries->schema));
    expect_body_described(all, *field.entries);
  }
  EXPECT_EQ(schema.at("required").as_array().size(), required);
}

TEST(OpenApi, BodiesAreDescribed) {
  const auto api = document();
  for (const Route& route : route_table()) {
    if (route.body == nullptr) continue;
    const auto& operation = api.at("paths").at(route.pattern).at(method_key(route.method));
    const auto& content = operation.at("requestBody").at("content").as_object();
    for (const char* type : {"application/json", "text/plain"}) {
      EXPECT_EQ(content.at(type).at("schema").at("$ref").as_string(), "#/components/schemas/" + std::string(route.body->schema));
    }
    expect_body_described(schemas(api), *route.body);
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
                                          "section", "garment_group", "index", "price_min", "price_max", "userId", "sessionId",
                                          "personalize", "after", "explain", "legs", "understand", "understand_without", "rerank",
                                          "sort", "cursor", "collapse", "facets", "max_per_type", "max_per_section",
                                          "diversity_window", "reasons", "config"}));
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
  const auto& causes = schemas(api).at("WhyNot").at("properties").at("cause").at("enum").as_array();
  ASSERT_EQ(causes.size(), search::kWhyNotCauseCount + 1);  // and null
  for (std::size_t i = 0; i < search::kWhyNotCauseCount; ++i) {
    EXPECT_EQ(causes[i].as_string(), search::to_string(static_cast<search::WhyNotCause>(i)));
  }
  const auto& fallbacks = schemas(api).at("SearchAnswer").at("properties").at("fallback_source").at("enum").as_array();
  ASSERT_EQ(fallbacks.size(), search::kFallbackSourceCount);
  for (std::size_t i = 0; i < fallbacks.size(); ++i) {
    EXPECT_EQ(fallbacks[i].as_string(), search::to_string(static_cast<search::FallbackSource>(i)));
  }
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
  const support::TemporaryFolder folder;
  ASSERT_TRUE(core::write_file_atomically(folder / "c.json", R"({"reds": "colour=Red"})"));
  const auto configurations = ConfigurationFile::open(folder / "c.json").value();
  RunningServer server({}, {.configurations = configurations.get()});
  server.publish();
  const auto api = document();
  const auto check = [&](const std::string& target, const char* schema) {
    const auto response = server.get(target);
    ASSERT_FALSE(response.body.empty()) << target;
    expect_fits(schemas(api), schemas(api).at(schema).as_object(), json::parse(response.body), target);
  };
  check("/api/recommendation/search?query=name+0&colour=red", "SearchAnswer");
  check("/api/recommendation/search?query=name+0&facets=true&k=3", "SearchAnswer");
  check("/api/recommendation/search?query=name+0&config=reds", "SearchAnswer");
  check("/api/recommendation/search?query=name+0&config=blues", "Error");
  check("/api/recommendation/debug/configurations", "Configurations");
  check("/api/recommendation/browse?facets=colour,price&colour=red&k=3&collapse=false", "SearchAnswer");
  check("/api/recommendation/browse?cursor=nonsense", "Error");
  check("/api/recommendation/why-not?query=name+0&article_id=1001&config=reds", "WhyNot");
  check("/api/recommendation/why-not?query=name+0&article_id=1001&legs=lexical&k=1&max_per_type=1", "WhyNot");
  check("/api/recommendation/why-not?query=name+0&article_id=7", "WhyNot");
  check("/api/recommendation/why-not?query=name+0", "Error");
  check("/api/articles/1001", "ArticleAnswer");
  const auto check_post = [&](const std::string& target, const std::string& body, const char* schema, const char* method = "POST") {
    const auto response = server.post(target, body, "", method);
    expect_fits(schemas(api), schemas(api).at(schema).as_object(), json::parse(response.body), target + " " + response.body);
  };
  check_post("/api/events/click", R"({"user_id":"u","item_id":"1001","source":"search","query":"q","position":1})", "EventAnswer");
  check_post("/api/events", R"({"events":[{"event_type":"view","user_id":"u","item_id":"1001"},
      {"event_type":"impression","user_id":"u","item_id":"1001","request_id":"r"}]})", "EventsAnswer");
  check_post("/api/events", R"({"events":[{"event_type":"view"}]})", "Error");
  check_post("/api/users/u/merge", R"({"session_id":"s"})", "EventAnswer");
  check_post("/api/users/u/preferences", R"({"personalize":true})", "EventAnswer");
  check_post("/api/articles/1001", R"({"product_name":"cape","price":null})", "ChangeAnswer", "PUT");
  check_post("/api/articles/1001", R"({"price":1.5})", "ChangeAnswer", "PATCH");
  check_post("/api/articles/batch", R"({"operations":[{"operation":"patch","article_id":"1001","available":false}]})", "ChangeAnswer");
  check_post("/api/articles/1019", "", "ChangeAnswer", "DELETE");
  check_post("/api/articles/1019", R"({"price":1})", "Error", "PATCH");
  check("/api/recommendation/browse?k=3", "SearchAnswer");
  check("/api/recommendation/suggest?prefix=na", "SuggestAnswer");
  check("/api/recommendation/trending?window=1h&userId=u", "SearchAnswer");
  check("/api/recommendation/for-you?userId=u&explain=true", "SearchAnswer");
  check("/api/recommendation/similar/1001?explain=true", "SearchAnswer");
  check("/api/recommendation/similar/9999", "Error");
  check("/api/recommendation/complete-the-look/1001?explain=true", "SearchAnswer");
  check("/api/recommendation/trending?order=rising&window=1h&explain=true", "SearchAnswer");
  check("/api/recommendation/search?query=name+1&userId=u&after=" + events::to_token({"fake", 0, 1}), "SearchAnswer");
  check("/api/users/u", "UserAnswer");
  check("/api/users/u?limit=1", "UserAnswer");
  check("/api/users/u/features", "FeaturesAnswer");
  check_post("/api/users/u", "", "ForgetAnswer", "DELETE");
  server.event_log().fail_append_with(ports::AppendOutcome::kUnknown, core::ErrorCode::kUnavailable);
  check_post("/api/events/click", R"({"user_id":"u","item_id":"1001","source":"search"})", "Error");
  check("/live", "Live");
  check("/ready", "Ready");
  check("/api/recommendation/search", "Error");
  server.encoder().fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  check("/api/recommendation/search?query=x", "SearchAnswer");
  EXPECT_EQ(server.get("/openapi.json").body, openapi_document("1.2.3"));
}

}  // namespace
}  // namespace scalestyle::http
