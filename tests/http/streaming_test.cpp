// Bodies that are made while they are sent, seen from an application whose stream waits at a gate before every piece.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/http_metrics.hpp"
#include "http/server.hpp"
#include "support/fake_gate.hpp"
#include "support/raw_client.hpp"

namespace scalestyle::http {
namespace {

using std::chrono::milliseconds;

struct StreamLog {
  std::array<support::FakeGate, 4> gates;  // of the pieces and the end; later ones share the last
  void hold() {
    for (auto& gate : gates) gate.hold();
  }
  void release() {
    for (auto& gate : gates) gate.release();
  }

  std::atomic<int> asked{0};
  std::atomic<int> stopped{0};    // a step that went on after its client had gone
  std::atomic<int> destroyed{0};
};

// Pieces "piece 0", "piece 1" …, each filled up to `piece_bytes`; then the end, or an error.
class NumberedStream final : public BodyStream {
 public:
  NumberedStream(StreamLog& log, int pieces, std::size_t piece_bytes, bool fails)
      : log_(log), pieces_(pieces), piece_bytes_(piece_bytes), fails_(fails) {}
  ~NumberedStream() override { ++log_.destroyed; }

  core::Task<core::Result<std::string>> next() override {
    ++log_.asked;
    co_await log_.gates[std::min<std::size_t>(static_cast<std::size_t>(made_), log_.gates.size() - 1)].pass();
    const std::stop_token stop = co_await core::current_stop_token();
    if (stop.stop_requested()) ++log_.stopped;
    if (made_ == pieces_) {
      if (fails_) co_return core::fail(core::ErrorCode::kUnavailable, "the model has gone");
      co_return std::string();
    }
    std::string piece = "piece " + std::to_string(made_++);
    piece.resize(std::max(piece.size(), piece_bytes_), '.');
    co_return piece;
  }

 private:
  StreamLog& log_;
  const int pieces_;
  const std::size_t piece_bytes_;
  const bool fails_;
  int made_ = 0;
};

class StreamingApplication final : public Application {
 public:
  StreamingApplication(const core::Clock& clock, telemetry::Metrics& metrics) : clock_(clock), metrics_(metrics) {}

  Call begin(Request request) override {
    Response response;
    response.content_type = "text/event-stream";
    response.stream = std::make_shared<NumberedStream>(log, pieces, piece_bytes, request.target == "/fail");
    return Call{.request_id = "r", .route = "/stream", .deadline = core::Deadline::after(deadline, clock_), .work = std::move(response)};
  }
  Response refuse(const ApiError& error, std::string_view request_id) override { return error_response(error, request_id); }
  void finished(const FinishedCall& call) override {
    metrics_.record(call);
    const std::lock_guard lock(mutex_);
    ends_.push_back(call.stream);
  }
  void begin_drain() override {}

  [[nodiscard]] std::vector<std::optional<StreamEnd>> ends() const {
    const std::lock_guard lock(mutex_);
    return ends_;
  }

  StreamLog log;
  milliseconds deadline{10'000};
  int pieces = 3;
  std::size_t piece_bytes = 0;

 private:
  const core::Clock& clock_;
  HttpMetrics metrics_;
  mutable std::mutex mutex_;
  std::vector<std::optional<StreamEnd>> ends_;
};

class Streaming : public testing::Test {
 protected:
  ~Streaming() override {
    application_.log.release();
    server_->begin_drain();
    thread_.join();
  }

  support::RawClient request(const std::string& line = "GET / HTTP/1.1") {
    support::RawClient client(server_->port());
    client.send(line + "\r\nHost: x\r\n\r\n");
    return client;
  }
  void wait_for_ends(std::size_t count) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (application_.ends().size() < count && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(milliseconds(1));
  }
  // How the only stream so far ended, once it has.
  std::optional<StreamEnd> end_of_stream() {
    wait_for_ends(1);
    return application_.ends().size() == 1 ? application_.ends().front() : std::nullopt;
  }
  static ServerOptions options() {
    ServerOptions limits;
    limits.port = 0;
    limits.answer_grace = milliseconds(1);
    limits.write_timeout = milliseconds(300);
    return limits;
  }

  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_};
  StreamingApplication application_{clock_, metrics_};
  std::unique_ptr<Server> server_ = Server::open(options(), {application_, clock_, metrics_, log_}).value();
  std::thread thread_{[this] { server_->run(); }};
};

TEST_F(Streaming, SendsEachPieceAsAChunkAndGoesOn) {
  support::RawClient client(server_->port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = client.read();
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->headers.at("Transfer-Encoding"), "chunked");
    EXPECT_EQ(head->headers.at("Content-Type"), "text/event-stream");
    EXPECT_EQ(head->headers.at("X-Accel-Buffering"), "no");
    EXPECT_EQ(head->headers.at("Connection"), "keep-alive");
    EXPECT_FALSE(head->headers.contains("Content-Length"));
    EXPECT_EQ(client.read_chunk(), "piece 0");
    EXPECT_EQ(client.read_chunk(), "piece 1");
    EXPECT_EQ(client.read_chunk(), "piece 2");
    EXPECT_EQ(client.read_chunk(), "");
  }
  wait_for_ends(2);
  const std::string shown = metrics_.render();
  EXPECT_NE(shown.find("scalestyle_http_streams_total{end=\"complete\",route=\"/stream\"} 2"), std::string::npos) << shown;
}

TEST_F(Streaming, HeaderAndPiecesLeaveAtOnce) {
  application_.log.hold();
  auto client = request();
  ASSERT_TRUE(client.read()) << "the header waits for no piece";
  for (int piece = 0; piece < 3; ++piece) {
    auto& gate = application_.log.gates[static_cast<std::size_t>(piece)];
    gate.wait_until_held(1);
    EXPECT_EQ(application_.log.asked, piece + 1);
    gate.release();
    EXPECT_EQ(client.read_chunk(), "piece " + std::to_string(piece));
  }
}

TEST_F(Streaming, OldClientsReadToTheEndOfTheConnection) {
  auto client = request("GET / HTTP/1.0\r\nConnection: keep-alive");
  const auto head = client.read();
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->headers.contains("Transfer-Encoding"));
  EXPECT_EQ(head->headers.at("Connection"), "close");
  const auto [body, orderly] = client.read_to_end();
  EXPECT_EQ(body, "piece 0piece 1piece 2");
  EXPECT_TRUE(orderly);
}

TEST_F(Streaming, OldClientsSeeThatAPieceIsMissing) {
  auto client = request("GET /fail HTTP/1.0");
  const auto [answer, orderly] = client.read_to_end();
  EXPECT_FALSE(orderly);
  EXPECT_EQ(end_of_stream(), StreamEnd::kFailed);
}

TEST_F(Streaming, ErrorEndsTheConnectionWithoutALastChunk) {
  auto client = request("GET /fail HTTP/1.1");
  ASSERT_TRUE(client.read());
  for (int piece = 0; piece < 3; ++piece) EXPECT_TRUE(client.read_chunk());
  EXPECT_FALSE(client.read_chunk());
  EXPECT_TRUE(client.closed_within(milliseconds(3'000)));
  EXPECT_EQ(end_of_stream(), StreamEnd::kFailed);
}

TEST_F(Streaming, HeadHasNoBodyAndTheConnectionGoesOn) {
  auto client = request("HEAD / HTTP/1.1");
  ASSERT_TRUE(client.read(true));
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(client.read());
  EXPECT_EQ(client.read_chunk(), "piece 0");
}

TEST_F(Streaming, LateStreamIsDropped) {
  application_.log.hold();
  application_.deadline = milliseconds(50);
  auto client = request();
  ASSERT_TRUE(client.read());
  EXPECT_FALSE(client.read_chunk());
  EXPECT_EQ(end_of_stream(), StreamEnd::kLate);
  EXPECT_EQ(application_.log.destroyed, 0) << "a step is in progress";
  application_.log.release();
  EXPECT_EQ(application_.log.stopped, 1);
  EXPECT_EQ(application_.log.destroyed, 1);
}

TEST_F(Streaming, EndlessStreamEndsAtTheDeadline) {
  application_.pieces = 1'000'000'000;
  application_.deadline = milliseconds(50);
  auto client = request();
  ASSERT_TRUE(client.read());
  while (client.read_chunk()) continue;
  EXPECT_EQ(end_of_stream(), StreamEnd::kLate);
}

TEST_F(Streaming, ClientThatGoesStopsTheMaking) {
  application_.log.hold();
  {
    auto client = request();
    ASSERT_TRUE(client.read());
    application_.log.gates[0].wait_until_held(1);
  }
  EXPECT_EQ(end_of_stream(), StreamEnd::kGone);
  application_.log.release();
  EXPECT_EQ(application_.log.stopped, 1);
  EXPECT_EQ(application_.log.asked, 1);
  EXPECT_EQ(application_.log.destroyed, 1);
}

TEST_F(Streaming, SlowReaderHoldsUpTheMakingAndIsCutOff) {
  application_.pieces = 1'000;
  application_.piece_bytes = 1024 * 1024;
  auto client = request();
  EXPECT_EQ(end_of_stream(), StreamEnd::kSlowReader);
  EXPECT_LT(application_.log.asked, 100) << "more than both sockets buffer was made";
  EXPECT_EQ(application_.log.destroyed, 1);
}

TEST_F(Streaming, EndsBeforeADrainingServer) {
  application_.log.hold();
  auto client = request();
  ASSERT_TRUE(client.read());
  application_.log.gates[0].wait_until_held(1);
  server_->begin_drain();
  application_.log.release();
  for (int piece = 0; piece < 3; ++piece) EXPECT_EQ(client.read_chunk(), "piece " + std::to_string(piece));
  EXPECT_EQ(client.read_chunk(), "");
  EXPECT_TRUE(client.closed_within(milliseconds(3'000)));
}

}  // namespace
}  // namespace scalestyle::http
