#pragma once
// The inference role on a free port of the loopback interface, serving what a test gives it. Models that its threads compute with
// must outlive stop().

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "http/inference_api.hpp"
#include "http/server.hpp"
#include "support/compute_threads.hpp"
#include "support/raw_client.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::support {

class InferenceServer {
 public:
  explicit InferenceServer(std::size_t threads = 2, telemetry::LogLevel level = telemetry::LogLevel::kError)
      : threads_(threads), log_({level, telemetry::LogFormat::kHuman}, threads_.clock()) {}
  InferenceServer(const InferenceServer&) = delete;
  InferenceServer& operator=(const InferenceServer&) = delete;
  ~InferenceServer() { stop(); }

  // Before serve(): keys are in force.
  void guard(const http::AccessControl& access) { access_ = &access; }

  // Once. `warm`: ready at once. `port` 0: any free one.
  void serve(http::InferenceModels models, http::InferenceApi::Options options = {}, bool warm = true, std::uint16_t port = 0) {
    api_.emplace(http::InferenceApi::Dependencies{.models = models,
                                                  .pool = threads_.pool(),
                                                  .timers = threads_.timers(),
                                                  .clock = threads_.clock(),
                                                  .metrics = metrics_,
                                                  .log = log_,
                                                  .access = access_},
                 std::move(options));
    if (warm) api_->mark_warm();
    http::ServerOptions limits;
    limits.port = port;
    limits.answer_grace = std::chrono::milliseconds(2'000);  // the work tells that it is late, not the connection
    server_ = http::Server::open(limits, {*api_, threads_.clock(), metrics_, log_}).value();
    io_ = std::thread([this] { server_->run(); });
  }

  // Ends connections and threads; may be repeated.
  void stop() {
    if (io_.joinable()) {
      server_->begin_drain();
      io_.join();
    }
    if (!std::exchange(stopped_, true)) threads_.stop();
  }
  void begin_drain() { api_->begin_drain(); }
  void mark_warm() { api_->mark_warm(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::string url(const std::string& path = {}) const {
    return "http://127.0.0.1:" + std::to_string(port()) + path;
  }
  [[nodiscard]] ComputeThreads& threads() { return threads_; }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }
  [[nodiscard]] RawClient connect() const { return RawClient(port()); }

  // One request on a connection of its own.
  [[nodiscard]] RawResponse get(const std::string& target, const std::string& extra = {}) const {
    auto client = connect();
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n");
    return client.read().value_or(RawResponse{});
  }
  [[nodiscard]] static std::string post_text(const std::string& target, const std::string& body,
                                             const std::string& extra = "Content-Type: application/json\r\n") {
    return "POST " + target + " HTTP/1.1\r\nHost: x\r\n" + extra + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }
  [[nodiscard]] RawResponse post(const std::string& target, const std::string& body,
                                 const std::string& extra = "Content-Type: application/json\r\n") const {
    auto client = connect();
    client.send(post_text(target, body, extra));
    return client.read().value_or(RawResponse{});
  }

 private:
  telemetry::Metrics metrics_;
  ComputeThreads threads_;
  telemetry::Logger log_;
  const http::AccessControl* access_ = nullptr;
  std::optional<http::InferenceApi> api_;
  std::unique_ptr<http::Server> server_;
  std::thread io_;
  bool stopped_ = false;
};

}  // namespace scalestyle::support
