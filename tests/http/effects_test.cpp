// What the server does with works that change something, seen from an application that is asked to stop or is not.

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "http/server.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_gate.hpp"
#include "support/raw_client.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;

// Answers when the gate lets it; notes whether it had been asked to stop by then.
class GatedApplication final : public Application {
 public:
  GatedApplication(const core::Clock& clock, bool has_effects) : clock_(clock), has_effects_(has_effects) {}

  Call begin(Request request) override {
    return Call{.request_id = "r", .route = "none", .deadline = core::Deadline::after(deadline, clock_), .has_effects = has_effects_,
                .work = work(request.target == "/fail")};
  }
  Response refuse(const ApiError& error, std::string_view request_id) override { return error_response(error, request_id); }
  void finished(const FinishedCall& call) override {
    last_status = call.status;
    ++finished_calls;
  }
  void begin_drain() override {}

  support::FakeGate gate;
  milliseconds deadline{10'000};
  std::atomic<int> ended{0};
  std::atomic<int> stopped{0};
  std::atomic<int> finished_calls{0};
  std::atomic<int> last_status{-1};

 private:
  Work work(bool fails) {
    co_await gate.pass();
    const std::stop_token stop = co_await core::current_stop_token();
    if (stop.stop_requested()) ++stopped;
    ++ended;
    if (fails) co_return core::fail(core::ErrorCode::kInternal, "broken");
    co_return json_response("{}");
  }

  const core::Clock& clock_;
  const bool has_effects_;
};

class Effects : public testing::TestWithParam<bool> {
 protected:
  ~Effects() override { end(); }

  void end() {
    application_.gate.release();
    if (!thread_.joinable()) return;
    server_->begin_drain();
    thread_.join();
  }
  support::RawClient request(const std::string& target = "/") {
    support::RawClient client(server_->port());
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client;
  }
  void wait_until_finished(int calls) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (application_.finished_calls < calls && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(milliseconds(1));
    ASSERT_EQ(application_.finished_calls, calls);
  }
  static ServerOptions options() {
    ServerOptions limits;
    limits.port = 0;
    limits.answer_grace = milliseconds(1);
    limits.drain_timeout = milliseconds(100);
    return limits;
  }

  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_};
  GatedApplication application_{clock_, GetParam()};
  std::unique_ptr<Server> server_ = Server::open(options(), {application_, clock_, metrics_, log_}).value();
  std::thread thread_{[this] { server_->run(); }};
};

TEST_P(Effects, OfALateWorkAreUnknown) {
  application_.gate.hold();
  application_.deadline = milliseconds(50);
  auto client = request();
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  const auto error = boost::json::parse(response->body).at("error").as_object();
  EXPECT_EQ(error.at("code").as_string(), "deadline_exceeded");
  EXPECT_EQ(error.contains("outcome"), GetParam());
  if (GetParam()) {
    EXPECT_EQ(error.at("outcome").as_string(), "unknown");
  }
  application_.gate.release();
  EXPECT_EQ(application_.ended, 1);
  EXPECT_EQ(application_.stopped, GetParam() ? 0 : 1);
}

TEST_P(Effects, OfAClientThatGoes) {
  application_.gate.hold();
  {
    auto client = request();
    application_.gate.wait_until_held(1);
    client.reset();
  }
  if (!GetParam()) {
    wait_until_finished(1);
    EXPECT_EQ(application_.last_status, 0) << "gone";
  }
  application_.gate.release();
  wait_until_finished(1);
  EXPECT_EQ(application_.ended, 1);
  EXPECT_EQ(application_.stopped, GetParam() ? 0 : 1);
}

TEST_P(Effects, OfAServerThatEnds) {
  application_.gate.hold();
  auto client = request();
  application_.gate.wait_until_held(1);
  server_->begin_drain();
  thread_.join();
  application_.gate.release();
  EXPECT_EQ(application_.ended, 1);
  EXPECT_EQ(application_.stopped, GetParam() ? 0 : 1);
}

TEST_P(Effects, OfAWorkThatFailsAreUnknown) {
  auto client = request("/fail");
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 500);
  EXPECT_EQ(boost::json::parse(response->body).at("error").as_object().contains("outcome"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(WithAndWithout, Effects, testing::Bool());

}  // namespace
}  // namespace scalestyle::http
