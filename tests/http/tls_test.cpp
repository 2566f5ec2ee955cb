#include <gtest/gtest.h>

#include <openssl/rand.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/server.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_gate.hpp"
#include "support/raw_client.hpp"
#include "support/temporary_folder.hpp"
#include "support/tls_client.hpp"
#include "support/tls_files.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::TlsClient;

const std::string kAsk = "GET /short HTTP/1.1\r\nHost: x\r\n\r\n";

// "/large" has a body of a megabyte, "/held" waits for the gate, all else is short.
class Answers final : public Application {
 public:
  explicit Answers(const core::Clock& clock) : clock_(clock) {}
  Call begin(Request request) override {
    const auto deadline = core::Deadline::after(seconds(10), clock_);
    if (request.target == "/held") return Call{.request_id = "r", .route = "none", .deadline = deadline, .work = held()};
    return Call{.request_id = "r", .route = "none", .deadline = deadline,
                .work = json_response(request.target == "/large" ? std::string(1'000'000, 'x') : request.peer + " " + request.body)};
  }
  Response refuse(const ApiError& error, std::string_view request_id) override { return error_response(error, request_id); }
  void finished(const FinishedCall& call) override { gone += call.status == 0 ? 1 : 0; }
  void begin_drain() override {}

  support::FakeGate gate;
  std::atomic<int> gone{0};

 private:
  Work held() {
    co_await gate.pass();
    co_return json_response("{}");
  }
  const core::Clock& clock_;
};

class Tls : public testing::Test {
 protected:
  Tls() : files_(support::write_tls_files(folder_.path(), "first")) {}
  ~Tls() override {
    application_.gate.release();
    if (server_ == nullptr) return;
    server_->begin_drain();
    thread_.join();
  }

  void start(ServerOptions options = {}) {
    options.port = 0;
    options.tls_certificate = files_.certificate;
    options.tls_key = files_.key;
    server_ = Server::open(options, {application_, clock_, metrics_, log_}).value();
    thread_ = std::thread([this] { server_->run(); });
  }
  [[nodiscard]] TlsClient connect(const TlsClient::Options& options = {}) { return TlsClient(server_->port(), options); }
  [[nodiscard]] bool serves() {
    TlsClient client = connect();
    return client.is_open() && client.send(kAsk) && client.read().has_value();
  }
  // Waits until new connections see a certificate of this name.
  [[nodiscard]] bool shown(const std::string& name) {
    for (int i = 0; i < 200; ++i) {
      if (connect().server_name() == name) return true;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return false;
  }
  [[nodiscard]] bool counted(const std::string& metric) {
    for (int i = 0; i < 200; ++i) {
      if (metrics_.render().find(metric) != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return false;
  }

  support::TemporaryFolder folder_;
  support::TlsFiles files_;
  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_};
  Answers application_{clock_};
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(Tls, RequestsAreAnsweredOneAfterAnother) {
  start();
  TlsClient client = connect({.protocol = "http/1.1"});
  ASSERT_TRUE(client.is_open());
  EXPECT_EQ(client.version(), "TLSv1.3");
  EXPECT_EQ(client.protocol(), "http/1.1");
  for (int i = 0; i < 3; ++i) {
    client.send("POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    const auto response = client.read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "127.0.0.1 hello");
  }
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n" + kAsk);
  EXPECT_EQ(client.read().value().body.size(), 1'000'000U);
  EXPECT_EQ(client.read().value().status, 200) << "pipelined";
  client.send("GET /short HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read().value().status, 200);
  EXPECT_TRUE(client.ends_orderly()) << "the end is told, so that a cut can be known";
}

TEST_F(Tls, OldVersionsWeakCiphersAndOtherProtocolsAreRefused) {
  start();
  EXPECT_FALSE(connect({.least_version = TLS1_VERSION, .most_version = TLS1_1_VERSION}).is_open());
  EXPECT_FALSE(connect({.most_version = TLS1_2_VERSION, .ciphers = "AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA"}).is_open());
  EXPECT_FALSE(connect({.protocol = "h2"}).is_open());
  EXPECT_TRUE(connect({.most_version = TLS1_2_VERSION}).is_open());
  EXPECT_TRUE(connect({}).protocol().empty()) << "who offers no protocol is served";
}

TEST_F(Tls, ANewPairIsTakenIntoUseAndADamagedOneIsNot) {
  start();
  TlsClient old = connect();
  EXPECT_EQ(old.server_name(), "first");
  const auto second = support::write_tls_files(folder_.path(), "second");
  std::filesystem::rename(second.certificate, files_.certificate);  // for a while it has the key of the first
  EXPECT_TRUE(counted("scalestyle_http_tls_reload_failures_total 1"));
  EXPECT_EQ(connect().server_name(), "first");
  std::filesystem::rename(second.key, files_.key);
  EXPECT_TRUE(shown("second"));
  old.send(kAsk);
  EXPECT_EQ(old.read().value().status, 200) << "connections go on with the pair that they began with";
  std::ofstream(files_.certificate) << "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
  EXPECT_TRUE(counted("scalestyle_http_tls_reload_failures_total 2"));
  EXPECT_EQ(connect().server_name(), "second");
  std::filesystem::remove(files_.certificate);
  EXPECT_TRUE(counted("scalestyle_http_tls_reload_failures_total 3"));
  const auto third = support::write_tls_files(folder_.path(), "third");
  std::filesystem::rename(third.key, files_.key);
  std::filesystem::rename(third.certificate, files_.certificate);
  EXPECT_TRUE(shown("third"));
}

TEST_F(Tls, GarbageAndPlainRequestsEndTheirConnectionOnly) {
  start();
  std::string noise(4'096, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(noise.data()), static_cast<int>(noise.size()));
  for (const std::string& bytes :
       {kAsk, noise, std::string("\x16\x03\x01\xff\xff", 5) + noise, std::string("\x16\x03\x01\x00\x05hello", 10)}) {
    support::RawClient client(server_->port());
    client.send(bytes);
    client.end_sending();
    const auto [told, orderly] = client.read_to_end();
    EXPECT_EQ(told.find("HTTP/"), std::string::npos) << "nothing is answered outside of TLS";
  }
  EXPECT_TRUE(serves());
  EXPECT_TRUE(counted("scalestyle_http_tls_handshakes_failed_total 4"));
}

TEST_F(Tls, SlowHandshakesAreCutOffAndTheirNumberIsLimited) {
  ServerOptions options;
  options.handshake_timeout = milliseconds(4'000);
  options.max_handshakes = 4;
  start(options);
  std::vector<support::RawClient> silent;
  for (int i = 0; i < 4; ++i) silent.emplace_back(server_->port());
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_FALSE(serves()) << "a fifth handshake at once";
  for (auto& client : silent) EXPECT_TRUE(client.closed_within(seconds(20)));
  EXPECT_TRUE(serves());
}

TEST_F(Tls, AClientThatEndsGivesUpItsAnswer) {
  start();
  application_.gate.hold();
  {
    TlsClient client = connect();
    client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(100));
    client.close();
  }
  for (int i = 0; i < 100 && application_.gone.load() == 0; ++i) std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(application_.gone.load(), 1);
}

TEST_F(Tls, ReadersThatDoNotReadAreCutOff) {
  ServerOptions options;
  options.write_timeout = milliseconds(400);
  start(options);
  TlsClient client = connect();
  for (int i = 0; i < 100; ++i) client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(1'500));
  int answers = 0;
  while (client.read()) ++answers;
  EXPECT_LT(answers, 100);
  EXPECT_TRUE(serves());
}

TEST_F(Tls, WhatCannotBeUsedIsToldAtTheStart) {
  const auto other = support::write_tls_files(folder_.path(), "other");
  const auto field = [&](const std::string& certificate, const std::string& key) {
    ServerOptions options;
    options.port = 0;
    options.tls_certificate = certificate;
    options.tls_key = key;
    const auto opened = Server::open(options, {application_, clock_, metrics_, log_});
    return opened ? std::string("opened") : opened.error().field;
  };
  EXPECT_EQ(field(files_.certificate, files_.key), "opened");
  EXPECT_EQ(field(files_.certificate, ""), "tls_key");
  EXPECT_EQ(field("", files_.key), "tls_certificate");
  EXPECT_EQ(field(folder_.path() / "none", files_.key), "tls_certificate");
  EXPECT_EQ(field(folder_.path(), files_.key), "tls_certificate");
  EXPECT_EQ(field(files_.certificate, other.key), "tls_key") << "of another certificate";
  EXPECT_EQ(field(files_.certificate, files_.certificate), "tls_key");
}

}  // namespace
}  // namespace scalestyle::http
