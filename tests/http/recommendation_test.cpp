// Lists for a shopper and like an article, as clients see them.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

const std::string kForYou = "/api/recommendation/for-you";
const std::string kSimilar = "/api/recommendation/similar/";

class RecommendationRoutesTest : public testing::Test {
 protected:
  explicit RecommendationRoutesTest(ServerSetup setup = {.vision = true})
      : server_(std::make_unique<RunningServer>(ServerOptions{}, std::move(setup))) {
    server_->publish();
  }

  json::object get(const std::string& target, int status = 200) {
    const auto response = server_->get(target);
    EXPECT_EQ(response.status, status) << target << "\n" << response.body;
    return json::parse(response.body).as_object();
  }
  std::string refused_field(const std::string& target, int status = 400) {
    return std::string(get(target, status).at("error").at("field").as_string());
  }
  static std::string first(const json::object& body) { return std::string(body.at("data").at(0).at("article_id").as_string()); }

  void did(const std::string& name, const std::string& item, events::EventType type) {
    events::SubjectFeatures features;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    features.last_event_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    features.recent_items.push_back({item, features.last_event_ms, type});
    server_->features().set_features(events::Subject::user(core::UserId(name)), features);
  }

  std::unique_ptr<RunningServer> server_;
};

TEST_F(RecommendationRoutesTest, TheListFollowsTheShopper) {
  const auto stranger = get(kForYou + "?k=5");
  EXPECT_EQ(stranger.at("fallback_source").as_string(), "global_popular");
  EXPECT_FALSE(stranger.at("personalized").as_bool());
  EXPECT_FALSE(stranger.at("degraded").as_bool());
  did("u", "0000001007", events::EventType::kAddToCart);
  const auto body = get(kForYou + "?k=5&userId=u&explain=true&sort=relevance");
  EXPECT_EQ(first(body), "0000001007");
  EXPECT_TRUE(body.at("personalized").as_bool());
  EXPECT_FALSE(body.contains("fallback_source"));
  const auto& item = body.at("data").at(0).as_object();
  EXPECT_EQ(item.at("reason").as_string(), "You put it into your basket recently.");
  EXPECT_FALSE(item.contains("behaviorScore"));
  EXPECT_FALSE(item.contains("exploration"));
  const auto& shares = item.at("explain").at("sources").as_array();
  ASSERT_FALSE(shares.empty());
  EXPECT_EQ(shares[0].at("source").as_string(), "own");
  EXPECT_GT(shares[0].at("score").to_number<double>(), 0);
  EXPECT_GT(shares[0].at("weight").to_number<double>(), 0);
  std::set<std::string> sources;
  for (const auto& report : body.at("sources").as_array()) sources.emplace(report.at("source").as_string());
  EXPECT_TRUE(sources.contains("own") && sources.contains("similar_text") && sources.contains("popular"));
  EXPECT_NE(first(get(kForYou + "?k=5&userId=u&show_seen=false")), "0000001007");
  EXPECT_EQ(first(get(kForYou + "?k=5&userId=u&show_bought=false")), "0000001007");
}

TEST_F(RecommendationRoutesTest, WrongParametersAreNamed) {
  EXPECT_EQ(refused_field(kForYou + "?query=x"), "query");
  EXPECT_EQ(refused_field(kForYou + "?sort=price_asc"), "sort");
  EXPECT_EQ(refused_field(kForYou + "?show_seen=perhaps"), "show_seen");
  EXPECT_EQ(refused_field(kForYou + "?k=0"), "k");
  EXPECT_EQ(refused_field(kForYou + "?after=x"), "after");
  EXPECT_EQ(refused_field(kSimilar + "1007?by=colour"), "by");
  EXPECT_EQ(refused_field(kSimilar + "1007?by=text,text"), "by");
  EXPECT_EQ(refused_field(kSimilar + "1007?variants=1"), "variants");
  EXPECT_EQ(refused_field(kSimilar + "not%20an%20id"), "id");
  EXPECT_EQ(refused_field(kSimilar + "9999", 404), "id");
  EXPECT_EQ(server_->get(kSimilar).status, 404);
}

TEST_F(RecommendationRoutesTest, SimilarArticlesByEachSource) {
  const auto body = get(kSimilar + "1007?k=100&explain=true");
  EXPECT_EQ(body.at("total").to_number<int>(), 19);
  for (const auto& item : body.at("data").as_array()) EXPECT_NE(item.at("article_id").as_string(), "0000001007");
  EXPECT_EQ(body.at("sources").as_array().size(), 3U);
  EXPECT_EQ(get(kSimilar + "0000001007?k=100&explain=true").at("data"), body.at("data"));
  // The last five articles have no photo.
  EXPECT_EQ(get(kSimilar + "1007?by=picture&k=100").at("total").to_number<int>(), 14);
  EXPECT_EQ(get(kSimilar + "1019?by=picture").at("total").to_number<int>(), 0);
  EXPECT_EQ(get(kSimilar + "1007?by=bought").at("total").to_number<int>(), 0);
  const auto red = get(kSimilar + "1007?by=text,bought&colour=red&k=100");
  EXPECT_EQ(red.at("total").to_number<int>(), 9);
  for (const auto& item : red.at("data").as_array()) EXPECT_EQ(item.at("colour").as_string(), "Red");
}

TEST_F(RecommendationRoutesTest, FailuresAreMarked) {
  server_->index().fail_search_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto body = get(kSimilar + "1007?k=3");
  EXPECT_EQ(body.at("degradation_reason").as_string(), "RETRIEVAL_UNAVAILABLE");
  EXPECT_EQ(body.at("data").as_array().size(), 3U);  // by their photos
  EXPECT_EQ(body.at("sources").at(1).at("outcome").as_string(), "failed");
  server_->features().fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto for_you = get(kForYou + "?userId=u");
  EXPECT_TRUE(for_you.at("degraded").as_bool());
  EXPECT_EQ(for_you.at("data").as_array().size(), 10U);
}

TEST_F(RecommendationRoutesTest, CursorsWalkTheWholeList) {
  did("u", "0000001007", events::EventType::kClick);
  for (const std::string& target : {kForYou + "?userId=u&k=6", kSimilar + "1007?userId=u&k=6"}) {
    std::set<std::string> seen;
    std::string cursor;
    int pages = 0;
    std::size_t total = 0;
    do {
      const auto body = get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
      total = body.at("total").to_number<std::size_t>();
      for (const auto& item : body.at("data").as_array()) EXPECT_TRUE(seen.emplace(item.at("article_id").as_string()).second);
      cursor = body.contains("cursor") ? std::string(body.at("cursor").as_string()) : "";
    } while (!cursor.empty() && ++pages < 10);
    EXPECT_EQ(seen.size(), total) << target;
    EXPECT_GE(total, 19U);
  }
}

class ExploringServerTest : public RecommendationRoutesTest {
 protected:
  static ServerSetup exploring() {
    ServerSetup setup;
    for (auto& weight : setup.search.recommendation.for_you_weights) weight = 0;
    setup.search.recommendation.for_you_weights[static_cast<std::size_t>(ranking::Source::kOwn)] = 1;
    setup.search.recommendation.exploration = {.rate = 1, .positions = {2}};
    return setup;
  }
  ExploringServerTest() : RecommendationRoutesTest(exploring()) {}
};

TEST_F(ExploringServerTest, WhatIsTriedOutIsToldAndNotedWithItsChance) {
  did("u", "0000001007", events::EventType::kClick);
  const auto body = get(kForYou + "?userId=u&k=2");
  ASSERT_EQ(body.at("data").as_array().size(), 2U);
  EXPECT_EQ(first(body), "0000001007");
  const double chance = body.at("data").at(1).at("exploration").at("probability").to_number<double>();
  EXPECT_EQ(chance, 1.0 / 19);
  const auto noted = server_->impressions().impressions();
  ASSERT_EQ(noted.size(), 1U);
  EXPECT_EQ(noted[0].source, events::EventSource::kRecommendation);
  EXPECT_FALSE(noted[0].items[0].probability);
  EXPECT_EQ(noted[0].items[1].probability, chance);
}

}  // namespace
}  // namespace scalestyle::http
