// Fetching from real servers on the loopback interface, which only these tests may reach.

#include "adapters/embedded/image_fetcher_curl.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "support/loopback_http_server.hpp"

namespace scalestyle::adapters {
namespace {

using core::ErrorCode;
using support::LoopbackHttpServer;
using support::LoopbackReply;
using support::LoopbackRequest;
using namespace std::chrono_literals;

constexpr std::array kLoopback{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};

core::Status only_loopback(std::span<const std::byte> address) {
  if (std::ranges::equal(address, kLoopback)) return {};
  return check_public_address(address);
}

std::string entry(const LoopbackHttpServer& server, const char* host = "127.0.0.1") {
  return fmt::format("http://{}:{}", host, server.port());
}

class ImageFetcherTest : public ::testing::Test {
 protected:
  void start(const std::string& hosts, ImageFetcherCurl::Options options = {}, bool strict = false) {
    options.hosts = AllowedHosts::parse(hosts).value();
    if (!strict) options.peer_check = only_loopback;
    fetcher_ = ImageFetcherCurl::create(options, clock_).value();
    loop_ = std::jthread([this](const std::stop_token& stop) { fetcher_->run(stop); });
  }
  void TearDown() override {
    if (!loop_.joinable()) return;
    loop_.request_stop();
    loop_.join();
  }
  core::Result<std::string> fetch(std::string url, std::chrono::nanoseconds limit = 10s) {
    return core::sync_wait(fetcher_->fetch(std::move(url), core::Deadline::after(limit, clock_)));
  }
  void expect_refused(const std::string& url, ErrorCode code, const std::string& part, std::chrono::nanoseconds limit = 10s) {
    const auto answer = fetch(url, limit);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, code) << url << ": " << answer.error().message;
    EXPECT_NE(answer.error().message.find(part), std::string::npos) << answer.error().message;
    if (code != ErrorCode::kUnavailable && code != ErrorCode::kDeadlineExceeded && code != ErrorCode::kCancelled) {
      EXPECT_EQ(answer.error().field, "image_url");
    }
  }

  core::SystemClock clock_;
  std::unique_ptr<ImageFetcherCurl> fetcher_;
  std::jthread loop_;
};

TEST_F(ImageFetcherTest, GivesTheBytes) {
  const std::string picture("\xFF\xD8\xFF\0picture", 11);
  const LoopbackHttpServer server([&](const LoopbackRequest&) { return LoopbackReply{.body = picture}; });
  start(entry(server));
  EXPECT_EQ(fetch(server.url("/a.jpg?size=1#part")).value(), picture);
  ASSERT_EQ(server.requests().size(), 1U);
  const auto request = server.requests().front();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/a.jpg?size=1");
  EXPECT_FALSE(request.headers.contains("cookie"));
  EXPECT_FALSE(request.headers.contains("authorization"));
  EXPECT_FALSE(request.headers.contains("referer"));
}

TEST_F(ImageFetcherTest, OnlyHostsOfTheList) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.body = "secret"}; });
  start("shop.example,*.cdn.example");
  expect_refused(server.url("/"), ErrorCode::kPermissionDenied, "image_url_hosts");
  expect_refused("https://cdn.example/a.jpg", ErrorCode::kPermissionDenied, "https://cdn.example:443");
  expect_refused("https://shop.example.evil.example/", ErrorCode::kPermissionDenied, "image_url_hosts");
  expect_refused("https://shop.example:8443/", ErrorCode::kPermissionDenied, "image_url_hosts");
  expect_refused("http://shop.example/a.jpg", ErrorCode::kPermissionDenied, "image_url_hosts");
  expect_refused("https://evil.example/#@shop.example/", ErrorCode::kPermissionDenied, "evil.example");
  expect_refused("https://evil.example/?x=https://shop.example/", ErrorCode::kPermissionDenied, "evil.example");
  expect_refused("https://evil.example\\@shop.example/", ErrorCode::kInvalidArgument, "absolute URL");
  expect_refused("https://shop.example@evil.example/", ErrorCode::kInvalidArgument, "without a user name");
  expect_refused("https://user:word@shop.example/", ErrorCode::kInvalidArgument, "without a user name");
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(ImageFetcherTest, OnlyHttpAndHttps) {
  start("shop.example");
  expect_refused("ftp://shop.example/a.jpg", ErrorCode::kPermissionDenied, "https://");
  expect_refused("file:///etc/passwd", ErrorCode::kPermissionDenied, "https://");
  expect_refused("gopher://shop.example/", ErrorCode::kPermissionDenied, "https://");
  expect_refused("", ErrorCode::kInvalidArgument, "absolute URL");
  expect_refused("a.jpg", ErrorCode::kInvalidArgument, "absolute URL");
  expect_refused("https://", ErrorCode::kInvalidArgument, "absolute URL");
  expect_refused("https://shop.example/\r\nHost: x", ErrorCode::kInvalidArgument, "absolute URL");
  expect_refused("https://shop.example/" + std::string(5'000, 'a'), ErrorCode::kInvalidArgument, "absolute URL");
}

TEST_F(ImageFetcherTest, AllowedNameAtAForbiddenAddressIsNotReached) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.body = "secret"}; });
  start(entry(server) + "," + entry(server, "localhost"), {}, true);
  expect_refused(server.url("/"), ErrorCode::kPermissionDenied, "no address of the public Internet");
  expect_refused(fmt::format("http://localhost:{}/", server.port()), ErrorCode::kPermissionDenied, "no address of the public Internet");
  expect_refused(fmt::format("http://0x7f.1:{}/", server.port()), ErrorCode::kPermissionDenied, "no address of the public Internet");
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(ImageFetcherTest, RedirectsAreFollowedWithinTheList) {
  const LoopbackHttpServer other([](const LoopbackRequest&) { return LoopbackReply{.body = "picture"}; });
  const LoopbackHttpServer server([&](const LoopbackRequest& request) {
    if (request.target == "/a") return LoopbackReply{.status = 302, .headers = {{"Location", "/b"}}};
    return LoopbackReply{.status = 307, .headers = {{"Location", other.url("/c")}}};
  });
  start(entry(server) + "," + entry(other));
  EXPECT_EQ(fetch(server.url("/a")).value(), "picture");
  EXPECT_EQ(other.requests().size(), 1U);
}

TEST_F(ImageFetcherTest, RedirectsOutOfTheListAreRefused) {
  const LoopbackHttpServer secret([](const LoopbackRequest&) { return LoopbackReply{.body = "secret"}; });
  std::string location = secret.url("/");
  const LoopbackHttpServer server([&](const LoopbackRequest&) { return LoopbackReply{.status = 302, .headers = {{"Location", location}}}; });
  start(entry(server));
  for (const std::string& forbidden :
       {secret.url("/"), std::string("http://169.254.169.254/latest/meta-data/"), std::string("file:///etc/passwd"),
        std::string("https://evil.example/"), fmt::format("//127.0.0.1:{}/", secret.port())}) {
    location = forbidden;
    expect_refused(server.url("/"), ErrorCode::kPermissionDenied, "redirected to");
  }
  location = fmt::format("http://me:pass@127.0.0.1:{}/", server.port());
  expect_refused(server.url("/"), ErrorCode::kInvalidArgument, "redirected to");
  EXPECT_TRUE(secret.requests().empty());
}

TEST_F(ImageFetcherTest, RedirectToAForbiddenAddressIsRefused) {
  const LoopbackHttpServer secret([](const LoopbackRequest&) { return LoopbackReply{.body = "secret"}; });
  // The name is on the list; what it leads to is an address of this machine that the check does not let pass.
  const LoopbackHttpServer server([&](const LoopbackRequest&) {
    return LoopbackReply{.status = 302, .headers = {{"Location", fmt::format("http://127.0.0.2:{}/", secret.port())}}};
  });
  start(entry(server) + fmt::format(",http://127.0.0.2:{}", secret.port()));
  expect_refused(server.url("/"), ErrorCode::kPermissionDenied, "127.0.0.2 is no address");
  EXPECT_TRUE(secret.requests().empty());
}

TEST_F(ImageFetcherTest, RedirectsAreLimited) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.status = 301, .headers = {{"Location", "/again"}}}; });
  start(entry(server));
  expect_refused(server.url("/"), ErrorCode::kNotFound, "more than 3 redirects");
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(ImageFetcherTest, LargePicturesAreRefusedHoweverTheyCome) {
  bool announce = true;
  const LoopbackHttpServer server([&](const LoopbackRequest&) {
    return LoopbackReply{.body = std::string(100'001, 'x'), .announce_length = announce};
  });
  start(entry(server), {.max_bytes = 100'000});
  expect_refused(server.url("/"), ErrorCode::kResourceExhausted, "larger than 100000 bytes");
  announce = false;
  expect_refused(server.url("/"), ErrorCode::kResourceExhausted, "larger than 100000 bytes");
}

TEST_F(ImageFetcherTest, OtherAnswersAreNoPictures) {
  LoopbackReply reply;
  const LoopbackHttpServer server([&](const LoopbackRequest&) { return reply; });
  start(entry(server));
  reply = {.status = 404, .body = "no"};
  expect_refused(server.url("/"), ErrorCode::kNotFound, "status 404");
  reply = {.status = 302};
  expect_refused(server.url("/"), ErrorCode::kNotFound, "status 302");
  reply = {.status = 206, .body = "part"};
  expect_refused(server.url("/"), ErrorCode::kNotFound, "status 206");
  reply = {.status = 200};
  expect_refused(server.url("/"), ErrorCode::kNotFound, "empty");
  reply = {.status = 200, .body = "cut off", .cut_after = 3};
  expect_refused(server.url("/"), ErrorCode::kNotFound, "could not be fetched");
  const std::string gone = [] {
    const LoopbackHttpServer closed([](const LoopbackRequest&) { return LoopbackReply{}; });
    return closed.url("/");
  }();
  TearDown();
  start("http://" + gone.substr(7, gone.size() - 8));
  expect_refused(gone, ErrorCode::kNotFound, "could not be fetched");
}

TEST_F(ImageFetcherTest, SlowServersMeetTheTimeLimitOrTheDeadline) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    return LoopbackReply{.body = "drip drip drip", .cut_after = 4, .hang_before_end = 60s};
  });
  start(entry(server), {.timeout = 150ms});
  expect_refused(server.url("/"), ErrorCode::kNotFound, "within 150 ms");
  expect_refused(server.url("/"), ErrorCode::kDeadlineExceeded, "deadline", 50ms);
}

TEST_F(ImageFetcherTest, FetchesInProgressAreLimited) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.delay = 60s}; });
  start(entry(server), {.timeout = 60s, .max_fetches = 2});
  std::atomic<int> ended{0};
  std::vector<core::Operation> held;
  for (int i = 0; i < 2; ++i) {
    held.push_back(core::start(fetcher_->fetch(server.url("/"), core::Deadline::never()), [&](auto&&) { ++ended; }));
  }
  expect_refused(server.url("/"), ErrorCode::kUnavailable, "2 pictures are being fetched");
  EXPECT_EQ(ended, 0);
  held.clear();  // cancels them: their places become free
  TearDown();
  EXPECT_EQ(ended, 0) << "nothing is delivered after a stop";
}

TEST_F(ImageFetcherTest, EndOfTheThreadEndsEveryFetch) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.delay = 60s}; });
  start(entry(server), {.timeout = 60s});
  std::binary_semaphore done(0);
  core::ErrorCode code{};
  auto operation = core::start(fetcher_->fetch(server.url("/"), core::Deadline::never()), [&](auto&& answer) {
    code = answer.error().code;
    done.release();
  });
  TearDown();
  done.acquire();
  EXPECT_EQ(code, ErrorCode::kCancelled);
  operation.detach();
  expect_refused(server.url("/"), ErrorCode::kCancelled, "stopped");
}

TEST_F(ImageFetcherTest, ProxiesOfTheEnvironmentAreNotUsed) {
  const LoopbackHttpServer proxy([](const LoopbackRequest&) { return LoopbackReply{.body = "of the proxy"}; });
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.body = "picture"}; });
  for (const char* name : {"http_proxy", "all_proxy"}) ::setenv(name, proxy.url().c_str(), 1);
  start(entry(server));
  EXPECT_EQ(fetch(server.url("/")).value(), "picture");
  for (const char* name : {"http_proxy", "all_proxy"}) ::unsetenv(name);
  EXPECT_TRUE(proxy.requests().empty());
}

TEST(ImageFetcherOptions, AreChecked) {
  const core::SystemClock clock;
  EXPECT_EQ(ImageFetcherCurl::create({.timeout = 0ms}, clock).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ImageFetcherCurl::create({.max_bytes = 0}, clock).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ImageFetcherCurl::create({.max_fetches = 0}, clock).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ImageFetcherCurl::create({.peer_check = {}}, clock).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace scalestyle::adapters
