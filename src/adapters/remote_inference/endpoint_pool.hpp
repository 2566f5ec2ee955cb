#pragma once
// EndpointPool: which of several equal servers a call goes to, and which are left alone for a while.
//
// A call goes to the endpoint with the fewest calls in progress; among equal ones they take turns. One that fails several times
// in a row is ejected: for a time that doubles with each ejection, then one call alone, the probe, is let through (half-open);
// its success brings the endpoint back, its failure ejects it again. An endpoint that has not been checked yet, at the start or
// after it was ejected, has to be: who holds a lease that `must_check` asks it who it is first. One that is another model than
// wanted is ejected at once. Calls go to such an endpoint only where no other serves: the owner probes on their behalf
// (acquire_unchecked()). Retries are paid from a budget that calls fill: so much of a retry each, and a small reserve.
//
// Pure bookkeeping: it sends nothing and keeps no time but the clock's. Thread safety: every method may be called from any
// thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/retry_budget.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::remote_inference {

struct EndpointOptions {
  std::size_t failures_to_eject = 3;  // in a row
  std::chrono::milliseconds first_ejection{500};
  std::chrono::milliseconds longest_ejection{5'000};
  double retries_per_call = 0.1;
  double retry_reserve = 3;  // retries at hand at the start, and at most
};

enum class EndpointState : std::uint8_t {
  kUnchecked,  // not known yet, or back after its ejection ended
  kServing,
  kEjected,
};
[[nodiscard]] std::string_view to_string(EndpointState state);

struct EndpointStatus {
  std::string url;
  EndpointState state = EndpointState::kUnchecked;
  std::size_t outstanding = 0;
  std::string trouble{};  // the last failure; empty while it serves
};

class EndpointPool {
 public:
  struct Dependencies {
    const core::Clock& clock;
    telemetry::Metrics* metrics = nullptr;  // null: nothing is counted
    telemetry::Logger* log = nullptr;       // null: nothing is told
  };
  // `name` ("text", "pair", "picture") is the label of its metrics. At least one url.
  EndpointPool(std::string name, std::vector<std::string> urls, EndpointOptions options, Dependencies dependencies);
  EndpointPool(const EndpointPool&) = delete;
  EndpointPool& operator=(const EndpointPool&) = delete;

  // A place at an endpoint, held while its call is in progress. Ended exactly once by succeed(), fail(), reject() or abandon(); a
  // lease that is dropped is abandoned.
  class Lease {
   public:
    Lease(EndpointPool& pool, std::size_t index, bool must_check) : pool_(&pool), index_(index), must_check_(must_check) {}
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease() { abandon(); }

    [[nodiscard]] const std::string& url() const;
    [[nodiscard]] std::size_t index() const { return index_; }
    [[nodiscard]] bool must_check() const { return must_check_; }

    void checked();                       // it is what is wanted; the lease goes on
    void succeed();                       // it answered as it should, be it that the request was wrong
    void fail(const std::string& why);    // it did not
    void reject(const std::string& why);  // it is another model
    void abandon();                       // nothing was learned: the caller went away, its time was too short

   private:
    EndpointPool* pool_;  // null once it has ended
    std::size_t index_;
    bool must_check_;
  };

  // The endpoint for the next call, without those in `tried`. Nothing where all others are ejected or being probed.
  [[nodiscard]] std::optional<Lease> acquire(const std::vector<std::size_t>& tried = {});
  // One that has to be checked and may be now, without those in `tried`.
  [[nodiscard]] std::optional<Lease> acquire_unchecked(const std::vector<std::size_t>& tried = {});

  // Counts a call, which pays into the budget of retries.
  void count_call();
  // Takes one retry from the budget; false when it is used up.
  [[nodiscard]] bool take_retry();

  [[nodiscard]] std::size_t size() const { return endpoints_.size(); }
  [[nodiscard]] std::vector<EndpointStatus> status() const;
  [[nodiscard]] bool any_serving() const;
  // Why there is no endpoint to go to: each with its last failure.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Endpoint {
    std::string url;
    EndpointState state = EndpointState::kUnchecked;
    std::size_t outstanding = 0;
    std::size_t failures = 0;   // in a row
    std::size_t ejections = 0;  // in a row
    bool probing = false;       // one call alone is at it
    core::SteadyTime until{};   // of an ejection
    std::string trouble{};
    telemetry::Counter calls{};
    telemetry::Counter failed{};
    telemetry::Counter ejected{};
    telemetry::Gauge serving{};
  };

  // Under the lock, as those below. Better is: serving before unchecked, then fewer calls in progress.
  [[nodiscard]] std::optional<Lease> take(const std::vector<std::size_t>& tried, bool only_unchecked);
  void end(std::size_t index);
  void eject(Endpoint& endpoint, const std::string& why);
  void note_serving(Endpoint& endpoint);

  const std::string name_;
  const EndpointOptions options_;
  const Dependencies use_;
  telemetry::Counter retries_;

  mutable std::mutex mutex_;
  std::vector<Endpoint> endpoints_;  // the urls do not change; the rest is guarded by mutex_, as all below
  std::size_t next_ = 0;             // where to begin looking
  core::RetryBudget retry_budget_;
};

}  // namespace scalestyle::adapters::remote_inference
