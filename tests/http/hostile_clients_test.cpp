#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kLive = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n";

class HostileClients : public testing::Test {
 protected:
  HostileClients() { server_.publish(); }
  ~HostileClients() override { EXPECT_EQ(server_.get("/live").status, 200) << "the server did not survive"; }

  static ServerOptions options() {
    ServerOptions limits;
    limits.idle_timeout = milliseconds(600);
    limits.header_timeout = milliseconds(400);
    limits.body_timeout = milliseconds(400);
    limits.write_timeout = milliseconds(400);
    limits.max_body_bytes = 1024;
    return limits;
  }

  // Status of the one answer to `bytes`, after which the server must close.
  int refused(const std::string& bytes) {
    auto client = server_.connect();
    client.send(bytes);
    const auto response = client.read();
    if (!response) return 0;
    EXPECT_EQ(response->headers.at("Connection"), "close") << bytes.substr(0, 60);
    EXPECT_EQ(boost::json::parse(response->body).at("status").as_string(), "error");
    EXPECT_TRUE(client.closed_within(seconds(3))) << bytes.substr(0, 60);
    return response->status;
  }

  RunningServer server_{options()};
};

TEST_F(HostileClients, OneByteAPacketIsStillOneRequest) {
  auto client = server_.connect();
  const std::string request = "GET /api/recommendation/search?query=name+3&k=1 HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const char byte : request) {
    client.send(std::string_view(&byte, 1));
    std::this_thread::sleep_for(milliseconds(1));
  }
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
}

TEST_F(HostileClients, PipelinedRequestsAreAnsweredInOrder) {
  auto client = server_.connect();
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += "GET /api/articles/" + std::to_string(1000 + i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    all += "GET /api/recommendation/search?query=x&k=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: r" + std::to_string(i) + "\r\n\r\n";
  }
  client.send(all);
  for (int i = 0; i < 20; ++i) {
    const auto article = client.read();
    ASSERT_TRUE(article) << i;
    EXPECT_NE(article->body.find("\"000000" + std::to_string(1000 + i) + "\""), std::string::npos);
    const auto search = client.read();
    ASSERT_TRUE(search) << i;
    EXPECT_EQ(search->headers.at("X-Request-Id"), "r" + std::to_string(i));
  }
}

TEST_F(HostileClients, SecondRequestHalfSentWaitsForItsRest) {
  auto client = server_.connect();
  client.send(kLive + "GET /live HT");
  EXPECT_EQ(client.read()->status, 200);
  std::this_thread::sleep_for(milliseconds(50));
  client.send("TP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read()->status, 200);
}

TEST_F(HostileClients, EmptyLineBeforeARequestIsPassedOver) {
  auto client = server_.connect();
  client.send("\r\n" + kLive);
  EXPECT_EQ(client.read()->status, 200);
}

TEST_F(HostileClients, AmbiguousLengthsAreRefused) {
  const std::string head = "GET /live HTTP/1.1\r\nHost: x\r\n";
  const std::string chunks = "\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(refused(head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + chunks), 400);
  EXPECT_EQ(refused(head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + chunks), 400);
  EXPECT_EQ(refused(head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + chunks), 400);
  EXPECT_EQ(refused(head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" + chunks), 400);
  EXPECT_EQ(refused(head + "Transfer-Encoding: gzip, chunked\r\n" + chunks), 501);
  EXPECT_EQ(refused(head + "Transfer-Encoding: identity\r\n" + chunks), 501);
  EXPECT_EQ(refused(head + "Transfer-Encoding : chunked\r\n" + chunks), 400);
  EXPECT_EQ(refused(head + "Transfer-Encoding: xchunked\r\n" + chunks), 501);
  EXPECT_EQ(refused("GET /live HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + chunks), 400);
  EXPECT_EQ(refused(head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400);
  EXPECT_EQ(refused(head + "Content-Length: 5, 6\r\n\r\nhello"), 400);
  EXPECT_EQ(refused(head + "Content-Length: -5\r\n\r\n"), 400);
  EXPECT_EQ(refused(head + "Content-Length: 0x5\r\n\r\n"), 400);
  EXPECT_EQ(refused(head + "Content-Length: 99999999999999999999999\r\n\r\n"), 400);
}

TEST_F(HostileClients, MalformedRequestsAreRefused) {
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(refused("GET /live\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET  /live HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refused("G\x01T /live HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /li\x01ve HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nX: a\x02 b\r\n\r\n"), 400);
  EXPECT_EQ(refused("\x16\x03\x01\x02\r\n\r\n"), 400);
}

TEST_F(HostileClients, BadChunksAreRefused) {
  const std::string head = "GET /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(refused(head + "zz\r\nhello\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(refused(head + "5\r\nhelloXX0\r\n\r\n"), 400);
  EXPECT_EQ(refused(head + "FFFFFFFFFFFFFFFFF\r\n"), 400);
  EXPECT_EQ(refused(head + "800\r\n" + std::string(2048, 'a') + "\r\n0\r\n\r\n"), 413);
}

TEST_F(HostileClients, BodyWithinLimitsIsReadAndIgnored) {
  auto client = server_.connect();
  client.send("GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + kLive);
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(client.read()->status, 200);
  client.send("GET /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nTrailer: y\r\n\r\n" + kLive);
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(client.read()->status, 200);
}

TEST_F(HostileClients, SizesAreLimited) {
  EXPECT_EQ(refused("GET /" + std::string(17'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
  EXPECT_EQ(refused("GET /" + std::string(200'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nX: " + std::string(9'000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nX: " + std::string(200'000, 'a') + "\r\n\r\n"), 431);
  std::string many = "GET /live HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 5'000; ++i) many += "A: b\r\n";
  EXPECT_EQ(refused(many + "\r\n"), 431);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"), 413);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n"), 413);
}

TEST_F(HostileClients, ExpectationsAreMetOrRefused) {
  auto client = server_.connect();
  client.send("GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read()->status, 100);
  client.send("hello");
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: the-unexpected\r\n\r\n"), 417);
}

TEST_F(HostileClients, SlowHeaderIsCutOffHoweverSteadilyItTrickles) {
  auto client = server_.connect();
  const auto began = std::chrono::steady_clock::now();
  client.send("GET /live HTTP/1.1\r\nHost: x\r\n");
  bool open = true;
  for (int i = 0; i < 40 && open; ++i) {
    open = client.send("X-" + std::to_string(i) + ": y\r\n");
    if (const auto response = client.read(false, milliseconds(50))) {
      EXPECT_EQ(response->status, 408);
      break;
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(1'500));
}

TEST_F(HostileClients, SlowBodyIsCutOff) {
  auto client = server_.connect();
  client.send("GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 408);
}

TEST_F(HostileClients, IdleConnectionIsClosedWithoutAWord) {
  auto client = server_.connect();
  client.send(kLive);
  ASSERT_TRUE(client.read());
  EXPECT_TRUE(client.closed_within(seconds(3)));
  auto silent = server_.connect();
  EXPECT_TRUE(silent.closed_within(seconds(3)));
}

TEST_F(HostileClients, ReaderThatDoesNotReadIsCutOff) {
  auto client = server_.connect();
  std::string flood;
  for (int i = 0; i < 200; ++i) flood += "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
  // Answers of megabytes fill both sockets' buffers; then the server's write ends at its time-out.
  for (int i = 0; i < 20; ++i) client.send(flood);
  std::this_thread::sleep_for(milliseconds(1'500));
  std::size_t answers = 0;
  while (client.read(false, seconds(2))) ++answers;
  EXPECT_LT(answers, 4'000U);
}

TEST_F(HostileClients, EarlyEndsAndResetsLeaveNothingBehind) {
  for (int i = 0; i < 50; ++i) {
    auto client = server_.connect();
    client.send(std::string_view(kLive).substr(0, static_cast<std::size_t>(i) % kLive.size()));
    if (i % 2 == 0) client.reset();
  }
  for (int i = 0; i < 20; ++i) {
    auto client = server_.connect();
    client.send("GET /api/recommendation/search?query=x HTTP/1.1\r\nHost: x\r\n\r\n");
    client.reset();
  }
  const auto end = std::chrono::steady_clock::now() + seconds(5);
  std::string metrics;
  while (std::chrono::steady_clock::now() < end) {
    metrics = server_.get("/metrics").body;
    if (metrics.find("scalestyle_http_connections 1\n") != std::string::npos) break;
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_NE(metrics.find("scalestyle_http_connections 1\n"), std::string::npos) << metrics;
}

TEST_F(HostileClients, OldClientsGetOneAnswer) {
  auto client = server_.connect();
  client.send("GET /live HTTP/1.0\r\n\r\n");
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.at("Connection"), "close");
  EXPECT_TRUE(client.closed_within(seconds(3)));
  auto kept = server_.connect();
  kept.send("GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /live HTTP/1.0\r\n\r\n");
  EXPECT_EQ(kept.read()->headers.at("Connection"), "keep-alive");
  EXPECT_EQ(kept.read()->headers.at("Connection"), "close");
}

}  // namespace
}  // namespace scalestyle::http
