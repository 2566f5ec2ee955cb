#include "adapters/remote_inference/endpoint_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::adapters::remote_inference {

std::string_view to_string(EndpointState state) {
  switch (state) {
    case EndpointState::kUnchecked:
      return "unchecked";
    case EndpointState::kServing:
      return "serving";
    case EndpointState::kEjected:
      return "ejected";
  }
  return "unchecked";
}

EndpointPool::EndpointPool(std::string name, std::vector<std::string> urls, EndpointOptions options, Dependencies dependencies)
    : name_(std::move(name)), options_(options), use_(dependencies), retry_budget_({.per_call = options.retries_per_call, .reserve = options.retry_reserve}) {
  for (std::string& url : urls) {
    Endpoint endpoint;
    endpoint.url = std::move(url);
    if (use_.metrics != nullptr) {
      const telemetry::Labels labels{{"model", name_}, {"endpoint", endpoint.url}};
      endpoint.calls = use_.metrics->counter({"scalestyle_remote_inference_calls_total", "Calls sent to an endpoint.", labels});
      endpoint.failed =
          use_.metrics->counter({"scalestyle_remote_inference_failures_total", "Calls that an endpoint failed.", labels});
      endpoint.ejected =
          use_.metrics->counter({"scalestyle_remote_inference_ejections_total", "Ejections of an endpoint.", labels});
      endpoint.serving =
          use_.metrics->gauge({"scalestyle_remote_inference_serving", "1 while an endpoint is checked and not ejected.", labels});
    }
    endpoints_.push_back(std::move(endpoint));
  }
  if (use_.metrics != nullptr) {
    retries_ = use_.metrics->counter(
        {"scalestyle_remote_inference_retries_total", "Calls sent again to another endpoint.", {{"model", name_}}});
  }
}

std::optional<EndpointPool::Lease> EndpointPool::acquire(const std::vector<std::size_t>& tried) {
  const std::lock_guard lock(mutex_);
  return take(tried, false);
}

std::optional<EndpointPool::Lease> EndpointPool::acquire_unchecked(const std::vector<std::size_t>& tried) {
  const std::lock_guard lock(mutex_);
  return take(tried, true);
}

std::optional<EndpointPool::Lease> EndpointPool::take(const std::vector<std::size_t>& tried, bool only_unchecked) {
  const core::SteadyTime now = use_.clock.steady_now();
  Endpoint* best = nullptr;
  const auto is_better = [](const Endpoint& one, const Endpoint& other) {
    const bool one_serves = one.state == EndpointState::kServing;
    const bool other_serves = other.state == EndpointState::kServing;
    return one_serves != other_serves ? one_serves : one.outstanding < other.outstanding;
  };
  for (std::size_t step = 0; step < endpoints_.size(); ++step) {
    const std::size_t index = (next_ + step) % endpoints_.size();
    Endpoint& endpoint = endpoints_[index];
    if (endpoint.state == EndpointState::kEjected && now >= endpoint.until) endpoint.state = EndpointState::kUnchecked;
    if (endpoint.state == EndpointState::kEjected || endpoint.probing) continue;
    if (only_unchecked && endpoint.state == EndpointState::kServing) continue;
    if (std::ranges::find(tried, index) != tried.end()) continue;
    if (best == nullptr || is_better(endpoint, *best)) best = &endpoint;
  }
  if (best == nullptr) return std::nullopt;
  const auto index = static_cast<std::size_t>(best - endpoints_.data());
  next_ = (index + 1) % endpoints_.size();
  ++best->outstanding;
  best->calls.add();
  best->probing = best->state == EndpointState::kUnchecked;
  return Lease(*this, index, best->probing);
}

void EndpointPool::count_call() { retry_budget_.count_call(); }

bool EndpointPool::take_retry() {
  if (!retry_budget_.take()) return false;
  retries_.add();
  return true;
}

std::vector<EndpointStatus> EndpointPool::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<EndpointStatus> all;
  for (const Endpoint& endpoint : endpoints_) {
    all.push_back({endpoint.url, endpoint.state, endpoint.outstanding, endpoint.trouble});
  }
  return all;
}

bool EndpointPool::any_serving() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(endpoints_, [](const Endpoint& endpoint) { return endpoint.state == EndpointState::kServing; });
}

std::string EndpointPool::trouble() const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const Endpoint& endpoint : endpoints_) {
    if (!all.empty()) all += "; ";
    all += endpoint.url + ": " + (endpoint.trouble.empty() ? std::string(to_string(endpoint.state)) : endpoint.trouble);
  }
  return all;
}

void EndpointPool::end(std::size_t index) {
  Endpoint& endpoint = endpoints_[index];
  --endpoint.outstanding;
}

void EndpointPool::note_serving(Endpoint& endpoint) {
  const bool is_news = endpoint.state != EndpointState::kServing;
  endpoint.state = EndpointState::kServing;
  endpoint.probing = false;
  endpoint.failures = 0;
  endpoint.ejections = 0;
  endpoint.trouble.clear();
  endpoint.serving.set(1);
  if (is_news && use_.log != nullptr) {
    use_.log->info("an inference endpoint serves", {{"model", name_}, {"endpoint", endpoint.url}});
  }
}

void EndpointPool::eject(Endpoint& endpoint, const std::string& why) {
  const auto doublings = std::min<std::size_t>(endpoint.ejections, 20);
  const auto length = std::min(options_.first_ejection * (std::int64_t{1} << doublings), options_.longest_ejection);
  endpoint.state = EndpointState::kEjected;
  endpoint.probing = false;
  endpoint.until = use_.clock.steady_now() + length;
  endpoint.failures = 0;
  ++endpoint.ejections;
  endpoint.ejected.add();
  endpoint.serving.set(0);
  if (use_.log == nullptr) return;
  use_.log->warning("an inference endpoint is left alone for a while",
                    {{"model", name_}, {"endpoint", endpoint.url}, {"for_ms", length.count()}, {"cause", why}});
}

EndpointPool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), index_(other.index_), must_check_(other.must_check_) {}

const std::string& EndpointPool::Lease::url() const { return pool_->endpoints_[index_].url; }

void EndpointPool::Lease::checked() {
  const std::lock_guard lock(pool_->mutex_);
  must_check_ = false;
  pool_->note_serving(pool_->endpoints_[index_]);
}

void EndpointPool::Lease::succeed() {
  EndpointPool* const pool = std::exchange(pool_, nullptr);
  if (pool == nullptr) return;
  const std::lock_guard lock(pool->mutex_);
  pool->end(index_);
  Endpoint& endpoint = pool->endpoints_[index_];
  // A late success of a call that began before an ejection does not end it: the probe does.
  if (endpoint.state != EndpointState::kServing) return;
  endpoint.failures = 0;
  endpoint.trouble.clear();
}

void EndpointPool::Lease::fail(const std::string& why) {
  EndpointPool* const pool = std::exchange(pool_, nullptr);
  if (pool == nullptr) return;
  const std::lock_guard lock(pool->mutex_);
  pool->end(index_);
  Endpoint& endpoint = pool->endpoints_[index_];
  endpoint.trouble = why;
  endpoint.failed.add();
  if (endpoint.state == EndpointState::kEjected) return;
  ++endpoint.failures;
  if (must_check_ || endpoint.failures >= pool->options_.failures_to_eject) pool->eject(endpoint, why);
}

void EndpointPool::Lease::reject(const std::string& why) {
  EndpointPool* const pool = std::exchange(pool_, nullptr);
  if (pool == nullptr) return;
  const std::lock_guard lock(pool->mutex_);
  pool->end(index_);
  Endpoint& endpoint = pool->endpoints_[index_];
  endpoint.trouble = why;
  endpoint.failed.add();
  if (endpoint.state != EndpointState::kEjected) pool->eject(endpoint, why);
}

void EndpointPool::Lease::abandon() {
  EndpointPool* const pool = std::exchange(pool_, nullptr);
  if (pool == nullptr) return;
  const std::lock_guard lock(pool->mutex_);
  pool->end(index_);
  if (must_check_) pool->endpoints_[index_].probing = false;
}

}  // namespace scalestyle::adapters::remote_inference
