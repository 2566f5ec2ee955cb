// Why a search does not show an article, as clients ask.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "http/route_table.hpp"
#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

const std::string kWhyNot = "/api/recommendation/why-not";

TEST(WhyNot, IsAskedWithTheParametersOfASearchAndAnArticle) {
  RunningServer server;
  server.publish();
  const auto get = [&](const std::string& query) {
    const auto response = server.get(kWhyNot + query);
    EXPECT_EQ(response.status, 200) << query << "\n" << response.body;
    return json::parse(response.body).as_object();
  };
  const auto shown = get("?query=name+7&k=3&article_id=1007");
  EXPECT_EQ(shown.at("status").as_string(), "success");
  EXPECT_EQ(shown.at("article_id").as_string(), "0000001007");
  EXPECT_TRUE(shown.at("on_page").as_bool());
  EXPECT_EQ(shown.at("rank").to_number<int>(), 1);
  EXPECT_TRUE(shown.at("cause").is_null());
  EXPECT_FALSE(shown.at("detail").as_string().empty());
  EXPECT_EQ(shown.at("facts").at("legs").as_array().size(), 2U);
  EXPECT_EQ(shown.at("facts").at("pool").to_number<int>(), 20);
  EXPECT_FALSE(shown.at("stages").as_array().empty());

  const auto filtered = get("?query=name+7&article_id=1007&colour=dark+blue&price_min=30");
  EXPECT_FALSE(filtered.at("on_page").as_bool());
  EXPECT_FALSE(filtered.contains("rank"));
  EXPECT_EQ(filtered.at("cause").as_string(), "filtered");
  EXPECT_EQ(filtered.at("facts").at("filters_failed"), (json::array{"colour", "price_min"}));
  EXPECT_EQ(get("?query=name+7&article_id=7").at("cause").as_string(), "unknown_article");
}

TEST(WhyNot, RefusesWhatASearchRefuses) {
  RunningServer server;
  server.publish();
  const auto field = [&](const std::string& query) {
    const auto response = server.get(kWhyNot + query);
    EXPECT_EQ(response.status, 400) << query << "\n" << response.body;
    return std::string(json::parse(response.body).at("error").at("field").as_string());
  };
  EXPECT_EQ(field("?query=name"), "article_id");
  EXPECT_EQ(field("?article_id=1007"), "query");
  EXPECT_EQ(field("?query=name&article_id=10+07"), "article_id");
  EXPECT_EQ(field("?query=name&article_id=1007&legs=colour"), "legs");
  EXPECT_EQ(field("?query=name&article_id=1007&cursor=nonsense"), "cursor");
}

TEST(WhyNot, HasEveryParameterOfASearch) {
  const auto parameters_of = [](std::string_view path) { return match_route(Method::kGet, path).value()->route->parameters; };
  const auto search = parameters_of("/api/recommendation/search");
  const auto why_not = parameters_of(kWhyNot);
  ASSERT_EQ(why_not.size(), search.size() + 1);
  for (std::size_t i = 0; i < search.size(); ++i) EXPECT_EQ(why_not[i].name, search[i].name);
  EXPECT_EQ(why_not.back().name, "article_id");
}

}  // namespace
}  // namespace scalestyle::http
