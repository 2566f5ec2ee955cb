#include "adapters/embedded/http_client_curl.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

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

using core::Deadline;
using core::ErrorCode;
using ports::HttpRequest;
using ports::HttpResponse;
using support::LoopbackHttpServer;
using support::LoopbackReply;
using support::LoopbackRequest;
using namespace std::chrono_literals;

class StringSink final : public ports::HttpBodySink {
 public:
  core::Status begin(const HttpResponse& head) override {
    status = head.status;
    ++begun;
    return refuse_begin ? core::Status(core::fail(ErrorCode::kDataLoss, "refused head")) : core::Status();
  }
  core::Status write(std::span<const std::byte> piece) override {
    if (body.size() + piece.size() > refuse_after) return core::fail(ErrorCode::kResourceExhausted, "sink is full");
    body.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return {};
  }
  int status = 0;
  int begun = 0;
  bool refuse_begin = false;
  std::size_t refuse_after = ~std::size_t{0};
  std::string body;
};

class HttpClientCurlTest : public ::testing::Test {
 protected:
  void start(HttpClientCurl::Options options = {}) {
    auto made = HttpClientCurl::create(options, clock_);
    ASSERT_TRUE(made) << made.error().message;
    client_ = std::move(*made);
    loop_ = std::jthread([this](const std::stop_token& stop) { client_->run(stop); });
  }
  void TearDown() override {
    if (!loop_.joinable()) return;
    loop_.request_stop();
    loop_.join();
  }
  core::Result<HttpResponse> send(HttpRequest request, std::chrono::nanoseconds limit = 10s) {
    request.allow_plain_http = true;
    return core::sync_wait(client_->send(std::move(request), Deadline::after(limit, clock_)));
  }
  core::Result<HttpResponse> get(std::string url, int max_redirects = 0) {
    return send({.url = std::move(url), .max_redirects = max_redirects});
  }

  core::SystemClock clock_;
  std::unique_ptr<HttpClientCurl> client_;
  std::jthread loop_;
};

TEST_F(HttpClientCurlTest, GetGivesStatusHeadersAndBody) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    return LoopbackReply{.status = 201, .headers = {{"X-One", "first"}, {"x-one", "second "}}, .body = "hello"};
  });
  start();
  const auto answer = send({.url = server.url("/a?b=c"), .headers = {{"X-Asked", "yes"}}, .bearer_token = "secret"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(answer->header("X-ONE"), "second");
  EXPECT_EQ(answer->header("absent"), "");
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.headers.at("x-asked"), "yes");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer secret");
}

TEST_F(HttpClientCurlTest, PostSendsItsBody) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) { return LoopbackReply{.body = request.body}; });
  start();
  const std::string body(100'000, 'x');
  const auto answer = send({.method = ports::HttpMethod::kPost, .url = server.url("/"), .body = body});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, body);
  EXPECT_EQ(server.requests().at(0).method, "POST");
}

TEST_F(HttpClientCurlTest, PlainHttpMustBeAllowed) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{}; });
  start();
  const auto answer =
      core::sync_wait(client_->send({.url = server.url("/")}, Deadline::after(std::chrono::seconds(5), clock_)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpClientCurlTest, BadUrlsAndHeadersAreRefused) {
  start();
  for (const char* url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1/\r\nX: y"}) {
    const auto answer = get(url);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument) << url << ": " << answer.error().message;
  }
  const auto answer = send({.url = "http://127.0.0.1:1/", .headers = {{"X", "a\r\nInjected: b"}}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HttpClientCurlTest, TooLargeBodiesEndEarly) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    return LoopbackReply{.body = std::string(200'000, 'x'), .announce_length = request.target == "/announced"};
  });
  start();
  for (const char* path : {"/announced", "/unannounced"}) {
    const auto answer = send({.url = server.url(path), .max_body_bytes = 199'999});
    ASSERT_FALSE(answer) << path;
    EXPECT_EQ(answer.error().code, ErrorCode::kResourceExhausted) << answer.error().message;
    const auto whole = send({.url = server.url(path), .max_body_bytes = 200'000});
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->body.size(), 200'000U);
  }
}

TEST_F(HttpClientCurlTest, TooLargeHeadersEndTheRequest) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    LoopbackReply reply;
    for (int i = 0; i < 100; ++i) reply.headers.emplace_back("X-Filler", std::string(1000, 'x'));
    return reply;
  });
  start();
  const auto answer = get(server.url("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kResourceExhausted);
}

TEST_F(HttpClientCurlTest, ErrorBodiesAreKeptAndCut) {
  const LoopbackHttpServer server(
      [](const LoopbackRequest&) { return LoopbackReply{.status = 503, .body = std::string(100'000, 'e')}; });
  start();
  StringSink sink;
  const auto answer = send({.url = server.url("/"), .sink = &sink});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body.size(), 4096U);
  EXPECT_EQ(sink.begun, 0);
}

TEST_F(HttpClientCurlTest, SinkTakesTheBodyAndMayEndTheRequest) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    return LoopbackReply{.body = request.target == "/empty" ? "" : std::string(300'000, 'x')};
  });
  start();
  StringSink sink;
  auto answer = send({.url = server.url("/"), .sink = &sink});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(sink.body.size(), 300'000U);
  EXPECT_EQ(sink.begun, 1);
  EXPECT_TRUE(answer->body.empty());

  StringSink empty;
  ASSERT_TRUE(send({.url = server.url("/empty"), .sink = &empty}));
  EXPECT_EQ(empty.begun, 1);

  StringSink full;
  full.refuse_after = 1000;
  answer = send({.url = server.url("/"), .sink = &full});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "sink is full");

  StringSink refusing;
  refusing.refuse_begin = true;
  answer = send({.url = server.url("/"), .sink = &refusing});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "refused head");
}

TEST_F(HttpClientCurlTest, RedirectsAreFollowedToTheLimit) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    const int left = request.target.back() - '0';
    if (left == 0) return LoopbackReply{.body = "arrived"};
    return LoopbackReply{.status = 302, .headers = {{"Location", std::string("/hop").append(std::to_string(left - 1))}}, .body = "moved"};
  });
  start();
  const auto arrived = send({.url = server.url("/hop3"), .headers = {{"Range", "bytes=5-"}}, .bearer_token = "t",
                             .max_redirects = 3});
  ASSERT_TRUE(arrived) << arrived.error().message;
  EXPECT_EQ(arrived->body, "arrived");
  ASSERT_EQ(server.requests().size(), 4U);
  EXPECT_EQ(server.requests().at(3).headers.at("range"), "bytes=5-");
  EXPECT_EQ(server.requests().at(3).headers.at("authorization"), "Bearer t");  // the same origin

  const auto too_many = get(server.url("/hop3"), 2);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code, ErrorCode::kResourceExhausted);
  const auto not_followed = get(server.url("/hop3"), 0);
  ASSERT_TRUE(not_followed);
  EXPECT_EQ(not_followed->status, 302);
}

TEST_F(HttpClientCurlTest, RedirectsToAnotherOriginMustBeHttps) {
  const LoopbackHttpServer elsewhere([](const LoopbackRequest&) { return LoopbackReply{.body = "stolen"}; });
  const LoopbackHttpServer server([&](const LoopbackRequest& request) {
    LoopbackReply reply{.status = 307};
    if (request.target == "/http") reply.headers = {{"Location", elsewhere.url("/")}};
    if (request.target == "/file") reply.headers = {{"Location", "file:///etc/passwd"}};
    if (request.target == "/https") {
      reply.headers = {{"Location", fmt::format("https://127.0.0.1:{}/", elsewhere.port())}};
    }
    return reply;
  });
  start();
  for (const char* path : {"/http", "/file"}) {
    const auto answer = send({.url = server.url(path), .bearer_token = "secret", .max_redirects = 3});
    ASSERT_FALSE(answer) << path;
    EXPECT_EQ(answer.error().code, ErrorCode::kPermissionDenied) << answer.error().message;
  }
  EXPECT_TRUE(elsewhere.requests().empty());
  // https is tried (the server speaks no TLS, so that it fails there).
  const auto https = send({.url = server.url("/https"), .max_redirects = 3}, 300ms);
  ASSERT_FALSE(https);
  EXPECT_NE(https.error().code, ErrorCode::kPermissionDenied) << https.error().message;
  const auto nowhere = get(server.url("/nowhere"), 3);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientCurlTest, TruncatedBodiesAreNoSuccess) {
  const LoopbackHttpServer server(
      [](const LoopbackRequest&) { return LoopbackReply{.body = std::string(10'000, 'x'), .cut_after = 4'000}; });
  start();
  StringSink sink;
  const auto answer = send({.url = server.url("/"), .sink = &sink});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_EQ(sink.body.size(), 4'000U);
}

TEST_F(HttpClientCurlTest, NobodyListens) {
  std::uint16_t port = 0;
  { port = LoopbackHttpServer([](const LoopbackRequest&) { return LoopbackReply{}; }).port(); }
  start();
  const auto answer = get(fmt::format("http://127.0.0.1:{}/", port));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientCurlTest, DeadlineEndsASlowAnswer) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    if (request.target == "/late") return LoopbackReply{.body = "late", .delay = 20s};
    return LoopbackReply{.body = std::string(1000, 'x'), .cut_after = 10, .hang_before_end = 20s};
  });
  start();
  for (const char* path : {"/late", "/hangs"}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = send({.url = server.url(path)}, 150ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kDeadlineExceeded) << answer.error().message;
    EXPECT_GE(took, 140ms);
    EXPECT_LT(took, 5s);
  }
}

TEST_F(HttpClientCurlTest, AStalledTransferEndsWithoutADeadline) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    return LoopbackReply{.body = std::string(1000, 'x'), .cut_after = 10, .hang_before_end = 30s};
  });
  start({.stall_timeout = 1s});
  const auto answer = core::sync_wait(
      client_->send({.url = server.url("/"), .allow_plain_http = true}, Deadline::never()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable) << answer.error().message;
}

TEST_F(HttpClientCurlTest, DroppedRequestsEndAndTheClientGoesOn) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    return LoopbackReply{.body = "x", .delay = request.target == "/slow" ? 20'000ms : 0ms};
  });
  start({.max_requests = 1});
  bool called = false;
  {
    const auto operation = core::start(
        client_->send({.url = server.url("/slow"), .allow_plain_http = true}, Deadline::never()),
        [&](core::Result<HttpResponse>&&) { called = true; });
    const auto refused = get(server.url("/fast"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  }
  core::Result<HttpResponse> answer;
  for (int i = 0; i < 500; ++i) {  // its place is free once the loop has seen the cancellation
    answer = get(server.url("/fast"));
    if (answer) break;
    std::this_thread::sleep_for(10ms);
  }
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_FALSE(called);
}

TEST_F(HttpClientCurlTest, StoppingCancelsWhatIsUnderWay) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{.delay = 20s}; });
  start();
  std::binary_semaphore done(0);
  core::Result<HttpResponse> outcome;
  auto operation = core::start(client_->send({.url = server.url("/"), .allow_plain_http = true}, Deadline::never()),
                               [&](core::Result<HttpResponse>&& result) {
                                 outcome = std::move(result);
                                 done.release();
                               });
  loop_.request_stop();
  loop_.join();
  done.acquire();
  operation.detach();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
  const auto after = get(server.url("/"));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kCancelled);
}

TEST_F(HttpClientCurlTest, ManyAtOnce) {
  const LoopbackHttpServer server(
      [](const LoopbackRequest& request) { return LoopbackReply{.body = request.target, .delay = 20ms}; });
  start();
  std::vector<std::jthread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 24; ++i) {
    callers.emplace_back([&, i] {
      const std::string path = std::string("/").append(std::to_string(i));
      const auto answer = get(server.url(path));
      if (answer && answer->body == path) ++right;
    });
  }
  callers.clear();
  EXPECT_EQ(right, 24);
}

}  // namespace
}  // namespace scalestyle::adapters
