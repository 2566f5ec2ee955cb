// AccessControl: keys, user tokens, session cookies and origins of single requests.

#include "http/access_control.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

#include "core/files.hpp"
#include "events/timestamp.hpp"
#include "http/listen_address.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::seconds;

class AccessControlTest : public testing::Test {
 protected:
  AccessControlTest() {
    const events::EpochMs now = events::to_epoch_ms(clock_.wall_now());
    server_ = make_key({.scopes = {Scope::kSearch, Scope::kUsers}}, now).value();
    browser_ = make_key({.kind = KeyKind::kBrowser, .scopes = {Scope::kSearch, Scope::kEvents}, .expires_ms = now + 3'600'000}, now).value();
    NewKey revoked = make_key({.scopes = {Scope::kSearch}}, now).value();
    revoked.key.disabled = true;
    revoked_ = revoked.text;
    KeySet keys;
    for (const ApiKey& key : {server_.key, browser_.key, revoked.key}) EXPECT_TRUE(keys.add(key));
    EXPECT_TRUE(core::write_file_atomically(folder_ / "keys", keys.format()));
    file_ = KeyFile::open(folder_ / "keys").value();
    open_with({});
  }

  void open_with(AccessControl::Options options) {
    if (options.token_secrets.empty()) options.token_secrets = {secret_};
    control_ = std::make_unique<AccessControl>(AccessControl::Dependencies{.keys = file_.get(), .clock = clock_, .metrics = metrics_},
                                               std::move(options));
  }
  Request with_key(const std::string& key) const {
    Request request;
    request.api_key = key;
    return request;
  }
  int status(const Request& request, ScopeSet scopes = {Scope::kSearch}) const {
    const auto caller = control_->admit(request, scopes);
    return caller ? 200 : caller.error().error.status;
  }
  std::string token(const std::string& user, seconds ttl) const {
    return TokenSigner({secret_}).sign(TokenPurpose::kUser, user, std::chrono::floor<seconds>(clock_.wall_now()) + ttl);
  }
  static std::string cookie_value(const std::string& set_cookie) { return set_cookie.substr(0, set_cookie.find(';')); }

  const std::string secret_ = std::string(32, 's');
  support::TemporaryFolder folder_;
  support::FakeClock clock_;
  telemetry::Metrics metrics_;
  NewKey server_;
  NewKey browser_;
  std::string revoked_;
  std::unique_ptr<KeyFile> file_;
  std::unique_ptr<AccessControl> control_;
};

TEST_F(AccessControlTest, AKeyIsNeededAndMustHaveTheScope) {
  EXPECT_EQ(status({}), 401);
  EXPECT_EQ(status({}, {}), 200) << "an open route";
  EXPECT_EQ(status(with_key("nonsense")), 401);
  EXPECT_EQ(status(with_key(revoked_)), 401);
  EXPECT_EQ(status(with_key(server_.text)), 200);
  EXPECT_EQ(status(with_key(" " + server_.text + "\t")), 200);
  EXPECT_EQ(status(with_key(server_.text), {Scope::kAdmin}), 403);
  EXPECT_EQ(status(with_key(server_.text), {Scope::kAdmin, Scope::kUsers}), 200) << "one of them is enough";
  const auto refused = control_->admit(with_key(server_.text), {Scope::kEvents});
  EXPECT_EQ(refused.error().key_id, server_.key.id);
}

TEST_F(AccessControlTest, AKeyMayBeABearerToken) {
  Request request;
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER  "}) {
    request.authorization = scheme + server_.text;
    EXPECT_EQ(status(request), 200) << scheme;
  }
  for (const std::string& wrong : {server_.text, "Basic " + server_.text, std::string("Bearer"), std::string("Bearer ")}) {
    request.authorization = wrong;
    EXPECT_EQ(status(request), 401) << wrong;
  }
}

TEST_F(AccessControlTest, AnExpiredKeyIsRefused) {
  EXPECT_EQ(status(with_key(browser_.text)), 200);
  clock_.advance(std::chrono::hours(1));
  const auto refused = control_->admit(with_key(browser_.text), {Scope::kSearch});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.status, 401);
  EXPECT_NE(refused.error().error.message.find("expired"), std::string::npos);
}

TEST_F(AccessControlTest, ServerKeysAreBoundToNobodyAndGetNoCookie) {
  Request request = with_key(server_.text);
  request.user_token = "nonsense";
  const auto caller = control_->admit(request, {Scope::kSearch});
  ASSERT_TRUE(caller);
  EXPECT_FALSE(caller->is_bound());
  EXPECT_TRUE(caller->set_cookie.empty());
}

TEST_F(AccessControlTest, ABrowserGetsASessionAndKeepsIt) {
  const auto first = control_->admit(with_key(browser_.text), {Scope::kSearch});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->session.size(), 32U);
  EXPECT_TRUE(first->set_cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")) << first->set_cookie;
  Request again = with_key(browser_.text);
  again.cookie = "a=b; scalestyle_session=forged;" + cookie_value(first->set_cookie) + "; c=d";
  const auto second = control_->admit(again, {Scope::kSearch});
  EXPECT_EQ(second->session, first->session);
  EXPECT_TRUE(second->set_cookie.empty());
  again.cookie = "scalestyle_session=forged";
  EXPECT_NE(control_->admit(again, {Scope::kSearch})->session, first->session);
}

TEST_F(AccessControlTest, ASessionIsRenewedBeforeItEnds) {
  open_with({.session_lifetime = seconds(100)});
  Request request = with_key(browser_.text);
  const auto first = control_->admit(request, {Scope::kSearch});
  request.cookie = cookie_value(first->set_cookie);
  clock_.advance(seconds(49));
  EXPECT_TRUE(control_->admit(request, {Scope::kSearch})->set_cookie.empty());
  clock_.advance(seconds(2));
  const auto renewed = control_->admit(request, {Scope::kSearch});
  EXPECT_EQ(renewed->session, first->session);
  EXPECT_FALSE(renewed->set_cookie.empty());
  clock_.advance(seconds(60));
  EXPECT_NE(control_->admit(request, {Scope::kSearch})->session, first->session) << "the old cookie has ended";
  request.cookie = cookie_value(renewed->set_cookie);
  EXPECT_EQ(control_->admit(request, {Scope::kSearch})->session, first->session);
}

TEST_F(AccessControlTest, BehindTlsCookiesAreSecureAndBrowsersStayWithIt) {
  open_with({.behind_tls = true});
  EXPECT_TRUE(control_->admit(with_key(browser_.text), {Scope::kSearch})->set_cookie.ends_with("; Secure"));
  const auto headers = control_->answer_headers({});
  ASSERT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers[0].first, "Strict-Transport-Security");
}

TEST_F(AccessControlTest, AUserTokenSaysWhoABrowserActsFor) {
  Request request = with_key(browser_.text);
  request.user_token = token("ann", seconds(60));
  EXPECT_EQ(control_->admit(request, {Scope::kSearch})->user, "ann");
  clock_.advance(seconds(60));
  const auto late = control_->admit(request, {Scope::kSearch});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error.status, 401);
  EXPECT_EQ(late.error().error.field, "X-User-Token");
  request.user_token = "ann";
  EXPECT_EQ(status(request), 401);
}

TEST_F(AccessControlTest, WithoutASecretThereAreSessionsAndNoUsers) {
  AccessControl plain({.keys = file_.get(), .clock = clock_, .metrics = metrics_}, {});
  Request request = with_key(browser_.text);
  const auto first = plain.admit(request, {Scope::kSearch});
  request.cookie = cookie_value(first->set_cookie);
  EXPECT_EQ(plain.admit(request, {Scope::kSearch})->session, first->session);
  request.user_token = token("ann", seconds(60));
  EXPECT_EQ(plain.admit(request, {Scope::kSearch}).error().error.status, 401);
  EXPECT_NE(control_->admit(request, {Scope::kSearch})->session, first->session) << "another process's";
}

TEST_F(AccessControlTest, WithoutAFileEverybodyMayDoEverything) {
  AccessControl open({.keys = nullptr, .clock = clock_, .metrics = metrics_}, {});
  const auto caller = open.admit({}, {Scope::kAdmin});
  ASSERT_TRUE(caller);
  EXPECT_TRUE(caller->may(Scope::kAdmin));
  EXPECT_FALSE(caller->is_bound());
  EXPECT_TRUE(open.answer_headers({}).empty());
}

TEST_F(AccessControlTest, RefusalsAreCountedByTheirReason) {
  static_cast<void>(status({}));
  static_cast<void>(status(with_key("nonsense")));
  static_cast<void>(status(with_key(server_.text), {Scope::kAdmin}));
  const std::string text = metrics_.render();
  for (const char* reason : {"no_key", "bad_key", "no_scope"}) {
    EXPECT_NE(text.find("scalestyle_access_refused_total{reason=\"" + std::string(reason) + "\"} 1"), std::string::npos) << text;
  }
}

std::map<std::string, std::string> headers_of(const CrossOrigin& origins, const Request& request) {
  std::vector<std::pair<std::string_view, std::string>> headers;
  origins.add_headers(request, headers);
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : headers) EXPECT_TRUE(all.emplace(name, value).second) << name;
  return all;
}

TEST(CrossOrigin, OnlyListedOriginsMayRead) {
  const auto origins = CrossOrigin::parse("https://shop.example, http://localhost:3000").value();
  Request request;
  request.origin = "https://shop.example";
  auto headers = headers_of(origins, request);
  EXPECT_EQ(headers["Access-Control-Allow-Origin"], "https://shop.example");
  EXPECT_EQ(headers["Access-Control-Allow-Credentials"], "true");
  EXPECT_EQ(headers["Vary"], "Origin");
  EXPECT_FALSE(headers.contains("Access-Control-Allow-Headers"));
  request.method = Method::kOptions;
  request.preflight_method = "DELETE";
  headers = headers_of(origins, request);
  EXPECT_NE(headers["Access-Control-Allow-Headers"].find("X-API-Key"), std::string::npos);
  EXPECT_NE(headers["Access-Control-Allow-Methods"].find("DELETE"), std::string::npos);
  for (const char* other : {"", "null", "https://shop.example.evil", "https://shop.example:443", "http://shop.example", "*"}) {
    request.origin = other;
    EXPECT_EQ(headers_of(origins, request), (std::map<std::string, std::string>{{"Vary", "Origin"}})) << other;
  }
  EXPECT_TRUE(headers_of(CrossOrigin(), request).empty());
}

TEST(CrossOrigin, OriginsAreWellFormed) {
  EXPECT_TRUE(CrossOrigin::parse("")->empty());
  EXPECT_FALSE(CrossOrigin::parse("http://[::1]:8080")->empty());
  for (const char* wrong : {"*", "shop.example", "https://", "https://shop.example/", "https://Shop.example", "https://*.shop.example", "ftp://a",
                            "https://a@b", "https://:80"}) {
    const auto read = CrossOrigin::parse(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().field, "cors_origins");
  }
}

TEST(ListenAddress, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* own : {"localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(is_loopback_address(own)) << own;
  for (const char* other : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "::2", "localhost.example", "127.1", ""}) {
    EXPECT_FALSE(is_loopback_address(other)) << other;
  }
}

}  // namespace
}  // namespace scalestyle::http
