#pragma once
// OtlpExporter: sends spans to a collector (OTLP/HTTP, JSON), in batches, beside everything else.
//
// take() puts spans into a bounded queue and never waits; what does not fit is dropped and counted. One thread, given to run(),
// makes the bodies and posts them, one at a time, each within its deadline. A collector that is away, busy (429) or broken (502,
// 503, 504) is tried again with growing pauses, or when it says (Retry-After), while the queue fills; what it refuses
// otherwise is dropped and counted. The first failure and the recovery are logged.
//
// Source: OpenTelemetry Protocol Specification 1.x, "OTLP/HTTP Response" and "OTLP/HTTP Throttling".
// Thread safety: take() and stop() from any thread; run() by one. Destroy it after run() has returned.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/otlp_json.hpp"
#include "telemetry/span.hpp"

namespace scalestyle::telemetry {

// Posts a body to the collector. Whoever implements it knows the address and speaks HTTP.
class OtlpTransport {
 public:
  struct Answer {
    int status = 0;
    std::optional<std::chrono::seconds> retry_after{};  // where the collector says it
  };
  virtual ~OtlpTransport() = default;

  // Any status is a success of the call. It must end by its deadline. Errors: whatever kept it from being answered.
  [[nodiscard]] virtual core::Task<core::Result<Answer>> post(std::string json, core::Deadline deadline) = 0;
};

class OtlpExporter final : public SpanSink {
 public:
  struct Options {
    OtlpResource resource{};
    std::size_t max_queued_spans = 8'192;
    std::size_t max_batch_spans = 512;
    std::chrono::milliseconds interval{1'000};       // spans wait no longer for company
    std::chrono::milliseconds post_timeout{5'000};
    std::chrono::milliseconds first_pause{500};      // after a failure; doubles up to the longest
    std::chrono::milliseconds longest_pause{30'000};
    std::chrono::milliseconds flush_timeout{2'000};  // of what is queued when it is stopped

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    OtlpTransport& transport;
    const core::Clock& clock;
    Metrics& metrics;
    Logger& log;
  };

  // `options` must be valid.
  OtlpExporter(Dependencies dependencies, Options options);
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  void take(std::vector<Span> spans) override;

  // Sends until stop(), then what is queued, for flush_timeout at most; the rest is dropped and counted.
  void run();
  void stop();

  // One batch, where something is queued; what the next should wait for. For run(), and for tests.
  [[nodiscard]] std::chrono::milliseconds send_once(core::Deadline deadline);

  [[nodiscard]] std::size_t queued() const;

 private:
  enum class Outcome : std::uint8_t { kTaken, kAgain, kRefused };

  [[nodiscard]] std::vector<Span> next_batch();
  void give_back(std::vector<Span> batch);
  [[nodiscard]] Outcome judge(const core::Result<OtlpTransport::Answer>& answer, std::string& trouble) const;
  [[nodiscard]] std::chrono::milliseconds pause_for(const core::Result<OtlpTransport::Answer>& answer);
  void note(Outcome outcome, std::size_t spans, const std::string& trouble);
  void flush();

  Dependencies use_;
  const Options options_;
  Counter exported_;
  Counter queue_full_;
  Counter refused_;
  Counter at_shutdown_;
  Counter failures_;
  Gauge queue_depth_;

  // Touched by the thread of run() alone.
  std::chrono::milliseconds pause_{0};
  std::string told_;  // the trouble that was logged; empty: none

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Span> queue_;  // guarded by mutex_, as below
  bool stopping_ = false;
};

}  // namespace scalestyle::telemetry
