#pragma once
// InferenceApi: the application of the inference role, models over HTTP and nothing else. Routes of text-embeddings-inference
// (/embed, /rerank, /info, /health), of OpenAI (/v1/embeddings, /v1/chat/completions, /v1/models), of text-generation-inference
// (/generate) and our own (/embed_image); /live, /ready and /metrics as every role has them.
//
// `X-Request-Timeout-Ms` is the time that the client gives an answer; what it cannot get in that time is not computed. Who closes
// the connection has its request dropped. Where keys are in force, /metrics needs a server key with the scope admin, the probes
// none, all else one with the scope search. `traceparent` (W3C Trace Context) goes into the logs.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "http/access_control.hpp"
#include "http/application.hpp"
#include "http/audit_log.hpp"
#include "http/http_metrics.hpp"
#include "http/inference_routes.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

class InferenceApi final : public Application {
 public:
  struct Options {
    std::string version = "0";
    std::string pooling = "cls";            // of the text model, for /info
    std::size_t max_batch_tokens = 16'384;  // for /info; the queue's before the encoder
    std::size_t max_connections = 1'024;    // for /info
    std::size_t max_text_body_bytes = 4 << 20;
    std::size_t max_image_body_bytes = 32 << 20;
    std::chrono::milliseconds default_deadline{30'000};  // of a request that does not say
    std::chrono::milliseconds max_deadline{300'000};
    InferenceRoutes::Options routes{};
  };
  struct Dependencies {
    InferenceModels models;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
    const AccessControl* access = nullptr;  // null: everybody may do everything
    AuditLog* audit = nullptr;              // null: refused scrapes are not told
  };

  // Must outlive the server and every work: destroy it after the pool's and the timers' threads have ended.
  InferenceApi(Dependencies dependencies, Options options);

  // Until this is called /ready and /health answer 503: models are being warmed. Any thread.
  void mark_warm() { warm_.store(true); }

  [[nodiscard]] Call begin(Request request) override;
  [[nodiscard]] std::optional<std::size_t> body_limit(Method method, std::string_view target) override;
  [[nodiscard]] Response refuse(const ApiError& error, std::string_view request_id) override;
  void finished(const FinishedCall& call) override;
  void begin_drain() override { draining_.store(true); }

 private:
  [[nodiscard]] std::optional<Response> refusal(const Request& request, InferenceRoute route, Call& call) const;
  [[nodiscard]] Call compute(Request request, InferenceRoute route, Call call);
  [[nodiscard]] core::Result<core::Deadline> deadline_of(const Request& request) const;
  [[nodiscard]] Response ready() const;
  [[nodiscard]] std::string info() const;
  [[nodiscard]] ServedModels served() const;
  [[nodiscard]] Work render_metrics(core::Deadline deadline);

  Dependencies use_;
  Options options_;
  InferenceRoutes routes_;
  HttpMetrics http_metrics_;
  std::atomic<bool> warm_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace scalestyle::http
