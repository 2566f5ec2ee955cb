#include "http/route_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace scalestyle::http {
namespace {

const Route* route_of(Method method, std::string_view path) {
  const auto match = match_route(method, path);
  return match && *match ? (*match)->route : nullptr;
}

TEST(RouteTable, SharedPathsGoByMethod) {
  EXPECT_EQ(route_of(Method::kGet, "/api/users/u")->id, RouteId::kExportUser);
  EXPECT_EQ(route_of(Method::kHead, "/api/users/u")->id, RouteId::kExportUser);
  EXPECT_EQ(route_of(Method::kDelete, "/api/users/u")->id, RouteId::kForgetUser);
  EXPECT_EQ(route_of(Method::kPost, "/api/users/u"), nullptr);
  EXPECT_EQ(route_of(Method::kPost, "/api/users/u/merge")->id, RouteId::kMergeSession);
  EXPECT_EQ(route_of(Method::kPost, "/api/users/u/preferences")->id, RouteId::kPreferences);
  EXPECT_EQ(route_of(Method::kPost, "/api/events")->id, RouteId::kEvents);
  EXPECT_EQ(route_of(Method::kPost, "/api/events/click")->id, RouteId::kClick);
  EXPECT_EQ(route_of(Method::kHead, "/api/events/click"), nullptr);
  EXPECT_EQ(route_of(Method::kPut, "/api/articles/1")->id, RouteId::kPutArticle);
  EXPECT_EQ(route_of(Method::kPatch, "/api/articles/1")->id, RouteId::kPatchArticle);
  EXPECT_EQ(route_of(Method::kDelete, "/api/articles/1")->id, RouteId::kDeleteArticle);
  EXPECT_EQ(route_of(Method::kPost, "/api/articles/batch")->id, RouteId::kChangeArticles);
  EXPECT_EQ(route_of(Method::kGet, "/api/articles/batch")->id, RouteId::kArticle);
  EXPECT_EQ(route_of(Method::kPost, "/live"), nullptr);
  EXPECT_FALSE(*match_route(Method::kPost, "/api/users/u/other"));
  EXPECT_FALSE(*match_route(Method::kPost, "/api/users//merge"));
  const auto known = match_route(Method::kPost, "/api/users/u");
  ASSERT_TRUE(known && *known);
  EXPECT_EQ((*known)->pattern, "/api/users/{user_id}");
}

TEST(RouteTable, AllowedMethodsAreThoseOfThePath) {
  EXPECT_EQ(allowed_methods("/api/users/{user_id}"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(allowed_methods("/api/events/click"), "POST, OPTIONS");
  EXPECT_EQ(allowed_methods("/live"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed_methods("/api/articles/{id}"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(allowed_methods(""), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

TEST(RouteTable, PathValuesAreDecoded) {
  const auto match = match_route(Method::kPost, "/api/users/a%2Fb%20c/merge");
  ASSERT_TRUE(match && *match);
  EXPECT_EQ((*match)->path_values, (QueryPairs{{"user_id", "a/b c"}}));
  EXPECT_EQ(match_route(Method::kPost, "/api/users/%FF/merge").error().field, "user_id");
}

TEST(RouteTable, IsConsistent) {
  std::set<RouteId> ids;
  std::set<std::pair<std::string_view, Method>> places;
  std::set<std::string_view> operations;
  for (const Route& route : route_table()) {
    EXPECT_TRUE(ids.insert(route.id).second) << route.pattern;
    EXPECT_TRUE(places.insert({route.pattern, route.method}).second) << route.pattern;
    EXPECT_TRUE(operations.insert(route.operation_id).second) << route.operation_id;
    EXPECT_EQ(route.has_effects(), route.method != Method::kGet && !route.is_read);
    EXPECT_TRUE(!route.is_read || route.method == Method::kPost) << route.pattern << ": only a POST may be a read that has a body";
    const bool has_body = route.method == Method::kPost || route.method == Method::kPut || route.method == Method::kPatch;
    EXPECT_EQ(route.body != nullptr || route.form != nullptr, has_body) << route.pattern;
    EXPECT_FALSE(route.body != nullptr && route.form != nullptr) << route.pattern;
    if (route.form != nullptr) {
      EXPECT_LE(route.form->parameters.size(), 64U) << "as below";
    }
    if (route.body != nullptr) {
      EXPECT_LE(route.body->fields.size(), 64U) << "a mask of 64 bits says what was seen";
    }
  }
}

TEST(RouteTable, SegmentsDecideAndParametersAreDecoded) {
  EXPECT_EQ(match_route(Method::kGet, "/live").value()->route->id, RouteId::kLive);
  const auto article = match_route(Method::kGet, "/api/articles/a%2Fb").value();
  ASSERT_TRUE(article);
  EXPECT_EQ(article->path_values, (QueryPairs{{"id", "a/b"}}));
  EXPECT_FALSE(match_route(Method::kGet, "/api/articles/").value());
  EXPECT_FALSE(match_route(Method::kGet, "/").value());
  EXPECT_FALSE(match_route(Method::kGet, "live").value());
  EXPECT_FALSE(match_route(Method::kGet, "/images/%zz"));
}

}  // namespace
}  // namespace scalestyle::http
