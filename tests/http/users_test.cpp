// The routes about a shopper, and what a shopper's events do to lists, as HTTP shows it.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object parse(const support::RawResponse& response) { return json::parse(response.body).as_object(); }

class UsersTest : public testing::Test {
 protected:
  UsersTest() { server_.publish(); }

  std::string refused_field(const support::RawResponse& response) {
    EXPECT_EQ(response.status, 400) << response.body;
    const auto error = parse(response).at("error").as_object();
    return error.contains("field") ? std::string(error.at("field").as_string()) : "";
  }

  RunningServer server_;
};

TEST_F(UsersTest, MergeAndPreferencesAreEventsOfTheUser) {
  const auto merged = server_.post("/api/users/a%20b/merge", R"({"session_id":"s1","event_id":"m"})");
  ASSERT_EQ(merged.status, 200) << merged.body;
  EXPECT_EQ(parse(merged).at("event_id").as_string(), "m");
  const auto preferred = server_.post("/api/users/a%20b/preferences", R"({"personalize":false})");
  ASSERT_EQ(preferred.status, 200) << preferred.body;
  EXPECT_FALSE(parse(preferred).at("token").as_string().empty());
  const auto kept = server_.event_log().events();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].event.type, events::EventType::kMerge);
  EXPECT_EQ(kept[0].event.user_id->value(), "a b");
  EXPECT_EQ(kept[0].event.session_id->value(), "s1");
  EXPECT_EQ(kept[1].event.type, events::EventType::kPreferences);
  EXPECT_EQ(kept[1].event.personalize, false);
  EXPECT_TRUE(parse(server_.post("/api/users/a%20b/merge", R"({"session_id":"s1","event_id":"m"})")).at("duplicate").as_bool());
}

TEST_F(UsersTest, WrongRequestsAreNamed) {
  EXPECT_EQ(refused_field(server_.post("/api/users/u/merge", "{}")), "session_id");
  EXPECT_EQ(refused_field(server_.post("/api/users/u/merge", R"({"session_id":7})")), "session_id");
  EXPECT_EQ(refused_field(server_.post("/api/users/u/merge", R"({"session_id":"s","user_id":"u"})")), "user_id");
  EXPECT_EQ(refused_field(server_.post("/api/users/u/merge", "")), "body");
  EXPECT_EQ(refused_field(server_.post("/api/users/u/preferences", R"({"personalize":"no"})")), "personalize");
  EXPECT_EQ(refused_field(server_.post("/api/users/u/preferences", "{}")), "personalize");
  EXPECT_EQ(refused_field(server_.post("/api/users/" + std::string(101, 'u') + "/merge", R"({"session_id":"s"})")), "user_id");
  EXPECT_EQ(refused_field(server_.post("/api/users/a%0Ab/merge", R"({"session_id":"s"})")), "user_id");
  EXPECT_EQ(refused_field(server_.post("/api/users/%20/preferences", R"({"personalize":true})")), "user_id");
  EXPECT_EQ(refused_field(server_.get("/api/users/u?limit=0")), "limit");
  EXPECT_EQ(refused_field(server_.get("/api/users/u?limit=1001")), "limit");
  EXPECT_EQ(refused_field(server_.get("/api/users/u?cursor=nonsense")), "cursor");
  EXPECT_EQ(refused_field(server_.get("/api/users/u?curser=x")), "curser");
  EXPECT_EQ(refused_field(server_.post("/api/users/u?event_id=a%20b", "", "", "DELETE")), "event_id");
  EXPECT_EQ(server_.get("/api/users/").status, 404);
  EXPECT_EQ(server_.get("/api/users/u/").status, 404);
  EXPECT_EQ(server_.event_log().events().size(), 0U);
}

TEST_F(UsersTest, ExportIsPaged) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(server_.post("/api/events/click", R"({"user_id":"u","item_id":"100)" + std::to_string(i) + R"(","source":"browse"})").status, 200);
  }
  ASSERT_EQ(server_.post("/api/events/click", R"({"user_id":"other","item_id":"1001","source":"browse"})").status, 200);
  std::string items;
  std::string cursor;
  int pages = 0;
  do {
    const auto response = server_.get("/api/users/u?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_EQ(response.status, 200) << response.body;
    const auto body = parse(response);
    EXPECT_EQ(body.at("status").as_string(), "success");
    const auto& data = body.at("data").as_object();
    EXPECT_EQ(data.at("user_id").as_string(), "u");
    EXPECT_LE(data.at("events").as_array().size(), 2U);
    for (const auto& event : data.at("events").as_array()) items += std::string(event.at("item_id").as_string()).back();
    cursor = data.contains("next_cursor") ? std::string(data.at("next_cursor").as_string()) : "";
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(items, "01234");
  EXPECT_LE(pages, 4);
  const auto head = server_.get("/api/users/u", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.body.empty());
}

TEST_F(UsersTest, ExportThatFailsIsNoEmptySuccess) {
  server_.event_log().fail_history_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto response = server_.get("/api/users/u");
  EXPECT_EQ(response.status, 503);
  EXPECT_FALSE(parse(response).at("error").as_object().contains("outcome")) << "nothing was to be kept";
}

TEST_F(UsersTest, ForgettingSetsABarrierAndTellsHowFarItGot) {
  ASSERT_EQ(server_.post("/api/events/click", R"({"user_id":"u","item_id":"1001","source":"browse"})").status, 200);
  const auto response = server_.post("/api/users/u?event_id=f1", "ignored", "", "DELETE");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = parse(response);
  EXPECT_EQ(body.at("event_id").as_string(), "f1");
  EXPECT_TRUE(body.at("applied").as_bool());
  EXPECT_EQ(body.at("erasure").as_string(), "erased");
  EXPECT_TRUE(body.at("sessions").as_array().empty());
  EXPECT_EQ(server_.event_log().events().back().event.type, events::EventType::kForget);
  server_.event_log().set_erasure(ports::ErasureState::kPending);
  EXPECT_EQ(parse(server_.get("/api/users/u", {}, "DELETE")).at("erasure").as_string(), "pending");
  server_.event_log().set_erasure(ports::ErasureState::kUnreadable);
  EXPECT_EQ(parse(server_.get("/api/users/u", {}, "DELETE")).at("erasure").as_string(), "unreadable");
}

TEST_F(UsersTest, SearchAfterATokenTellsWhetherItWasReached) {
  const auto click = parse(server_.post("/api/events/click", R"({"user_id":"u","item_id":"1001","source":"search"})"));
  const std::string token(click.at("token").as_string());
  for (const char* target : {"/api/recommendation/search?query=x&", "/api/recommendation/browse?", "/api/recommendation/trending?"}) {
    auto body = parse(server_.get(std::string(target) + "userId=u&after=" + token));
    EXPECT_TRUE(body.at("after_reached").as_bool()) << target;
    EXPECT_GE(body.at("freshness_ms").to_number<int>(), 0) << target;
    const std::string later = events::to_token({"fake", 0, 1000});
    EXPECT_FALSE(parse(server_.get(std::string(target) + "userId=u&after=" + later)).at("after_reached").as_bool()) << target;
    EXPECT_FALSE(parse(server_.get(std::string(target) + "userId=u")).contains("after_reached")) << target;
    EXPECT_EQ(refused_field(server_.get(std::string(target) + "after=" + token + "x")), "after");
    EXPECT_EQ(refused_field(server_.get(std::string(target) + "after=")), "after");
  }
}

TEST_F(UsersTest, RecentClickShowsInTheAnswer) {
  events::SubjectFeatures features;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  features.last_event_ms = now;
  features.recent_items.push_back({"0000001005", now, events::EventType::kClick});
  server_.features().set_features({events::SubjectKind::kUser, "u"}, features);
  const std::string search = "/api/recommendation/search?query=name+5&k=1";
  const auto body = parse(server_.get(search + "&userId=u"));
  EXPECT_TRUE(body.at("personalized").as_bool());
  const auto& best = body.at("data").as_array().at(0).as_object();
  EXPECT_EQ(best.at("article_id").as_string(), "0000001005");
  EXPECT_EQ(best.at("boosted_by").as_string(), "recent_click");
  EXPECT_GT(best.at("behaviorScore").to_number<double>(), 0.0);
  for (const char* other : {"", "&userId=u&personalize=false", "&sessionId=u", "&userId=", "&userId=other"}) {
    const auto plain = parse(server_.get(search + other)).at("data").as_array().at(0).as_object();
    EXPECT_FALSE(plain.contains("behaviorScore")) << other;
    EXPECT_FALSE(plain.contains("boosted_by")) << other;
  }
}

TEST(UsersExperiments, ArmsAreShown) {
  ServerSetup setup;
  setup.experiments = "ranker=a:50/b:50";
  RunningServer server({}, setup);
  server.publish();
  const auto arms = [&](const std::string& extra) {
    const auto body = parse(server.get("/api/recommendation/search?query=x" + extra));
    return body.contains("experiments") ? body.at("experiments").as_array() : json::array();
  };
  ASSERT_EQ(arms("&userId=u").size(), 1U);
  EXPECT_EQ(arms("&userId=u")[0].as_object().at("experiment").as_string(), "ranker");
  const std::string arm(arms("&userId=u")[0].as_object().at("arm").as_string());
  EXPECT_TRUE(arm == "a" || arm == "b");
  EXPECT_EQ(arms("&userId=u"), arms("&userId=u"));
  EXPECT_TRUE(arms("").empty());
}

TEST_F(UsersTest, ListsHaveTheirOwnParameters) {
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/browse?sort=prices_asc")), "sort");
  EXPECT_NE(server_.get("/api/recommendation/browse?sort=price_as").body.find("did you mean"), std::string::npos);
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/trending?window=2h")), "window");
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/trending?window=1h&window=7d")), "window");
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/trending?query=x")), "query");
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/browse?window=1h")), "window");
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/search?query=x&personalize=yes")), "personalize");
  EXPECT_EQ(refused_field(server_.get("/api/recommendation/search?query=x&personalize=")), "personalize");
  const auto cheap = parse(server_.get("/api/recommendation/browse?sort=price_asc&colour=red&k=2")).at("data").as_array();
  ASSERT_EQ(cheap.size(), 2U);
  EXPECT_EQ(cheap[0].as_object().at("article_id").as_string(), "0000001001");
  EXPECT_EQ(cheap[1].as_object().at("article_id").as_string(), "0000001003");
  const auto dear = parse(server_.get("/api/recommendation/browse?sort=price_desc&k=1")).at("data").as_array();
  EXPECT_EQ(dear.at(0).as_object().at("article_id").as_string(), "0000001019");
  for (const char* window : {"1h", "24h", "7d"}) {
    const auto body = parse(server_.get(std::string("/api/recommendation/trending?colour=red&window=") + window));
    EXPECT_EQ(body.at("fallback_source").as_string(), "global_popular") << window;
    EXPECT_EQ(body.at("total").to_number<int>(), 10) << window;
    EXPECT_FALSE(body.at("degraded").as_bool()) << window;
  }
}

TEST_F(UsersTest, SearchThatFailsIsAnsweredByPopularArticles) {
  server_.encoder().fail_with(core::Error{core::ErrorCode::kInternal, "broken"});
  const auto response = server_.get("/api/recommendation/search?query=x&colour=red");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = parse(response);
  EXPECT_TRUE(body.at("degraded").as_bool());
  EXPECT_EQ(body.at("degradation_reason").as_string(), "INFERENCE_UNAVAILABLE");
  EXPECT_EQ(body.at("fallback_source").as_string(), "global_popular");
  for (const auto& item : body.at("data").as_array()) EXPECT_EQ(item.at("colour").as_string(), "Red");
}

}  // namespace
}  // namespace scalestyle::http
