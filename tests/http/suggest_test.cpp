// GET /api/recommendation/suggest, as HTTP shows it.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

const std::string kSuggest = "/api/recommendation/suggest";

json::object parse(const support::RawResponse& response) { return json::parse(response.body).as_object(); }

// The server's shop has twenty articles "name 0" … "name 19", red or dark blue, of no type.
class SuggestTest : public testing::Test {
 protected:
  SuggestTest() { server_.publish(); }

  std::vector<std::string> texts(const std::string& parameters) {
    const auto response = server_.get(kSuggest + "?" + parameters);
    EXPECT_EQ(response.status, 200) << response.body;
    std::vector<std::string> list;
    const auto body = parse(response);
    for (const auto& one : body.at("suggestions").as_array()) list.emplace_back(one.at("text").as_string());
    return list;
  }
  std::string refused_field(const std::string& parameters) {
    const auto response = server_.get(kSuggest + parameters);
    EXPECT_EQ(response.status, 400) << response.body;
    return std::string(parse(response).at("error").at("field").as_string());
  }
  void search(const std::string& query, const std::string& subject) {
    ASSERT_EQ(server_.get("/api/recommendation/search?query=" + query + "&" + subject).status, 200);
  }

  RunningServer server_;
};

TEST_F(SuggestTest, AnswersWithTheWholeShape) {
  const auto response = server_.get(kSuggest + "?prefix=NAME+1&k=3", "X-Request-Id: my-id.1\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.at("Content-Type"), "application/json");
  const auto body = parse(response);
  EXPECT_EQ(body.at("status").as_string(), "success");
  EXPECT_EQ(body.at("request_id").as_string(), "my-id.1");
  EXPECT_GE(body.at("took_ms").to_number<double>(), 0.0);
  EXPECT_FALSE(body.at("corrected").as_bool());
  const auto& suggestions = body.at("suggestions").as_array();
  ASSERT_EQ(suggestions.size(), 3U);
  EXPECT_EQ(suggestions[0].as_object(), (json::object{{"text", "name 1"}, {"source", "catalog"}, {"kind", "name"}, {"products", 1}}));
  EXPECT_EQ(suggestions[1].at("text").as_string(), "name 10");
}

TEST_F(SuggestTest, GivesEightUnlessAskedForOthers) {
  EXPECT_EQ(texts("prefix=n").size(), 8U);
  EXPECT_EQ(texts("prefix=n&k=20").size(), 20U);
  EXPECT_EQ(texts("prefix=n&k=1").size(), 1U);
}

TEST_F(SuggestTest, HostilePrefixesAreRefusedOrFindNothing) {
  EXPECT_EQ(refused_field(""), "prefix");
  EXPECT_EQ(refused_field("?prefix="), "prefix");
  EXPECT_EQ(refused_field("?prefix=+++"), "prefix");
  EXPECT_EQ(refused_field("?prefix=%00"), "prefix");
  EXPECT_EQ(refused_field("?prefix=%FF%FE"), "prefix");
  EXPECT_EQ(refused_field("?prefix=" + std::string(101, 'x')), "prefix");
  EXPECT_EQ(refused_field("?prefix=n&k=0"), "k");
  EXPECT_EQ(refused_field("?prefix=n&k=21"), "k");
  EXPECT_EQ(refused_field("?prefix=n&k=many"), "k");
  EXPECT_EQ(refused_field("?prefix=n&prefix=m"), "prefix");
  EXPECT_EQ(refused_field("?prefix=n&kk=3"), "kk");
  for (const char* prefix : {"%F0%9F%91%97", "%CC%81", "!!!", "xyz", "%27", "%3Cscript%3E"}) {
    EXPECT_TRUE(texts(std::string("prefix=") + prefix).empty()) << prefix;
  }
  EXPECT_TRUE(texts("prefix=" + std::string(100, 'x')).empty());
  EXPECT_EQ(texts("prefix=nam%CC%81e+19"), std::vector<std::string>{"name 19"});
}

TEST_F(SuggestTest, WhatSeveralShoppersAskIsSuggestedToOthers) {
  search("Red++NAME", "userId=u1");
  search("red+name", "userId=u2");
  server_.suggest().refresh();
  EXPECT_TRUE(texts("prefix=re").empty());
  search("red+name", "sessionId=s3");
  server_.suggest().refresh();
  const auto body = parse(server_.get(kSuggest + "?prefix=re"));
  ASSERT_EQ(body.at("suggestions").as_array().size(), 1U);
  EXPECT_EQ(body.at("suggestions").at(0).as_object(), (json::object{{"text", "red name"}, {"source", "query"}, {"kind", "query"}}));
}

TEST_F(SuggestTest, AForgottenUsersQueryIsNotCountedAnyMore) {
  search("red+name", "userId=u1");
  search("red+name", "userId=u2");
  search("name+red", "sessionId=s1");
  search("name+red", "userId=u2");
  ASSERT_EQ(server_.post("/api/users/u1/merge", R"({"session_id":"s1"})").status, 200);
  ASSERT_EQ(server_.post("/api/users/u1", "", "", "DELETE").status, 200);
  search("red+name", "userId=u3");
  search("name+red", "userId=u3");
  server_.suggest().refresh();
  EXPECT_TRUE(texts("prefix=red").empty());
  EXPECT_FALSE(texts("prefix=name+r") == std::vector<std::string>{"name red"});
  search("red+name", "userId=u4");
  server_.suggest().refresh();
  EXPECT_EQ(texts("prefix=red"), std::vector<std::string>{"red name"});
}

TEST(SuggestWithoutCatalogue, IsUnavailable) {
  RunningServer server;
  const auto response = server.get(kSuggest + "?prefix=n");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.headers.contains("Retry-After"));
}

}  // namespace
}  // namespace scalestyle::http
