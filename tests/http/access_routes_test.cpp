// Keys in force, over HTTP: which key every route wants, what every answer says to browsers, and what is audited.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "http/access_setup.hpp"
#include "http/route_table.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

std::string method_name(Method method) {
  switch (method) {
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kPatch: return "PATCH";
    case Method::kDelete: return "DELETE";
    default: return "GET";
  }
}

// A path of the route: something in place of each parameter.
std::string path_of(const Route& route) {
  std::string path(route.pattern);
  for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{')) {
    path.replace(open, path.find('}') - open + 1, "1001");
  }
  return path;
}

support::RawResponse ask(AccessSetup& setup, const Route& route, const std::string& headers) {
  const std::string method = method_name(route.method);
  if (method == "GET") return setup.running().get(path_of(route), headers);
  return setup.post(path_of(route), "{}", headers, method);
}

TEST(AccessRoutes, EveryRouteWantsAKeyWithItsScopeOrNone) {
  AccessSetup setup;
  std::size_t open = 0;
  for (const Route& route : route_table()) {
    const auto without = ask(setup, route, {});
    const auto wrong = ask(setup, route, "X-API-Key: nonsense\r\n");
    if (route.scopes().empty()) {
      ++open;
      EXPECT_NE(without.status, 401) << route.pattern;
      EXPECT_NE(wrong.status, 401) << route.pattern;
      continue;
    }
    EXPECT_EQ(without.status, 401) << route.pattern;
    EXPECT_EQ(wrong.status, 401) << route.pattern;
    ASSERT_TRUE(without.headers.contains("WWW-Authenticate")) << route.pattern;
    const auto error = json::parse(without.body).at("error").as_object();
    EXPECT_EQ(error.at("code").as_string(), "unauthorized");
    EXPECT_EQ(ask(setup, route, setup.reader()).status == 403, !route.scopes().contains(Scope::kSearch)) << route.pattern;
    const int allowed = ask(setup, route, setup.server()).status;
    EXPECT_TRUE(allowed != 401 && allowed != 403) << route.pattern << " " << allowed;
  }
  EXPECT_EQ(open, 4U) << "probes, pictures and the description";
}

TEST(AccessRoutes, AdminsAloneAreTold) {
  AccessSetup setup;
  const std::string search = "/api/recommendation/search?query=name";
  for (const std::string& target : {std::string("/metrics"), std::string("/api/recommendation/debug/cache-stats"),
                                    std::string("/api/recommendation/why-not?query=name&article_id=1001"), search + "&explain=true"}) {
    EXPECT_EQ(setup.running().get(target, setup.browser()).status, 403) << target;
    EXPECT_EQ(setup.running().get(target, setup.reader()).status, 403) << target;
    EXPECT_EQ(setup.running().get(target, setup.server()).status, 200) << target;
  }
  const auto refused = setup.running().get(search + "&explain=true", setup.reader());
  EXPECT_EQ(json::parse(refused.body).at("error").at("field").as_string(), "explain");
  EXPECT_EQ(setup.running().get(search + "&explain=false", setup.reader()).status, 200);
  EXPECT_EQ(setup.running().get(search, setup.reader()).status, 200);
}

TEST(AccessRoutes, AdminsAloneAreToldOfPicturesToo) {
  AccessSetup setup({.vision = true});
  const std::string plain = R"({"mode":"text_to_image","query":"photo"})";
  const std::string explained = R"({"mode":"text_to_image","query":"photo","explain":true})";
  EXPECT_EQ(setup.post("/api/recommendation/search/image", plain, setup.reader()).status, 200);
  const auto refused = setup.post("/api/recommendation/search/image", explained, setup.reader());
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_EQ(json::parse(refused.body).at("error").at("field").as_string(), "explain");
  EXPECT_EQ(setup.post("/api/recommendation/search/image", explained, setup.server()).status, 200);
}

TEST(AccessRoutes, EveryAnswerTellsBrowsersThatItIsNoPage) {
  AccessSetup setup;
  for (const std::string& target : {std::string("/live"), std::string("/api/recommendation/search?query=name"), std::string("/nowhere"),
                                    std::string("/metrics"), std::string("*bad*")}) {
    const auto answer = setup.running().get(target, setup.server());
    EXPECT_EQ(answer.headers.at("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(answer.headers.at("Content-Security-Policy"), "default-src 'none'; frame-ancestors 'none'") << target;
    EXPECT_EQ(answer.headers.at("Referrer-Policy"), "no-referrer") << target;
    EXPECT_FALSE(answer.headers.contains("Server")) << target;
    EXPECT_FALSE(answer.headers.contains("X-Powered-By")) << target;
  }
}

TEST(AccessRoutes, PagesOfListedOriginsMayAsk) {
  AccessSetup setup;
  const std::string preflight = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-api-key\r\n";
  const auto allowed = setup.running().get("/api/events", "Origin: https://shop.example\r\n" + preflight, "OPTIONS");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.at("Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_NE(allowed.headers.at("Access-Control-Allow-Headers").find("X-User-Token"), std::string::npos);
  const auto other = setup.running().get("/api/events", "Origin: https://evil.example\r\n" + preflight, "OPTIONS");
  EXPECT_EQ(other.status, 204);
  EXPECT_FALSE(other.headers.contains("Access-Control-Allow-Origin"));
  EXPECT_EQ(other.headers.at("Vary"), "Origin");
  // A page that may ask reads refusals too, and work that is done elsewhere.
  for (const std::string& headers : {std::string(), setup.browser()}) {
    const auto answer = setup.running().get("/api/recommendation/search?query=name", "Origin: https://shop.example\r\n" + headers);
    EXPECT_EQ(answer.status, headers.empty() ? 401 : 200);
    EXPECT_EQ(answer.headers.at("Access-Control-Allow-Origin"), "https://shop.example");
    EXPECT_EQ(answer.headers.at("Access-Control-Allow-Credentials"), "true");
  }
}

std::vector<json::object> audits(const std::string& log) {
  std::vector<json::object> lines;
  std::size_t begin = 0;
  for (std::size_t end = log.find('\n'); end != std::string::npos; end = log.find('\n', begin)) {
    const json::object line = json::parse(log.substr(begin, end - begin)).as_object();  // every line is whole
    if (line.at("message").as_string() == "audit") lines.push_back(line);
    begin = end + 1;
  }
  return lines;
}

TEST(AuditLog, HasALineForEveryCallOfAdminsAndAboutUsers) {
  testing::internal::CaptureStderr();
  std::string hash;
  std::string key_id;
  {
    AccessSetup setup({.vision = true});
    hash = setup.hasher()("zoe9q");
    key_id = setup.id_of_server();
    static_cast<void>(setup.running().get("/api/users/zoe9q", setup.server() + "X-Request-Id: r1\r\n"));
    static_cast<void>(setup.running().get("/api/users/zoe9q", setup.browser() + "X-Request-Id: r2\r\n"));
    static_cast<void>(setup.running().get("/api/users/zoe9q", "X-Request-Id: r3\r\n"));
    static_cast<void>(setup.post("/api/users/zoe9q/preferences", R"({"personalize":false})", setup.server() + "X-Request-Id: r4\r\n"));
    static_cast<void>(setup.post("/api/articles/1001", R"({"price":2})", setup.server() + "X-Request-Id: r5\r\n", "PATCH"));
    static_cast<void>(setup.running().get("/api/recommendation/search?query=name&userId=zoe9q", setup.server()));
    static_cast<void>(setup.running().get("/api/recommendation/search?query=name&userId=zoe9q&explain=true", setup.server() + "X-Request-Id: r6\r\n"));
    static_cast<void>(setup.running().get("/metrics", setup.server()));
    const std::string explained = R"({"mode":"text_to_image","query":"photo","explain":true})";
    static_cast<void>(setup.post("/api/recommendation/search/image", explained, setup.server() + "X-Request-Id: r7\r\n"));
    static_cast<void>(setup.post("/api/recommendation/search/image", explained, setup.reader() + "X-Request-Id: r8\r\n"));
    static_cast<void>(setup.running().get("/metrics", setup.reader() + "X-Request-Id: r9\r\n"));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  const auto lines = audits(log);
  const auto text = [&](std::size_t line, const char* member) { return std::string(lines.at(line).at(member).as_string()); };
  ASSERT_EQ(lines.size(), 9U) << log;
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(text(i, "request_id"), "r" + std::to_string(i + 1));
  EXPECT_EQ(text(0, "key"), key_id);
  EXPECT_EQ(text(0, "action"), "exportUser");
  EXPECT_EQ(text(0, "subject"), hash);
  EXPECT_EQ(text(0, "outcome"), "done");
  EXPECT_EQ(text(1, "outcome"), "refused");
  EXPECT_EQ(text(2, "key"), "none");
  EXPECT_EQ(lines[2].at("status").as_int64(), 401);
  EXPECT_EQ(text(3, "action"), "setPreferences");
  EXPECT_EQ(text(4, "article"), "1001");
  EXPECT_EQ(text(5, "action"), "search");
  EXPECT_EQ(text(5, "subject"), hash);
  EXPECT_EQ(text(6, "outcome"), "done");
  EXPECT_EQ(text(7, "outcome"), "refused");
  EXPECT_EQ(text(8, "action"), "metrics");
  EXPECT_EQ(log.find("zoe9q"), std::string::npos) << "no user in the clear: " << log;
}

TEST(AuditLog, NothingFromOutsideBeginsALine) {
  testing::internal::CaptureStderr();
  {
    AccessSetup setup;
    for (const std::string& path : {std::string("/api/articles/a%0A%7B%22message%22:%22audit%22%7D"), std::string("/api/articles/%0D%0Ax%1B%5B2J%C2%85")}) {
      static_cast<void>(setup.running().get(path, setup.server(), "DELETE"));
    }
    static_cast<void>(setup.running().get("/api/users/u%0Aother/features", setup.server()));
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(audits(log).size(), 3U) << log;
  EXPECT_TRUE(std::ranges::none_of(log, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F; })) << log;
  EXPECT_EQ(log.find("\xC2\x85"), std::string::npos);
}

TEST(QueryLog, IsWrittenOnlyWhereItIsWanted) {
  for (const bool wanted : {false, true}) {
    testing::internal::CaptureStderr();
    {
      AccessSetup setup({.vision = true, .log_queries = wanted, .log_level = telemetry::LogLevel::kDebug});
      static_cast<void>(setup.running().get("/api/recommendation/search?query=secret+wish%20x&userId=zoe9q", setup.server()));
      static_cast<void>(setup.post("/api/recommendation/search/image", R"({"mode":"text_to_image","query":"other\u2028 wish"})", setup.server()));
      setup.running().encoder().fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
      static_cast<void>(setup.running().get("/api/recommendation/search?query=secret+wish%20x&legs=dense&userId=zoe9q", setup.server()));
    }
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("secret wish x") != std::string::npos, wanted) << log;
    EXPECT_EQ(log.find("wish\"") != std::string::npos, wanted) << log;
    EXPECT_EQ(log.find("zoe9q"), std::string::npos) << log;
  }
}

TEST(AuditLog, StrangersCannotFillIt) {
  const core::SystemClock clock;
  testing::internal::CaptureStderr();
  telemetry::Logger log({telemetry::LogLevel::kInfo, telemetry::LogFormat::kJson}, clock);
  AuditLog audit(log, clock, {});
  const AuditNote note{.action = "exportUser"};
  for (int i = 0; i < 1'000; ++i) audit.write({.request_id = "r", .route = "/r", .status = 401, .audit = &note});
  for (int i = 0; i < 100; ++i) audit.write({.request_id = "r", .route = "/r", .status = 403, .audit = &note});
  const auto lines = audits(testing::internal::GetCapturedStderr());
  EXPECT_EQ(lines.size(), AuditLog::kUnknownCallersPerMinute + 100);
}

TEST(SubjectHasher, IsKeyed) {
  const SubjectHasher one("one");
  EXPECT_EQ(one("ann"), SubjectHasher("one")("ann"));
  EXPECT_NE(one("ann"), SubjectHasher("two")("ann"));
  EXPECT_NE(one("ann"), one("bob"));
  EXPECT_NE(SubjectHasher("")("ann"), SubjectHasher("")("ann")) << "a new key each";
  EXPECT_EQ(one("").size(), 0U);
  EXPECT_EQ(one("ann").size(), 16U);
}

}  // namespace
}  // namespace scalestyle::http
