// What the API's description tells of keys.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>

#include "http/access_setup.hpp"
#include "http/openapi.hpp"
#include "http/route_table.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

std::string method_key(Method method) {
  switch (method) {
    case Method::kPost: return "post";
    case Method::kPut: return "put";
    case Method::kPatch: return "patch";
    case Method::kDelete: return "delete";
    default: return "get";
  }
}

TEST(AccessOpenApi, EveryRouteTellsItsScopesAndRefusals) {
  const auto api = json::parse(openapi_document("1", true)).as_object();
  std::set<std::string> schemes;
  for (const auto& [name, scheme] : api.at("components").at("securitySchemes").as_object()) schemes.insert(name);
  EXPECT_EQ(schemes, (std::set<std::string>{"ApiKey", "BearerKey", "Session", "UserToken"}));
  for (const Route& route : route_table()) {
    const auto& operation = api.at("paths").as_object().at(route.pattern).as_object().at(method_key(route.method)).as_object();
    const auto& responses = operation.at("responses").as_object();
    ScopeSet told;
    for (const auto& alternative : operation.at("security").as_array()) {
      for (const auto& [scheme, scopes] : alternative.as_object()) {
        EXPECT_TRUE(schemes.contains(scheme));
        for (const auto& scope : scopes.as_array()) {
          const ScopeSet one = parse_scopes(std::string(scope.as_string()), "scope").value();
          for (const Scope known : kScopes) {
            if (one.contains(known)) told.add(known);
          }
        }
      }
    }
    EXPECT_EQ(told, route.scopes()) << route.pattern;
    EXPECT_EQ(responses.contains("401"), !route.scopes().empty()) << route.pattern;
    EXPECT_TRUE(route.scopes().empty() || responses.contains("403")) << route.pattern;
  }
}

TEST(AccessOpenApi, WithoutKeysNothingIsSaidOfThem) {
  const std::string plain = openapi_document("1");
  EXPECT_EQ(plain.find("securitySchemes"), std::string::npos);
  EXPECT_EQ(plain.find("\"401\""), std::string::npos);
}

TEST(AccessOpenApi, AServerWithKeysSaysSo) {
  AccessSetup setup;
  const auto answer = setup.running().get("/openapi.json");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, openapi_document("1.2.3", true));
}

}  // namespace
}  // namespace scalestyle::http
