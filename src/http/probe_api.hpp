#pragma once
// ProbeApi: the routes of a process that serves no shopper (a consumer): GET /live, /ready, /health (as /ready) and /metrics.
// What makes it live and ready is its owner's to say.

#include <atomic>
#include <functional>
#include <string>

#include "core/worker_pool.hpp"
#include "http/application.hpp"
#include "http/http_metrics.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

struct ProbeAnswer {
  bool ok = false;     // 200, else 503
  std::string json{};  // the body
};

class ProbeApi final : public Application {
 public:
  // Called on the I/O thread: must not wait.
  using Probe = std::function<ProbeAnswer()>;
  struct Dependencies {
    core::WorkerPool& pool;
    telemetry::Metrics& metrics;
    Probe live;
    Probe ready;
  };

  // Must outlive the server, and every work: destroy it after the pool's threads have ended.
  explicit ProbeApi(Dependencies dependencies) : use_(std::move(dependencies)), http_metrics_(use_.metrics) {}

  [[nodiscard]] Call begin(Request request) override;
  [[nodiscard]] Response refuse(const ApiError& error, std::string_view request_id) override;
  void finished(const FinishedCall& call) override { http_metrics_.record(call); }
  void begin_drain() override { draining_.store(true); }

 private:
  [[nodiscard]] Work render_metrics(core::Deadline deadline);

  Dependencies use_;
  HttpMetrics http_metrics_;
  std::atomic<bool> draining_{false};
};

}  // namespace scalestyle::http
