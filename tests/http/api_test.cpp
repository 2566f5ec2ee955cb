#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object parse(const support::RawResponse& response) { return json::parse(response.body).as_object(); }

const std::string kSearch = "/api/recommendation/search";

class ApiTest : public testing::Test {
 protected:
  ApiTest() { server_.publish(); }

  // The field that the error envelope names; checks the envelope.
  std::string refused_field(const std::string& target, int status = 400) {
    const auto response = server_.get(target);
    EXPECT_EQ(response.status, status) << target << "\n" << response.body;
    if (response.status != status) return "";
    const auto body = parse(response);
    EXPECT_EQ(body.at("status").as_string(), "error");
    EXPECT_EQ(body.at("request_id").as_string(), response.headers.at("X-Request-Id"));
    const auto& error = body.at("error").as_object();
    EXPECT_FALSE(error.at("code").as_string().empty());
    EXPECT_FALSE(error.at("message").as_string().empty());
    return error.contains("field") ? std::string(error.at("field").as_string()) : "";
  }

  RunningServer server_;
};

TEST_F(ApiTest, SearchAnswersWithTheWholeShape) {
  const auto response = server_.get(kSearch + "?query=name+7&k=3", "X-Request-Id: my-id.1\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.headers.at("Content-Type"), "application/json");
  EXPECT_EQ(response.headers.at("X-Request-Id"), "my-id.1");
  EXPECT_TRUE(response.headers.contains("Date"));
  const auto body = parse(response);
  EXPECT_EQ(body.at("status").as_string(), "success");
  EXPECT_EQ(body.at("request_id").as_string(), "my-id.1");
  EXPECT_FALSE(body.at("degraded").as_bool());
  EXPECT_TRUE(body.at("degradation_reason").is_null());
  EXPECT_TRUE(body.at("degradations").as_array().empty());
  EXPECT_EQ(body.at("total").to_number<int>(), 20);
  EXPECT_EQ(body.at("total_relation").as_string(), "eq");
  EXPECT_GE(body.at("took_ms").to_number<double>(), 0.0);
  EXPECT_EQ(body.at("stages").as_array().size(), 12U);
  EXPECT_EQ(body.at("list_source").as_string(), "made");
  const auto& data = body.at("data").as_array();
  ASSERT_EQ(data.size(), 3U);
  const auto& best = data[0].as_object();
  EXPECT_EQ(best.at("article_id").as_string(), "0000001007");
  EXPECT_EQ(best.at("product_name").as_string(), "name 7");
  EXPECT_EQ(best.at("colour").as_string(), "Red");
  EXPECT_EQ(best.at("description").as_string(), "A fine name 7.");
  EXPECT_EQ(best.at("price").to_number<double>(), 17.0);
  EXPECT_TRUE(best.at("image_url").is_null());
  EXPECT_EQ(best.at("rank").to_number<int>(), 1);
  EXPECT_NEAR(best.at("score").to_number<double>(), 1.0, 1e-5);
}

TEST_F(ApiTest, MissingPriceIsNullAndPicturesHaveAPath) {
  const auto body = parse(server_.get(kSearch + "?query=name+0&k=1"));
  const auto& best = body.at("data").as_array().at(0).as_object();
  EXPECT_TRUE(best.at("price").is_null());
  EXPECT_EQ(best.at("image_url").as_string(), "/images/0000001000");
}

TEST_F(ApiTest, FiltersRepeatAndCombine) {
  auto body = parse(server_.get(kSearch + "?query=x&colour=dark+blue&k=100"));
  EXPECT_EQ(body.at("total").to_number<int>(), 10);
  body = parse(server_.get(kSearch + "?query=x&colour=dark%20blue&colour=RED&price_min=12&price_max=14.5"));
  EXPECT_EQ(body.at("total").to_number<int>(), 3);
  body = parse(server_.get(kSearch + "?query=x&colour=green"));
  EXPECT_EQ(body.at("total").to_number<int>(), 0);
  EXPECT_FALSE(body.at("degraded").as_bool());
}

TEST_F(ApiTest, WhatIsUnderstoodIsSaidAndCanBeSwitchedOff) {
  const auto body = parse(server_.get(kSearch + "?query=name+under+15,+not+red&k=20&explain=true"));
  EXPECT_EQ(body.at("total").to_number<int>(), 2);  // 12 and 14
  const auto& understood = body.at("understood").as_array();
  ASSERT_EQ(understood.size(), 2U);
  EXPECT_EQ(understood[0], (json::value{{"id", "price:max-15"}, {"field", "price"}, {"value", "under 15"}, {"text", "under 15"},
                                        {"effect", "filter"}, {"origin", "query"}}));
  EXPECT_EQ(understood[1], (json::value{{"id", "not:colour:red"}, {"field", "colour"}, {"value", "Red"}, {"text", "not red"},
                                        {"effect", "exclude"}, {"origin", "query"}}));
  const auto& explained = body.at("data").as_array()[0].at("explain").as_object();
  EXPECT_EQ(explained.at("understood"), (json::value{json::value{{"id", "price:max-15"}, {"credit", 1}}}));
  EXPECT_FALSE(explained.contains("preference"));

  const auto total = [&](const std::string& switches) {
    return parse(server_.get(kSearch + "?query=name+under+15,+not+red&k=20&" + switches)).at("total").to_number<int>();
  };
  EXPECT_EQ(total("understand=false"), 20);
  EXPECT_EQ(total("understand_without=price"), 10);
  EXPECT_EQ(total("understand_without=type&understand_without=not:colour:red"), 4);
  EXPECT_EQ(total("understand_without=price,colour,no:such:thing"), 20);
  EXPECT_EQ(total("price_max=13"), 1);  // an explicit bound wins

  EXPECT_EQ(refused_field(kSearch + "?query=x&understand=maybe"), "understand");
  EXPECT_EQ(refused_field(kSearch + "?query=x&understand_without=price,"), "understand_without");
  EXPECT_EQ(refused_field(kSearch + "?query=x&understand_without=color"), "understand_without");
  EXPECT_NE(server_.get(kSearch + "?query=x&understand_without=color").body.find("did you mean \\\"colour\\\""), std::string::npos);
}

TEST_F(ApiTest, OffsetPages) {
  const auto whole = parse(server_.get(kSearch + "?query=x&k=20")).at("data").as_array();
  const auto second = parse(server_.get(kSearch + "?query=x&k=5&offset=5")).at("data").as_array();
  ASSERT_EQ(second.size(), 5U);
  EXPECT_EQ(second[0], whole[5]);
  EXPECT_TRUE(parse(server_.get(kSearch + "?query=x&offset=20")).at("data").as_array().empty());
}

TEST_F(ApiTest, SubjectsAreAccepted) {
  EXPECT_EQ(server_.get(kSearch + "?query=x&userId=u1&sessionId=" + std::string(100, 's')).status, 200);
  EXPECT_EQ(refused_field(kSearch + "?query=x&userId=" + std::string(101, 'u')), "userId");
}

TEST_F(ApiTest, WrongParametersAreNamed) {
  EXPECT_EQ(refused_field(kSearch), "query");
  EXPECT_EQ(refused_field(kSearch + "?query="), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=+%09%C2%A0"), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=" + std::string(501, 'a')), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=" + std::string(10'240, 'a')), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=a&query=b"), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=%FF"), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=%C0%80"), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=a%00b"), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=100%"), "query");
  EXPECT_EQ(refused_field(kSearch + "?query=%zz"), "query");
  for (const char* k : {"0", "101", "abc", "1e3", "1.5", "-1", "+1", "", "0x10", "99999999999999999999", "1%00"}) {
    EXPECT_EQ(refused_field(kSearch + "?query=a&k=" + k), "k") << k;
  }
  EXPECT_EQ(refused_field(kSearch + "?query=a&k=1&k=1"), "k");
  EXPECT_EQ(refused_field(kSearch + "?query=a&offset=-1"), "offset");
  EXPECT_EQ(refused_field(kSearch + "?query=a&deadline_ms=9"), "deadline_ms");
  EXPECT_EQ(refused_field(kSearch + "?query=a&deadline_ms=10001"), "deadline_ms");
  for (const char* price : {"abc", "-1", "nan", "inf", "1e5", "", "1,5", "0x1"}) {
    EXPECT_EQ(refused_field(kSearch + "?query=a&price_min=" + price), "price_min") << price;
  }
  EXPECT_EQ(refused_field(kSearch + "?query=a&price_min=5&price_max=4"), "price_min");
  EXPECT_EQ(refused_field(kSearch + "?query=a&colour=+"), "colour");
  EXPECT_EQ(refused_field(kSearch + "?query=a&color=red"), "color");
  EXPECT_EQ(refused_field(kSearch + "?query=a&%ff=red"), "%ff");
  EXPECT_EQ(refused_field("/live?x=1"), "x");
}

TEST_F(ApiTest, LongestQueryOfWideCharactersIsAccepted) {
  std::string query;
  for (int i = 0; i < 500; ++i) query += "%F0%9F%91%97";
  EXPECT_EQ(server_.get(kSearch + "?query=" + query).status, 200);
  EXPECT_EQ(refused_field(kSearch + "?query=" + query + "a"), "query");
}

TEST_F(ApiTest, ArticleIsFoundByAnyFormOfItsId) {
  for (const char* id : {"0000001003", "1003", "%31003"}) {
    const auto response = server_.get(std::string("/api/articles/") + id);
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(parse(response).at("data").as_object().at("article_id").as_string(), "0000001003");
  }
  EXPECT_EQ(refused_field("/api/articles/999", 404), "id");
  EXPECT_EQ(refused_field("/api/articles/a%20b"), "id");
  EXPECT_EQ(refused_field("/api/articles/%zz"), "id");
  EXPECT_EQ(refused_field("/api/articles/" + std::string(65, '1')), "id");
}

TEST_F(ApiTest, UnknownPathsAndMethods) {
  for (const char* path : {"/", "/api", "/api/articles/", "/api/articles/1/2", "/live/", "//live", "/LIVE", "/images/../live"}) {
    EXPECT_EQ(refused_field(path, 404), "") << path;
  }
  for (const char* path : {"/api/users/u", "/api/events"}) {
    const auto response = server_.get(path, "Content-Length: 0\r\n", "PUT");
    EXPECT_EQ(response.status, 405) << path;
    EXPECT_EQ(server_.get(path, {}, "OPTIONS").headers.at("Allow"), response.headers.at("Allow"));
  }
  EXPECT_EQ(server_.get("/api/users/u", {}, "OPTIONS").headers.at("Allow"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(server_.get("/api/events/click", {}, "HEAD").status, 405);
  EXPECT_EQ(server_.get("/api/events/click").headers.at("Allow"), "POST, OPTIONS");
  EXPECT_EQ(server_.get("*", {}, "OPTIONS").headers.at("Allow"), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"}) {
    const auto response = server_.get("/live", "Content-Length: 0\r\n", method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.at("Allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(parse(response).at("error").as_object().at("code").as_string(), "method_not_allowed");
  }
  const auto options = server_.get(kSearch, {}, "OPTIONS");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.at("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(server_.get("*", {}, "OPTIONS").status, 204);
  EXPECT_EQ(server_.get("*").status, 400);
}

TEST_F(ApiTest, HeadIsGetWithoutTheBody) {
  auto client = server_.connect();
  client.send("HEAD /openapi.json HTTP/1.1\r\nHost: x\r\n\r\nGET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto head = client.read(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_GT(std::stoul(head->headers.at("Content-Length")), 1000U);
  const auto next = client.read();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->body, R"({"status":"live"})");
}

TEST_F(ApiTest, AbsoluteTargetsAreUnderstood) {
  EXPECT_EQ(server_.get("http://shop.example/live").status, 200);
  EXPECT_EQ(server_.get("HTTP://shop.example/live?x=1").status, 400);
  EXPECT_EQ(server_.get("http://shop.example").status, 404);
}

TEST_F(ApiTest, BadRequestIdsAreReplaced) {
  for (const std::string& id : {std::string(65, 'a'), std::string("a b"), std::string("a\"b"), std::string()}) {
    const auto response = server_.get("/live", "X-Request-Id: " + id + "\r\n");
    const std::string given = response.headers.at("X-Request-Id");
    EXPECT_NE(given, id);
    EXPECT_EQ(given.size(), 32U);
  }
}

TEST_F(ApiTest, MetricsCountByRouteAndHoldNoUserText) {
  static_cast<void>(server_.get(kSearch + "?query=very-private-words"));
  static_cast<void>(server_.get("/no-such-private-path"));
  const auto response = server_.get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find(R"(scalestyle_http_requests_total{route="/api/recommendation/search",status="200"} 1)"), std::string::npos)
      << response.body;
  EXPECT_NE(response.body.find(R"(scalestyle_http_requests_total{route="none",status="404"} 1)"), std::string::npos);
  EXPECT_NE(response.body.find(R"(recommendation_request_phase_duration_seconds_count{phase="embed"} 1)"), std::string::npos);
  EXPECT_NE(response.body.find("scalestyle_generation_articles 20"), std::string::npos);
  EXPECT_NE(response.body.find(R"(scalestyle_cache_lookups_total{cache="lists",outcome="miss"} 1)"), std::string::npos);
  EXPECT_NE(response.body.find(R"(scalestyle_cache_entries{cache="lists"} 1)"), std::string::npos);
  EXPECT_EQ(response.body.find("private"), std::string::npos);
}

TEST(NothingToFallBackTo, FailuresAre503WithReasonAndRetryAfter) {
  RunningServer server({}, {.popular_lists = false});
  server.publish();
  server.encoder().fail_with(core::Error{core::ErrorCode::kInternal, "broken"});
  const auto response = server.get(kSearch + "?query=x");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.at("Retry-After"), "1");
  const auto error = parse(response).at("error").as_object();
  EXPECT_EQ(error.at("reason").as_string(), "INFERENCE_UNAVAILABLE");
  EXPECT_EQ(error.at("code").as_string(), "unavailable");
  EXPECT_FALSE(error.contains("outcome"));
}

TEST(NothingToFallBackTo, DeadlineIsKept) {
  RunningServer server({}, {.popular_lists = false});
  server.publish();
  server.encoder().hold();
  const auto began = std::chrono::steady_clock::now();
  const auto response = server.get(kSearch + "?query=x&deadline_ms=50");
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(parse(response).at("error").as_object().at("reason").as_string(), "INFERENCE_TIMEOUT");
  EXPECT_LT(took, std::chrono::milliseconds(2'000));
}

TEST(Readiness, NotReadyUntilWarmAndNotWhileDraining) {
  RunningServer server;
  EXPECT_EQ(server.get("/live").status, 200);
  auto response = server.get("/ready");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.headers.contains("Retry-After"));
  EXPECT_EQ(server.get(kSearch + "?query=x").status, 503);
  server.publish("g9");
  response = server.get("/ready");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(parse(response).at("generation").as_string(), "g9");
  EXPECT_EQ(parse(response).at("articles").to_number<int>(), 20);
}

TEST(Images, ServedByTypeWithEtagAndNothingOutsideTheFolder) {
  const auto base = std::filesystem::temp_directory_path() / ("scalestyle_images_" + std::to_string(::getpid()));
  std::filesystem::create_directories(base / "images" / "000");
  const auto write = [&](const std::filesystem::path& path, const std::string& content) { std::ofstream(path) << content; };
  const std::string png("\x89PNG\r\n\x1A\n picture");
  write(base / "images/000/0000001000.png", png);
  write(base / "secret.png", png);
  std::filesystem::create_symlink(base / "secret.png", base / "images/000/link.png");
  write(base / "images/000/text.png", "#!/bin/sh");
  {
    RunningServer server;
    server.publish("g1", (base / "images").string());
    const auto found = server.get("/images/1000");
    EXPECT_EQ(found.status, 200);
    EXPECT_EQ(found.headers.at("Content-Type"), "image/png");
    EXPECT_EQ(found.body, png);
    EXPECT_NE(found.headers.at("Cache-Control").find("max-age"), std::string::npos);
    const auto again = server.get("/images/1000", "If-None-Match: \"x\", " + found.headers.at("ETag") + "\r\n");
    EXPECT_EQ(again.status, 304);
    EXPECT_TRUE(again.body.empty());
    EXPECT_EQ(server.get("/images/1001").status, 404);  // "../secret.png"
    EXPECT_EQ(server.get("/images/1002").status, 404);  // a link out of the folder
    EXPECT_EQ(server.get("/images/1003").status, 404);  // not a picture
    EXPECT_EQ(server.get("/images/1004").status, 404);  // none
    EXPECT_EQ(server.get("/images/77").status, 404);
    EXPECT_EQ(server.get("/images/..%2F..%2Fsecret.png").status, 404);
  }
  std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace scalestyle::http
