#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "load_run.hpp"
#include "mixed_exchange.hpp"
#include "query_source.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::load {
namespace {

constexpr std::string_view kGood = R"({"status":"success","degraded":false,"data":[{"article_id":"1"}]})";

// Answers every request on every connection with one fixed answer, after a wait.
class FixedServer {
 public:
  FixedServer(std::string head, std::string body, std::chrono::milliseconds wait = {})
      : answer_(head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body), wait_(wait) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  FixedServer(const FixedServer&) = delete;
  FixedServer& operator=(const FixedServer&) = delete;
  ~FixedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void accept_all() {
    std::vector<std::jthread> serving;
    for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      ++connections_;
      serving.emplace_back([this, client] { serve(client); });
    }
  }
  void serve(int client) {
    const int yes = 1;
    EXPECT_EQ(::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
    std::string received;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = ::recv(client, buffer.data(), buffer.size(), 0)) > 0;) {
      received.append(buffer.data(), static_cast<std::size_t>(count));
      for (std::size_t end = 0; (end = received.find("\r\n\r\n")) != std::string::npos;) {
        received.erase(0, end + 4);
        ++requests_;
        std::this_thread::sleep_for(wait_);
        const std::size_t half = answer_.size() / 2;  // in two pieces: answers may be split anywhere
        static_cast<void>(::send(client, answer_.data(), half, MSG_NOSIGNAL));
        static_cast<void>(::send(client, answer_.data() + half, answer_.size() - half, MSG_NOSIGNAL));
      }
    }
    ::close(client);
  }

  std::string answer_;
  std::chrono::milliseconds wait_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::jthread acceptor_;
};

LoadOptions options_for(const FixedServer& server) {
  LoadOptions options;
  options.port = server.port();
  options.duration_seconds = 20;
  return options;
}

TEST(QuerySource, GeneratedQueriesNeverRepeat) {
  QuerySource first = QuerySource::built_in(1);
  QuerySource second = QuerySource::built_in(2);
  EXPECT_GT(first.capacity(), 5'000'000U);
  std::set<std::string> seen;
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(seen.insert(*first.next()).second);
    EXPECT_TRUE(seen.insert(*second.next()).second);
  }
}

TEST(QuerySource, WordsGiveEveryCombinationOnce) {
  support::TemporaryFolder folder;
  std::ofstream(folder / "words") << "a b c d e f g h i j k l m n o p q r s t";
  QuerySource source = QuerySource::from_words((folder / "words").string(), 3).value();
  EXPECT_EQ(source.capacity(), 5U * 5 * 5 * 5);
  std::set<std::string> seen;
  while (const auto query = source.next()) EXPECT_TRUE(seen.insert(*query).second);
  EXPECT_EQ(seen.size(), 625U);
  std::ofstream(folder / "few") << "a b c";
  EXPECT_FALSE(QuerySource::from_words((folder / "few").string(), 3));
}

TEST(QuerySource, FilesAreAskedOnceUnlessToldOtherwise) {
  support::TemporaryFolder folder;
  const std::string path = (folder / "queries").string();
  std::ofstream(path) << "red hat\n\n{\"query\":\"blue \\\"hat\\\"\"}\n";
  QuerySource once = QuerySource::from_file(path, false).value();
  EXPECT_EQ(once.next(), "red hat");
  EXPECT_EQ(once.next(), "blue \"hat\"");
  EXPECT_FALSE(once.next());
  QuerySource again = QuerySource::from_file(path, true).value();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*again.next(), i % 2 == 0 ? "red hat" : "blue \"hat\"");
  std::ofstream(path) << "red hat\nred hat\n";
  const auto repeats = QuerySource::from_file(path, false);
  ASSERT_FALSE(repeats);
  EXPECT_THAT(repeats.error().message, testing::HasSubstr("1 of 2 queries repeat"));
}

TEST(QuerySource, PathsAreEscaped) { EXPECT_EQ(percent_encoded("a b&c=é/%"), "a%20b%26c%3D%C3%A9%2F%25"); }

TEST(LoadRun, ClosedLoopKeepsItsConnectionsAndCountsWhatWasAsked) {
  FixedServer server("HTTP/1.1 200 OK", std::string(kGood));
  LoadOptions options = options_for(server);
  options.clients = 3;
  options.requests = 100;
  options.warmup_requests = 10;
  QuerySource queries = QuerySource::built_in(1);
  const LoadReport report = run_load(options, queries).value();
  EXPECT_EQ(report.answers, 100U);
  EXPECT_EQ(report.errors, 0U);
  EXPECT_EQ(report.degraded, 0U);
  EXPECT_EQ(report.latencies_ms.size(), 100U);
  EXPECT_EQ(server.requests(), 110);
  EXPECT_LE(server.connections(), 3);
}

TEST(LoadRun, OpenLoopCountsTheWaitOfRequestsThatCouldNotStart) {
  FixedServer server("HTTP/1.1 200 OK", std::string(kGood), std::chrono::milliseconds(20));
  LoadOptions options = options_for(server);
  options.rate = 500;  // ten times what one connection of this server can do
  options.requests = 50;
  QuerySource queries = QuerySource::built_in(1);
  const LoadReport report = run_load(options, queries).value();
  EXPECT_EQ(report.answers, 50U);
  // The last request should have started after 98 ms and was answered after 50 × 20 ms.
  EXPECT_GT(report.percentile(1.0), 800.0);
  EXPECT_GT(report.percentile(0.5), 300.0);
}

TEST(LoadRun, BadAnswersAreErrorsAndDegradedOnesAreCounted) {
  const auto run = [](const std::string& head, const std::string& body) {
    FixedServer server(head, body);
    LoadOptions options = options_for(server);
    options.requests = 5;
    QuerySource queries = QuerySource::built_in(1);
    return run_load(options, queries).value();
  };
  EXPECT_THAT(run("HTTP/1.1 503 Away", "{}").error_kinds, testing::ElementsAre(testing::Pair("HTTP 503", 5U)));
  EXPECT_EQ(run("HTTP/1.1 200 OK", R"({"status":"error"})").errors, 5U);
  EXPECT_THAT(run("HTTP/1.1 200 OK", R"({"status":"success","degraded":false,"data":[]})").error_kinds,
              testing::ElementsAre(testing::Pair("empty data", 5U)));
  const LoadReport degraded = run("HTTP/1.1 200 OK\r\nConnection: close",
                                  R"({"status":"success","degraded":true,"data":[{"a":1}]})");
  EXPECT_EQ(degraded.answers, 5U);
  EXPECT_EQ(degraded.degraded, 5U);
  EXPECT_EQ(run("nonsense", "x").errors, 5U);
}

TEST(LoadRun, ARefusedClientRestsBeforeItAsksAgain) {
  FixedServer server("HTTP/1.1 503 Away\r\nRetry-After: 1", "{}");
  LoadOptions options = options_for(server);
  options.clients = 2;
  options.requests = 8;
  options.refusal_pause_ms = 60;
  MixOptions mix;
  mix.shares = {1, 0, 0, 0};
  MixedExchange exchange = MixedExchange::create(mix, QuerySource::built_in(1)).value();
  const LoadReport report = run_load(options, exchange).value();
  EXPECT_EQ(report.refused, 8U);
  EXPECT_EQ(report.kinds[0].refused, 8U);
  EXPECT_EQ(report.errors, 0U);
  EXPECT_EQ(report.answers, 0U);
  EXPECT_GE(report.elapsed_seconds, 3 * 0.060);
}

TEST(LoadRun, AnAnswerAfterTheDeadlineIsAnError) {
  FixedServer server("HTTP/1.1 200 OK", std::string(kGood), std::chrono::milliseconds(300));
  LoadOptions options = options_for(server);
  options.requests = 2;
  options.deadline_ms = 30;
  QuerySource queries = QuerySource::built_in(1);
  const LoadReport report = run_load(options, queries).value();
  EXPECT_EQ(report.answers, 0U);
  EXPECT_THAT(report.error_kinds, testing::ElementsAre(testing::Pair("deadline", 2U)));
}

TEST(LoadRun, OtherMachinesNeedAWord) {
  LoadOptions options;
  options.host = "192.0.2.1";
  QuerySource queries = QuerySource::built_in(1);
  const auto report = run_load(options, queries);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, core::ErrorCode::kPermissionDenied);
}

TEST(LoadRun, AServerThatIsNotThereEndsTheRun) {
  LoadOptions options;
  {
    FixedServer server("HTTP/1.1 200 OK", std::string(kGood));
    options = options_for(server);
  }
  QuerySource queries = QuerySource::built_in(1);
  const LoadReport report = run_load(options, queries).value();
  EXPECT_EQ(report.answers, 0U);
  EXPECT_EQ(report.errors, 1000U);
}

TEST(LoadRun, OptionsAreChecked) {
  QuerySource queries = QuerySource::built_in(1);
  LoadOptions options;
  options.clients = 0;
  EXPECT_EQ(run_load(options, queries).error().field, "clients");
  options = {};
  options.path_template = "search";
  EXPECT_EQ(run_load(options, queries).error().field, "path-template");
}

}  // namespace
}  // namespace scalestyle::load
