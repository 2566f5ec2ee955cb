// Requests that are made to be read differently by two servers, to be expensive to read, or to reach what they should not.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "http/header_lines.hpp"
#include "http/running_server.hpp"
#include "support/tls_client.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::string_literals;
using namespace std::string_view_literals;

const std::string kLive = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n";

class HostileFraming : public testing::Test {
 protected:
  HostileFraming() { server_.publish(); }
  ~HostileFraming() override { EXPECT_EQ(server_.get("/live").status, 200) << "the server did not survive"; }

  static ServerOptions options() {
    ServerOptions limits;
    limits.idle_timeout = milliseconds(2'000);
    limits.header_timeout = milliseconds(2'000);
    limits.body_timeout = milliseconds(2'000);
    return limits;
  }

  // Statuses of all answers to `bytes`, up to the end of the connection.
  std::vector<int> statuses(const std::string& bytes) {
    auto client = server_.connect();
    client.send(bytes);
    client.end_sending();
    const auto [text, orderly] = client.read_to_end(seconds(20));
    std::vector<int> found;
    for (std::size_t at = text.find("HTTP/1.1 "); at != std::string::npos; at = text.find("HTTP/1.1 ", at + 9)) {
      const int status = std::atoi(text.c_str() + at + 9);
      if (status != 0) found.push_back(status);  // 0: an error's message has these words too
    }
    return found;
  }
  // The one answer to `bytes`, after which nothing that follows them is taken for a request.
  int refused(const std::string& bytes) {
    const auto all = statuses(bytes + kLive + kLive);
    EXPECT_EQ(all.size(), 1U) << bytes.substr(0, 120);
    return all.empty() ? 0 : all.front();
  }

  RunningServer server_{options()};
};

TEST(HeaderLines, EveryLineEndsInItsOwnTwoBytes) {
  const auto accepted = [](std::string_view bytes, std::size_t piece) {
    HeaderLines lines;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      if (!lines.add(bytes.substr(at, piece))) return false;
    }
    return true;
  };
  for (const std::size_t piece : {1U, 2U, 3U, 1'000U}) {
    EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nHost: x\r\nA:  b\t c \r\n\r\n", piece));
    EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nHost: x\r\n\r\nbody\nof \r\0 any kind\n more"sv, piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\nHost: x\r\n\r\n", piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: x\n\r\n", piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\n\tHost: x\r\n\r\n", piece));
    EXPECT_FALSE(accepted("GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"sv, piece));
  }
}

TEST_F(HostileFraming, LengthsThatCouldBeReadTwoWaysAreRefused) {
  const std::string head = "POST /api/events/click HTTP/1.1\r\nHost: x\r\n";
  for (const char* length : {"5\r\nContent-Length: 5", "5,5", "+5", "5 5", "5;", "0x5", "5a", "", " ", "5\r\n 5", "-0", "1e1",
                             "18446744073709551617", "٥"}) {
    EXPECT_EQ(refused(head + "Content-Length: " + length + "\r\n\r\nhello"), 400) << length;
  }
  for (const char* coding : {"Transfer-Encoding:\r\n chunked", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
                             " Transfer-Encoding: chunked", "X: y\r\n Transfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked",
                             "X: y\rTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3",
                             "Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked"}) {
    EXPECT_EQ(refused(head + coding + "\r\n\r\n0\r\n\r\n"), 400) << coding;
  }
  for (const char* coding : {"chunked, identity", "identity, chunked", "\"chunked\"", "chunked;q=1", "gzip", "x"}) {
    const int status = refused(head + "Transfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n");
    EXPECT_TRUE(status == 501 || status == 400) << coding << ": " << status;
  }
  EXPECT_EQ(refused(head + "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(refused(head + "Transfer_Encoding: chunked\r\nContent-Length: 2000000\r\n\r\n"), 413) << "another field's name";
}

TEST_F(HostileFraming, ChunksThatCouldBeReadTwoWaysAreRefused) {
  const std::string head = "POST /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* chunks : {"-1\r\nh\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
                             "5\r\nhello\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "\r\n5\r\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n",
                             "5;a\rb\r\nhello\r\n0\r\n\r\n", "00000000000000000000000000005g\r\nhello\r\n0\r\n\r\n",
                             "10000000000000005\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", ";\r\nhello\r\n0\r\n\r\n"}) {
    EXPECT_EQ(refused(head + chunks), 400) << chunks;
  }
}

TEST_F(HostileFraming, ChunkedBodiesAreBoundedWhateverTheirPieces) {
  const std::string head = "POST /api/events/click HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string small;
  for (int i = 0; i < 70'000; ++i) small += "1\r\n \r\n";
  EXPECT_EQ(statuses(head + small + "0\r\n\r\n").front(), 413);
  const auto extended = statuses(head + "1;x=" + std::string(300'000, 'a') + "\r\n \r\n0\r\n\r\n");
  ASSERT_EQ(extended.size(), 1U);
  EXPECT_TRUE(extended.front() == 400 || extended.front() == 431) << extended.front();
  std::string trailers;
  for (int i = 0; i < 100'000; ++i) trailers += "A: b\r\n";
  const auto trailed = statuses(head + "1\r\n \r\n0\r\n" + trailers + "\r\n");
  ASSERT_EQ(trailed.size(), 1U);
  EXPECT_TRUE(trailed.front() == 400 || trailed.front() == 431) << trailed.front();
}

TEST_F(HostileFraming, OnlyOneKindOfLineEndIsKnown) {
  EXPECT_EQ(refused("GET /live HTTP/1.1\nHost: x\n\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nA: b\n\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\n A: b\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"s), 400);
  EXPECT_EQ(refused("GET /live\0 HTTP/1.1\r\nHost: x\r\n\r\n"s), 400);
  EXPECT_EQ(refused("GET /li\rve HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refused("\r\n\r\n" + kLive), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost : x\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /live HTTP/1.1\r\nHost: x\r\nNoColon\r\n\r\n"), 400);
}

TEST_F(HostileFraming, OneEmptyLineIsPassedOverInHoweverManyPieces) {
  EXPECT_EQ(statuses("\r\n" + kLive), (std::vector<int>{200}));
  auto client = server_.connect();
  client.send("\r");
  std::this_thread::sleep_for(milliseconds(100));
  client.send("\n" + kLive);
  EXPECT_EQ(client.read().value_or(support::RawResponse{}).status, 200);
  client.send("\r\n\r");
  std::this_thread::sleep_for(milliseconds(100));
  client.send("\n" + kLive);
  EXPECT_EQ(client.read().value_or(support::RawResponse{}).status, 400) << "a second one is not";
}

TEST_F(HostileFraming, OtherProtocolsAreNotSpoken) {
  EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  const auto upgrade = statuses(
      "GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n");
  ASSERT_EQ(upgrade.size(), 1U);
  EXPECT_EQ(upgrade.front(), 200) << "an offer that is not taken";
  EXPECT_EQ(statuses("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\nConnection: close\r\n\r\n").front(), 400);
  EXPECT_EQ(statuses("TRACE /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").front(), 405);
  EXPECT_EQ(refused(std::string(30'000, 'A') + " /live HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
  const support::TlsClient tls(server_.port());
  EXPECT_FALSE(tls.is_open());
}

TEST_F(HostileFraming, NoPathLeadsOutOfTheTable) {
  for (const char* target : {"/../live", "/images/../live", "/live/", "//live", "/./live", "/%6cive", "/live%00", "/live%2f", "/live;a", "/LIVE",
                             "/images/../../etc/passwd", "/images/..%2f..%2fetc%2fpasswd", "/images/%2e%2e%2f%2e%2e%2fsecret.png",
                             "/images/....//secret.png", "/images/%252e%252e%252fsecret.png", "/images/1001%00.png", "/images/%c0%ae%c0%ae%2fx",
                             "/images/..\\\\secret.png", "http://x/../live", "https://x//live", "http:/live", "ftp://x/live", "x:/live",
                             "/api/articles/..%2F..%2Flive"}) {
    const int status = server_.get(target).status;
    EXPECT_TRUE(status == 400 || status == 404) << target << ": " << status;
  }
  EXPECT_EQ(server_.get("/images/1001").status, 404) << "a picture's own path cannot leave the folder";
  EXPECT_EQ(server_.get("http://other.example/live").status, 200);
  EXPECT_EQ(server_.get("HTTP://other.example/live?").status, 200);
}

TEST_F(HostileFraming, BadEncodingsAreRefused) {
  const std::string search = "/api/recommendation/search?k=1&query=";
  for (const char* text : {"%", "%1", "%zz", "%u0041", "%00", "a%00b", "%c0%af", "%ed%a0%80", "%f4%90%80%80", "%ff", "%e2%82"}) {
    EXPECT_EQ(server_.get(search + text).status, 400) << text;
  }
  EXPECT_EQ(server_.get(search + "x&query=y").status, 400);
  EXPECT_EQ(server_.get(search + "x&%71uery=y").status, 400) << "the same name, written otherwise";
  std::string many = search + "x";
  for (int i = 0; i < 5'000; ++i) many += "&a";
  EXPECT_EQ(server_.get(many).status, 400);
}

TEST_F(HostileFraming, JsonBombsAreRefused) {
  const auto posted = [&](const std::string& body) { return server_.post("/api/events", body).status; };
  EXPECT_EQ(posted(std::string(500'000, '[')), 400);
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += "{\"a\":";
  EXPECT_EQ(posted(nested), 400);
  EXPECT_EQ(posted("{\"events\":[" + std::string(400'000, '[') + std::string(400'000, ']') + "]}"), 400);
  std::string wide = "{\"events\":[{}";
  for (int i = 0; i < 300'000; ++i) wide += ",{}";
  EXPECT_EQ(posted(wide + "]}"), 400);
  EXPECT_EQ(posted("{\"events\":[{\"event_type\":\"click\",\"position\":" + std::string(900'000, '9') + "}]}"), 400);
  EXPECT_EQ(posted("{\"events\":[{\"event_type\":\"click\",\"position\":1e999999999}]}"), 400);
  EXPECT_EQ(posted("{\"" + std::string(900'000, 'k') + "\":1}"), 400);
  EXPECT_EQ(posted("{\"events\":\"" + std::string(900'000, 'x') + "\"}"), 400);
  EXPECT_EQ(posted("{\"events\":[],\"events\":[]}"), 400);
  EXPECT_EQ(posted("\xff\xfe{\"events\":[]}"), 400);
  EXPECT_EQ(posted("{\"events\":[]}\0"s), 400);
  EXPECT_EQ(posted(std::string(2'000'000, ' ')), 413);
}

TEST_F(HostileFraming, PipelinesHoweverLongAreAnsweredOneByOne) {
  auto client = server_.connect();
  constexpr int kRequests = 20'000;
  std::thread sender([&] {
    std::string some;
    for (int i = 0; i < 1'000; ++i) some += kLive;
    for (int i = 0; i < kRequests / 1'000; ++i) client.send(some);
  });
  int answered = 0;
  while (answered < kRequests) {
    const auto response = client.read(false, seconds(30));
    if (!response || response->status != 200) break;
    ++answered;
  }
  sender.join();
  EXPECT_EQ(answered, kRequests);
}

TEST_F(HostileFraming, HalfClosedConnectionsEnd) {
  auto client = server_.connect();
  client.send(kLive + kLive);
  client.end_sending();
  EXPECT_EQ(client.read().value().status, 200);
  EXPECT_EQ(client.read().value().status, 200) << "what was asked before is answered";
  EXPECT_TRUE(client.closed_within(seconds(10)));
  auto silent = server_.connect();
  silent.end_sending();
  EXPECT_TRUE(silent.closed_within(seconds(10)));
  auto half = server_.connect();
  half.send("POST /api/events/click HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  half.end_sending();
  EXPECT_TRUE(half.closed_within(seconds(10)));
}

TEST_F(HostileFraming, WhatClientsSendIsNotSentBackAsItIs) {
  const auto answer = server_.get("/live", "X-Request-Id: a%0d%0aSet-Cookie:b\r\n");
  EXPECT_EQ(answer.headers.at("X-Request-Id").size(), 32U) << "one of our own";
  EXPECT_FALSE(answer.headers.contains("Set-Cookie"));
  const auto page = server_.get("/api/articles/%0d%0aSet-Cookie:%20x");
  EXPECT_FALSE(page.headers.contains("Set-Cookie"));
  EXPECT_EQ(page.headers.at("X-Content-Type-Options"), "nosniff");
}

}  // namespace
}  // namespace scalestyle::http
