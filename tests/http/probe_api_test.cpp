#include "http/probe_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "http/dependency_state.hpp"
#include "http/json_writer.hpp"
#include "http/server.hpp"
#include "support/compute_threads.hpp"
#include "support/raw_client.hpp"

namespace scalestyle::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ProbeApiTest : public testing::Test {
 protected:
  ProbeApiTest() {
    server_ = Server::open({.port = 0}, {api_, compute_.clock(), metrics_, log_}).value();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~ProbeApiTest() override {
    server_->begin_drain();
    thread_.join();
    compute_.stop();
  }
  [[nodiscard]] std::string ask(const std::string& target, const std::string& method = "GET") {
    support::RawClient client(server_->port());
    client.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.read_to_end().first;
  }

  support::ComputeThreads compute_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, compute_.clock()};
  std::atomic<bool> healthy_{true};
  ProbeApi api_{{.pool = compute_.pool(), .metrics = metrics_,
                 .live = [] { return ProbeAnswer{true, R"({"live":true})"}; },
                 .ready = [this] { return ProbeAnswer{healthy_.load(), healthy_.load() ? R"({"healthy":true})" : R"({"healthy":false})"}; }}};
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ProbeApiTest, AnswersWhatItsOwnerSays) {
  EXPECT_THAT(ask("/live"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("/ready"), HasSubstr(R"({"healthy":true})"));
  healthy_.store(false);
  EXPECT_THAT(ask("/ready"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask("/health"), HasSubstr(R"({"healthy":false})"));
  EXPECT_THAT(ask("/live"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ProbeApiTest, ShowsMetricsAndRefusesTheRest) {
  metrics_.counter({"probe_test_total", "Of the test."}).add();
  EXPECT_THAT(ask("/metrics"), HasSubstr("probe_test_total 1"));
  EXPECT_THAT(ask("/search?query=x"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("/live", "POST"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ask("/live/", "GET"), StartsWith("HTTP/1.1 404"));
}

TEST(DependencyStates, NameWhatIsDown) {
  JsonWriter json;
  write_dependencies(json, {{"features", "redis", ""}, {"events", "kafka", "no broker", "open"}});
  EXPECT_EQ(std::move(json).take(), R"([{"name":"features","engine":"redis","status":"ok"},)"
                                    R"({"name":"events","engine":"kafka","status":"down","cause":"no broker","breaker":"open"}])");
}

}  // namespace
}  // namespace scalestyle::http
