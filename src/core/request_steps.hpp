#pragma once
// RequestSteps: how long the steps of the request path took in this process, added up: what telemetry::StepMetrics shows and
// scripts/profile_search.py makes a table of. The stages of a search (search/answer.hpp) are measured apart; these are the steps
// before, between, inside and after them, most of them too short for a histogram each.
//
// A mark is a read of the steady clock and one addition: some tens of nanoseconds. One total for the process, as the steps belong to
// code that knows no registry. Thread safety: every method may be called from any thread.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scalestyle::core {

enum class RequestStep : std::uint8_t {
  kRead,       // from a request's first bytes, read, to its header, parsed
  kBegin,      // trace, route, keys, limits, parameters: until its work begins or its answer is there
  kParameters, // the last of these alone
  kToWorker,   // a search waits for a worker and is resumed there
  kBatchWait,  // a query waits until a batch takes it
  kTokenize,   // of the texts of a batch
  kModel,      // the encoder's computation
  kScan,       // of the narrow vectors
  kRescore,    // in f32, of what the scan left
  kBatchBack,  // from the end of the batch until the search goes on
  kRecord,     // metrics, spans, and the impression noted, of an answer that is ready
  kJson,       // the answer's text
  kBack,       // from the end of a work until the I/O thread has its result
  kWrite,      // header made, both written to the socket
};
inline constexpr std::size_t kRequestStepCount = 14;
// "read", "begin", "parameters", "to_worker" …
[[nodiscard]] std::string_view to_string(RequestStep step);

class RequestSteps {
 public:
  void add(RequestStep step, std::chrono::nanoseconds took) {
    nanoseconds_[static_cast<std::size_t>(step)].value.fetch_add(took.count(), std::memory_order_relaxed);
  }
  [[nodiscard]] std::chrono::nanoseconds total(RequestStep step) const {
    return std::chrono::nanoseconds(nanoseconds_[static_cast<std::size_t>(step)].value.load(std::memory_order_relaxed));
  }

 private:
  struct alignas(64) Total {  // of different threads: no two on one cache line
    std::atomic<std::int64_t> value{0};
  };
  std::array<Total, kRequestStepCount> nanoseconds_{};
};

// Of this process.
[[nodiscard]] RequestSteps& request_steps();

// Measures its own scope.
class StepTimer {
 public:
  explicit StepTimer(RequestStep step) : step_(step), begun_(std::chrono::steady_clock::now()) {}
  StepTimer(const StepTimer&) = delete;
  StepTimer& operator=(const StepTimer&) = delete;
  ~StepTimer() { request_steps().add(step_, std::chrono::steady_clock::now() - begun_); }

 private:
  RequestStep step_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace scalestyle::core
