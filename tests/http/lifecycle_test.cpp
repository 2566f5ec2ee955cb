#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kSearch = "GET /api/recommendation/search?query=name+3&k=2&deadline_ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n";

// From the total to the end of the items: a cursor names its generation and its time.
std::string stable_part(const std::string& body) {
  const std::size_t begin = body.find("\"total\"");
  return body.substr(begin, body.find("\"cursor\"", begin) - begin);
}

TEST(Lifecycle, ClientThatGoesCancelsItsSearch) {
  RunningServer server({}, {.search = {.max_in_progress = 1}});
  server.publish();
  server.encoder().hold();
  {
    auto client = server.connect();
    client.send(kSearch);
    server.encoder().wait_until_held(1);
    EXPECT_EQ(server.get("/api/recommendation/search?query=other").status, 503);
  }
  // The place of the one that left is free again, although its embedding is still being held.
  const auto end = std::chrono::steady_clock::now() + seconds(5);
  std::string metrics;
  while (std::chrono::steady_clock::now() < end) {
    metrics = server.get("/metrics").body;
    if (metrics.find("status=\"gone\"} 1") != std::string::npos) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_NE(metrics.find("status=\"gone\"} 1"), std::string::npos);
  server.encoder().release();
  EXPECT_EQ(server.get("/api/recommendation/search?query=other").status, 200);
}

TEST(Lifecycle, ResetCancelsToo) {
  RunningServer server;
  server.publish();
  server.encoder().hold();
  auto client = server.connect();
  client.send(kSearch);
  server.encoder().wait_until_held(1);
  client.reset();
  std::this_thread::sleep_for(milliseconds(50));
  server.encoder().release();
  EXPECT_EQ(server.get("/live").status, 200);
}

TEST(Lifecycle, PipelinedRequestBehindASearchIsNotADeparture) {
  RunningServer server;
  server.publish();
  server.encoder().hold();
  auto client = server.connect();
  client.send(kSearch);
  server.encoder().wait_until_held(1);
  client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(50));
  server.encoder().release();
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(client.read()->body, R"({"status":"live"})");
}

TEST(Lifecycle, DrainFinishesWhatIsInProgressAndClosesTheRest) {
  RunningServer server;
  server.publish();
  auto idle = server.connect();
  idle.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(idle.read());
  server.encoder().hold();
  auto busy = server.connect();
  busy.send(kSearch);
  server.encoder().wait_until_held(1);
  server.begin_drain();
  EXPECT_TRUE(idle.closed_within(seconds(3)));
  auto late = server.connect();
  late.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(late.read(false, milliseconds(200)));
  EXPECT_FALSE(server.ended());
  server.encoder().release();
  const auto response = busy.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.at("Connection"), "close");
  busy.close();
  const auto began = std::chrono::steady_clock::now();
  server.drain();
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(2));
}

TEST(Lifecycle, DrainEndsInTimeWhateverAClientDoes) {
  ServerOptions options;
  options.drain_timeout = milliseconds(300);
  RunningServer server(options);
  server.publish();
  server.encoder().hold();
  auto busy = server.connect();
  busy.send(kSearch);
  server.encoder().wait_until_held(1);
  auto half = server.connect();
  half.send("GET /live HT");
  std::this_thread::sleep_for(milliseconds(50));
  const auto began = std::chrono::steady_clock::now();
  server.drain();
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(2));
}

TEST(Lifecycle, ConnectionsAboveTheLimitAreToldSo) {
  ServerOptions options;
  options.max_connections = 2;
  RunningServer server(options);
  server.publish();
  auto first = server.connect();
  auto second = server.connect();
  for (auto* client : {&first, &second}) {
    client->send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client->read()->status, 200);
  }
  auto third = server.connect();
  third.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto refused = third.read();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  const int retry_after = std::stoi(refused->headers.at("Retry-After"));
  EXPECT_GE(retry_after, 1);
  EXPECT_LE(retry_after, 3);
  const auto body = boost::json::parse(refused->body).as_object();
  EXPECT_EQ(body.at("error").as_object().at("reason").as_string(), "DOWNSTREAM_CAPACITY_REJECTED");
  first.close();
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(server.get("/live").status, 200);
}

TEST(Lifecycle, SearchesAboveTheLimitAreRefusedWithAReason) {
  RunningServer server({}, {.search = {.max_in_progress = 2, .dense = {.max_batch = 1}}});
  server.publish();
  server.encoder().hold();
  std::vector<support::RawClient> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(server.connect());
    // Two that ask for the same would be one piece of work.
    waiting.back().send("GET /api/recommendation/search?query=" + std::string(i == 0 ? "one" : "two") + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  server.encoder().wait_until_held(2);
  const auto refused = server.get("/api/recommendation/search?query=x");
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("DOWNSTREAM_CAPACITY_REJECTED"), std::string::npos);
  server.encoder().release();
  for (auto& client : waiting) EXPECT_EQ(client.read()->status, 200);
}

TEST(Lifecycle, ConnectionEndsAfterItsShareOfRequests) {
  ServerOptions options;
  options.max_requests_per_connection = 3;
  RunningServer server(options);
  auto client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto response = client.read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->headers.at("Connection"), i < 2 ? "keep-alive" : "close");
  }
  EXPECT_TRUE(client.closed_within(seconds(3)));
}

TEST(Lifecycle, ConcurrentClientsGetTheAnswersOfSingleOnesWhileGenerationsSwitch) {
  RunningServer server;
  server.publish("g0");
  std::vector<std::string> targets;
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    targets.push_back("/api/recommendation/search?query=name+" + std::to_string(i) + "&k=5");
    expected.push_back(stable_part(server.get(targets.back()).body));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&, t] {
      auto client = server.connect();
      for (int i = 0; i < 60; ++i) {
        const auto which = static_cast<std::size_t>((t * 7 + i) % 20);
        client.send("GET " + targets[which] + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto response = client.read();
        if (!response || response->status != 200 || stable_part(response->body) != expected[which]) ++wrong;
      }
    });
  }
  for (int generation = 1; generation < 20; ++generation) {
    server.publish(std::string("g").append(std::to_string(generation)));
    std::this_thread::sleep_for(milliseconds(5));
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(ServerOpen, PortInUseAndBadHostAreClearErrors) {
  RunningServer running;
  telemetry::Metrics metrics;
  const core::SystemClock clock;
  telemetry::Logger log({}, clock);
  struct Nothing final : Application {
    Call begin(Request) override { return {}; }
    Response refuse(const ApiError&, std::string_view) override { return {}; }
    void finished(const FinishedCall&) override {}
    void begin_drain() override {}
  } nothing;
  ServerOptions options;
  options.port = running.port();
  const auto taken = Server::open(options, {nothing, clock, metrics, log});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().field, "port");
  EXPECT_NE(taken.error().message.find(std::to_string(options.port)), std::string::npos);
  options.host = "no.such.host";
  const auto bad = Server::open(options, {nothing, clock, metrics, log});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().field, "host");
}

}  // namespace
}  // namespace scalestyle::http
