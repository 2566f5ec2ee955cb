// For whom a browser key may act, wherever a request names a user or a session.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "http/access_setup.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

class AccessSubjectsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string denied_field(const support::RawResponse& response) const {
    EXPECT_EQ(response.status, 403) << response.body;
    if (response.status != 403) return {};
    const auto error = json::parse(response.body).at("error").as_object();
    EXPECT_EQ(error.at("code").as_string(), "forbidden");
    return std::string(error.at("field").as_string());
  }
  [[nodiscard]] support::RawResponse get(const std::string& target, const std::string& headers) {
    return setup_.running().get(target, headers);
  }

  AccessSetup setup_{{.generation = false, .vision = true}};
};

const std::vector<std::string> kLists{"/api/recommendation/search?query=name", "/api/recommendation/browse?k=2", "/api/recommendation/trending?window=1h",
                                      "/api/recommendation/for-you?k=2", "/api/recommendation/similar/1001?k=2",
                                      "/api/recommendation/complete-the-look/1001?k=2"};

TEST_F(AccessSubjectsTest, AListIsForNoOtherUserOrSession) {
  for (const std::string& list : kLists) {
    EXPECT_EQ(denied_field(get(list + "&userId=bob", setup_.browser())), "userId") << list;
    EXPECT_EQ(denied_field(get(list + "&userId=bob", setup_.browser_of("ann"))), "userId") << list;
    EXPECT_EQ(denied_field(get(list + "&sessionId=s", setup_.browser_of("ann"))), "sessionId") << list;
    for (const std::string& own : {std::string(), std::string("&userId=ann"), std::string("&userId=")}) {
      EXPECT_EQ(get(list + own, setup_.browser_of("ann")).status, 200) << list << own;
    }
    EXPECT_EQ(get(list, setup_.browser()).status, 200) << list;
    EXPECT_EQ(get(list + "&userId=bob", setup_.server()).status, 200) << list;
    EXPECT_EQ(get(list + "&userId=a&userId=a", setup_.browser_of("a")).status, 400) << list << ": twice is an error still";
  }
}

TEST_F(AccessSubjectsTest, EventsAreOfTheCallerOnly) {
  const auto click = [&](const std::string& subject, const std::string& headers) {
    return setup_.post("/api/events/click", R"({"item_id":"1001","source":"search")" + subject + "}", headers);
  };
  EXPECT_EQ(denied_field(click(R"(,"user_id":"bob")", setup_.browser())), "user_id");
  EXPECT_EQ(denied_field(click(R"(,"user_id":"bob")", setup_.browser_of("ann"))), "user_id");
  EXPECT_EQ(denied_field(click(R"(,"session_id":"s")", setup_.browser_of("ann"))), "session_id");
  const auto batch = setup_.post("/api/events",
                                 R"({"events":[{"event_type":"view","item_id":"1001"},{"event_type":"view","item_id":"1001","user_id":"bob"}]})",
                                 setup_.browser_of("ann"));
  EXPECT_EQ(denied_field(batch), "events[1].user_id");
  EXPECT_TRUE(setup_.running().event_log().events().empty()) << "all or none";

  const auto first = click("", setup_.browser());
  ASSERT_EQ(first.status, 200) << first.body;
  const std::string cookie = AccessSetup::cookie(first);
  ASSERT_FALSE(cookie.empty());
  const auto second = click("", setup_.browser_of("ann") + cookie);
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_FALSE(second.headers.contains("Set-Cookie"));
  const auto kept = setup_.running().event_log().events();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_FALSE(kept[0].event.user_id);
  ASSERT_TRUE(kept[0].event.session_id && kept[1].event.session_id && kept[1].event.user_id);
  EXPECT_EQ(kept[1].event.user_id->value(), "ann");
  EXPECT_EQ(kept[0].event.session_id->value(), kept[1].event.session_id->value()) << "the cookie's session";
  EXPECT_EQ(click(R"(,"user_id":"bob")", setup_.server()).status, 200);
}

TEST_F(AccessSubjectsTest, UsersReadChangeAndForgetThemselvesOnly) {
  EXPECT_EQ(denied_field(get("/api/users/bob", setup_.browser())), "user_id");
  EXPECT_EQ(denied_field(get("/api/users/bob", setup_.browser_of("ann"))), "user_id");
  EXPECT_EQ(denied_field(get("/api/users/bob/features", setup_.browser_of("ann"))), "user_id");
  EXPECT_EQ(denied_field(setup_.running().get("/api/users/bob", setup_.browser_of("ann"), "DELETE")), "user_id");
  EXPECT_EQ(denied_field(setup_.post("/api/users/bob/preferences", R"({"personalize":false})", setup_.browser_of("ann"))), "user_id");
  EXPECT_EQ(denied_field(setup_.post("/api/users/ann/merge", R"({"session_id":"of another"})", setup_.browser_of("ann"))), "session_id");
  EXPECT_TRUE(setup_.running().event_log().events().empty());
  EXPECT_EQ(get("/api/users/ann", setup_.browser_of("ann")).status, 200);
  EXPECT_EQ(get("/api/users/ann/features", setup_.browser_of("ann")).status, 200);
  EXPECT_EQ(get("/api/users/bob", setup_.server()).status, 200);
}

TEST_F(AccessSubjectsTest, AtLoginTheSessionOfTheCookieIsMerged) {
  const auto first = get("/api/recommendation/search?query=name", setup_.browser());
  const auto merged = setup_.post("/api/users/ann/merge", "{}", setup_.browser_of("ann") + AccessSetup::cookie(first));
  ASSERT_EQ(merged.status, 200) << merged.body;
  const auto kept = setup_.running().event_log().events();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].event.session_id->value().size(), 32U);
  EXPECT_EQ(setup_.post("/api/users/ann/merge", "{}", setup_.server()).status, 400) << "a server has no cookie";
}

TEST_F(AccessSubjectsTest, ReasonsAndPicturesAreForTheCallerOnly) {
  const std::string reason = R"({"article_id":"1001","mode":"template")";
  const std::string accept = "Accept: application/json\r\n";
  EXPECT_EQ(denied_field(setup_.post("/api/recommendation/reason", reason + R"(,"userId":"bob"})", accept + setup_.browser_of("ann"))), "userId");
  EXPECT_EQ(denied_field(setup_.post("/api/recommendation/reason", reason + R"(,"sessionId":"s"})", accept + setup_.browser())), "sessionId");
  EXPECT_EQ(setup_.post("/api/recommendation/reason", reason + "}", accept + setup_.browser_of("ann")).status, 200);
  const std::string picture = R"({"mode":"text_to_image","query":"photo")";
  EXPECT_EQ(denied_field(setup_.post("/api/recommendation/search/image", picture + R"(,"userId":"bob"})", setup_.browser_of("ann"))), "userId");
  EXPECT_EQ(setup_.post("/api/recommendation/search/image", picture + "}", setup_.browser_of("ann")).status, 200);
}

TEST_F(AccessSubjectsTest, FeaturesTellWhatListsArePersonalisedBy) {
  const auto nobody = get("/api/users/ann/features", setup_.server());
  ASSERT_EQ(nobody.status, 200) << nobody.body;
  const auto empty = json::parse(nobody.body).at("data").as_object();
  EXPECT_TRUE(empty.at("recent_items").as_array().empty());
  EXPECT_FALSE(empty.contains("last_event_ms"));
  events::SubjectFeatures features;
  features.last_event_ms = 1'772'366'400'000;
  features.recent_items = {{"0000001001", 1'772'366'400'000, events::EventType::kClick}};
  features.affinities = {{"Coat", {.value = 2, .time_ms = 1'772'366'400'000}}};
  setup_.running().features().set_features(events::Subject::user(core::UserId("ann")), features);
  const auto known = json::parse(get("/api/users/ann/features", setup_.server()).body).at("data").as_object();
  EXPECT_EQ(known.at("user_id").as_string(), "ann");
  ASSERT_EQ(known.at("recent_items").as_array().size(), 1U);
  EXPECT_EQ(known.at("recent_items").at(0).at("item_id").as_string(), "0000001001");
  EXPECT_EQ(known.at("last_event_ms").to_number<std::int64_t>(), features.last_event_ms);
  ASSERT_EQ(known.at("affinities").as_array().size(), 1U);
  EXPECT_LT(known.at("affinities").at(0).at("score").to_number<double>(), 2.0) << "decayed until now";
  EXPECT_TRUE(known.at("personalize").as_bool());
  setup_.running().features().fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(get("/api/users/ann/features", setup_.server()).status, 503);
  EXPECT_EQ(get("/api/users/%20/features", setup_.server()).status, 400);
}

}  // namespace
}  // namespace scalestyle::http
