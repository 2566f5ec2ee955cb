#include "http/rate_limits.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <string>
#include <utility>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

// Ten units at once, and next to nothing after that while a test runs.
RateLimitOptions tight(double key, double user, double address) {
  constexpr double kSlowly = 1e-3;
  RateLimitOptions options;
  options.per_second = {key * kSlowly, user * kSlowly, address * kSlowly};
  options.burst_seconds = 1 / kSlowly;
  return options;
}

ServerSetup limited(double key, double user, double address) {
  ServerSetup setup;
  setup.limits = tight(key, user, address);
  setup.trusted_proxies = "127.0.0.0/8";
  return setup;
}

const std::string kFrom = "X-Forwarded-For: 198.51.100.7\r\n";

// What `"scope";r=…` says.
int left(const support::RawResponse& response, const std::string& scope) {
  const auto header = response.headers.find("RateLimit");
  if (header == response.headers.end()) return -1;
  const std::size_t at = header->second.find("\"" + scope + "\";r=");
  return at == std::string::npos ? -1 : std::atoi(header->second.c_str() + at + scope.size() + 5);
}

std::string search(const std::string& words, const std::string& more = {}) {
  return "/api/recommendation/search?query=" + words + "&k=2&rerank=false" + more;
}

TEST(RateLimits, AnAddressIsRefusedBeyondItsBurstAndOthersAreNot) {
  RunningServer server({}, limited(0, 0, 10));
  server.publish();
  for (int i = 0; i < 10; ++i) {
    const auto answer = server.get(search("name+" + std::to_string(i)), kFrom);
    ASSERT_EQ(answer.status, 200) << i;
    EXPECT_EQ(answer.headers.at("RateLimit-Policy"), "\"address\";q=10;w=1000");
    EXPECT_EQ(left(answer, "address"), 9 - i);
  }
  const auto refused = server.get(search("name+11"), kFrom);
  EXPECT_EQ(refused.status, 429);
  const auto body = boost::json::parse(refused.body).as_object();
  EXPECT_EQ(body.at("error").at("code").as_string(), "rate_limited");
  const std::string wait = refused.headers.at("Retry-After");
  EXPECT_GT(std::atoi(wait.c_str()), 0);
  EXPECT_EQ(refused.headers.at("RateLimit"), "\"address\";r=0;t=" + wait) << "both tell the same time";
  EXPECT_EQ(refused.headers.at("Connection"), "keep-alive");
  EXPECT_EQ(server.get(search("name+1"), "X-Forwarded-For: 198.51.100.7, 203.0.113.1\r\n").status, 200);
  EXPECT_EQ(server.get(search("name+1"), "X-Forwarded-For: 203.0.113.2, 198.51.100.7\r\n").status, 429) << "what clients write is not believed";
  EXPECT_EQ(server.get(search("name+1"), "X-Forwarded-For: 203.0.113.2\r\n" + kFrom).status, 429) << "nor in a field of its own";
  const auto own = server.get(search("name+1"));
  EXPECT_EQ(own.status, 200) << "this machine";
  EXPECT_FALSE(own.headers.contains("RateLimit"));
  EXPECT_NE(server.get("/metrics", kFrom).body.find("scalestyle_http_rate_limited_total{limit=\"address\"} 3"), std::string::npos);
}

TEST(RateLimits, ProbesAndMetricsAlwaysGetThrough) {
  RunningServer server({}, limited(0, 0, 1));
  server.publish();
  EXPECT_EQ(server.get(search("name+1"), kFrom).status, 200);
  EXPECT_EQ(server.get(search("name+1"), kFrom).status, 429);
  for (const char* path : {"/live", "/ready", "/metrics"}) EXPECT_EQ(server.get(path, kFrom).status, 200) << path;
}

TEST(RateLimits, UsersAndKeysHaveTheirOwn) {
  RunningServer server({}, limited(100, 3, 0));
  server.publish();
  const std::string key = "X-API-Key: secret\r\n";
  for (int i = 0; i < 3; ++i) {
    const auto answer = server.get(search("name+" + std::to_string(i), "&userId=ann"), key);
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(left(answer, "key"), 99 - i);
    EXPECT_EQ(left(answer, "user"), 2 - i);
  }
  EXPECT_EQ(server.get(search("name+4", "&userId=ann"), key).status, 429);
  EXPECT_EQ(server.get(search("name+4", "&userId=%61nn"), key).status, 429) << "the same user, written otherwise";
  EXPECT_EQ(server.get("/api/users/ann", key).status, 429) << "in the path too";
  EXPECT_EQ(left(server.get(search("name+5", "&userId=bob"), "Authorization: Bearer secret\r\n"), "key"), 96);
  EXPECT_EQ(left(server.get(search("name+6"), "X-API-Key: another\r\n"), "key"), 99);
}

// Fifty events are five units.
std::string events_of(const std::string& user, int count, const std::string& more = {}) {
  std::string events = R"({"events":[)";
  for (int i = 0; i < count; ++i) {
    events += (i == 0 ? "" : ",") + (R"({"event_type":"click","user_id":")" + user + R"(","item_id":"1001","source":"search"})");
  }
  return events + more + "]}";
}

TEST(RateLimits, UsersWhomEventsNameHaveTheirOwn) {
  RunningServer server({}, limited(0, 10, 1'000));
  server.publish();
  const auto post = [&](const std::string& body) { return server.post("/api/events", body, kFrom); };
  const std::string wrong = R"(,{"event_type":"click","user_id":"ann","item_id":"no-article","source":"search"})";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post(events_of("ann", 99, wrong)).status, 400) << "others cannot use up what ann may do";
  EXPECT_EQ(post(events_of("ann", 50)).status, 200);
  EXPECT_EQ(post(events_of("ann", 50)).status, 200);
  const std::size_t kept = server.event_log().events().size();
  const auto refused = post(events_of("ann", 1));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(left(refused, "user"), 0);
  EXPECT_GT(left(refused, "address"), 900) << "one list, of both limits";
  EXPECT_EQ(server.post("/api/events/click", R"({"user_id":"ann","item_id":"1001","source":"search"})", kFrom).status, 429);
  EXPECT_EQ(server.get("/api/users/ann").status, 429) << "the same user, named elsewhere";
  const std::string one_of_ann = R"(,{"event_type":"click","user_id":"ann","item_id":"1001","source":"search"})";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(post(events_of("alf", 99, one_of_ann)).status, 429) << "who is charged before gets it back";
  EXPECT_EQ(server.event_log().events().size(), kept);
  EXPECT_EQ(post(events_of("alf", 100)).status, 200);
  EXPECT_EQ(post(R"({"events":[{"event_type":"click","session_id":"s","item_id":"1001","source":"search"}]})").status, 200) << "nobody's";
}

TEST(RateLimits, UsersWhomASearchByPictureNamesHaveTheirOwn) {
  ServerSetup setup = limited(0, 6, 0);
  setup.vision = true;
  RunningServer server({}, std::move(setup));
  server.publish();
  const auto ask = [&](const std::string& user) {
    return server.post("/api/recommendation/search/image", R"({"mode":"text_to_image","query":"name 3","k":2,"userId":")" + user + "\"}");
  };
  EXPECT_EQ(ask("ann").status, 200);
  EXPECT_EQ(ask("ann").status, 429) << "each is five units";
  EXPECT_EQ(ask("bob").status, 200);
}

TEST(RateLimits, CostsFollowWhatWasDone) {
  RunningServer server({}, limited(0, 0, 100));
  server.publish();
  auto spent = [&, last = 100](const support::RawResponse& answer) mutable {
    const int now = left(answer, "address");
    return std::exchange(last, now) - now;
  };
  EXPECT_EQ(spent(server.get(search("name+1"), kFrom)), 1);
  EXPECT_EQ(spent(server.get("/api/recommendation/search?query=name+2&k=2", kFrom)), 1) << "what was set aside for reranking came back";
  for (int i = 0; i < 3; ++i) static_cast<void>(server.get(search("name+1"), kFrom));
  EXPECT_EQ(spent(server.get(search("name+1"), kFrom)), 1) << "four answers from the cache";
  EXPECT_EQ(spent(server.get(search(""), kFrom)), 1) << "an error costs what the route does";
  std::string events = R"({"events":[)";
  for (int i = 0; i < 200; ++i) {
    events += (i == 0 ? "" : ",") + std::string(R"({"event_type":"click","user_id":"u","item_id":"1001","source":"search"})");
  }
  const auto kept = server.post("/api/events", events + "]}", "Content-Type: application/json\r\n" + kFrom);
  ASSERT_EQ(kept.status, 200) << kept.body;
  EXPECT_EQ(spent(kept), 20);
}

TEST(RateLimits, EveryRouteHasItsCost) {
  for (const Route& route : route_table()) {
    EXPECT_GE(base_cost(route.id), 0) << route.pattern;
    EXPECT_LE(base_cost(route.id), 5) << route.pattern;
  }
  EXPECT_GT(base_cost(RouteId::kSearchImage), base_cost(RouteId::kSearch));
}

TEST(AdminPort, OperatorsRoutesAreAnsweredThereOnly) {
  ServerOptions options;
  options.admin_port = 0;
  RunningServer server(options);
  server.publish();
  ASSERT_NE(server.admin_port(), server.port());
  const auto ask = [&](std::uint16_t port, const std::string& method, const std::string& target) {
    support::RawClient client(port);
    client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}");
    return client.read(method == "HEAD").value_or(support::RawResponse{});
  };
  for (const Route& route : route_table()) {
    std::string path(route.pattern);
    if (const auto brace = path.find('{'); brace != std::string::npos) path.replace(brace, path.find('}') - brace + 1, "1001");
    const std::string method = route.method == Method::kGet      ? "GET"
                               : route.method == Method::kPost   ? "POST"
                               : route.method == Method::kPut    ? "PUT"
                               : route.method == Method::kPatch  ? "PATCH"
                                                                 : "DELETE";
    const auto open = ask(server.port(), method, path);
    const auto inside = ask(server.admin_port(), method, path);
    const auto is_unknown = [](const support::RawResponse& answer) {
      return answer.status == 404 && answer.body.find("there is no such path") != std::string::npos;
    };
    EXPECT_EQ(is_unknown(open), route.admin) << method << " " << path;
    EXPECT_FALSE(is_unknown(inside)) << method << " " << path;
  }
  EXPECT_EQ(ask(server.port(), "HEAD", "/metrics").status, 404);
  EXPECT_EQ(ask(server.port(), "OPTIONS", "/metrics").status, 404);
  EXPECT_EQ(ask(server.port(), "POST", "/metrics").status, 404) << "nor does the method tell that it is there";
  EXPECT_EQ(ask(server.port(), "OPTIONS", "/api/articles/1001").headers.at("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask(server.admin_port(), "OPTIONS", "/api/articles/1001").headers.at("Allow"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(ask(server.admin_port(), "GET", "/live").status, 200);
}

TEST(AdminPort, OnePortAnswersAll) {
  RunningServer server;
  server.publish();
  EXPECT_EQ(server.admin_port(), server.port());
  EXPECT_EQ(server.get("/metrics").status, 200);
}

}  // namespace
}  // namespace scalestyle::http
