#pragma once
// An event log in memory. It completes appends at once, on the caller's thread, after handing the new events to
// on_append() (a test's consumer). Faults are set by the test; gate() delays calls, or keeps them from ever answering.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "events/event.hpp"
#include "ports/event_log.hpp"
#include "support/fake_gate.hpp"

namespace scalestyle::support {

class FakeEventLog final : public ports::EventLog {
 public:
  explicit FakeEventLog(std::string stream = "fake") : stream_(std::move(stream)) {}

  [[nodiscard]] core::Task<ports::AppendResult> append(std::vector<events::Event> batch, core::Deadline) override {
    co_await gate_.pass();
    std::vector<events::LoggedEvent> added;
    ports::AppendResult result;
    std::function<void(const std::vector<events::LoggedEvent>&)> consumer;
    {
      const std::lock_guard lock(mutex_);
      ++appends_;
      if (fault_ && !fault_keeps_) co_return std::unexpected(*fault_);
      result.emplace();
      for (auto& event : batch) result->push_back(keep(std::move(event), added));
      if (fault_) result = std::unexpected(*fault_);
      consumer = consumer_;
    }
    if (consumer && !added.empty()) consumer(added);
    co_return result;
  }

  [[nodiscard]] core::Task<ports::AppendResult> append_traced(std::vector<events::Event> batch, ports::TraceContext trace,
                                                              core::Deadline deadline) override {
    {
      const std::lock_guard lock(mutex_);
      last_trace_ = std::move(trace);
    }
    return append(std::move(batch), deadline);
  }
  [[nodiscard]] ports::TraceContext last_trace() const {
    const std::lock_guard lock(mutex_);
    return last_trace_;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<events::LoggedEvent>>> history(events::Subject subject,
                                                                                  std::int64_t after_offset,
                                                                                  std::size_t limit, core::Deadline) override {
    co_await history_gate_.pass();
    const std::lock_guard lock(mutex_);
    ++histories_;
    if (history_fault_) co_return std::unexpected(*history_fault_);
    std::int64_t barrier = -1;
    for (const auto& logged : events_) {
      if (logged.event.type == events::EventType::kForget && logged.event.subject() == subject) barrier = logged.position.offset;
    }
    std::vector<events::LoggedEvent> found;
    for (const auto& logged : events_) {
      if (found.size() == limit) break;
      const bool wanted = logged.position.offset > after_offset && logged.position.offset >= barrier;
      if (wanted && logged.event.subject() == subject) found.push_back(logged);
    }
    co_return found;
  }

  [[nodiscard]] core::Task<core::Result<ports::ErasureState>> wait_erased(events::EventPosition, core::Deadline) override {
    co_await erasure_gate_.pass();
    const std::lock_guard lock(mutex_);
    if (erasure_fault_) co_return std::unexpected(*erasure_fault_);
    co_return erasure_;
  }

  [[nodiscard]] std::string refusal() const override {
    const std::lock_guard lock(mutex_);
    return refusal_;
  }

  // Every append fails so, and keeps nothing (or, with `keeps`, keeps the events all the same); nothing: no fault.
  void fail_append_with(std::optional<ports::AppendFailure> fault, bool keeps = false) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
    fault_keeps_ = keeps;
  }
  void fail_append_with(ports::AppendOutcome outcome, core::ErrorCode code, bool keeps = false) {
    fail_append_with(ports::AppendFailure{outcome, core::fail(code, "a fault set by the test").error()}, keeps);
  }
  void fail_history_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    history_fault_ = std::move(fault);
  }
  void fail_erasure_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    erasure_fault_ = std::move(fault);
  }
  void set_erasure(ports::ErasureState state) {
    const std::lock_guard lock(mutex_);
    erasure_ = state;
  }
  void set_refusal(std::string refusal) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(refusal);
  }
  // Called with the events of each append before it is acknowledged, duplicates left out.
  void on_append(std::function<void(const std::vector<events::LoggedEvent>&)> consumer) {
    const std::lock_guard lock(mutex_);
    consumer_ = std::move(consumer);
  }

  FakeGate& gate() { return gate_; }                  // of append
  FakeGate& history_gate() { return history_gate_; }
  FakeGate& erasure_gate() { return erasure_gate_; }

  [[nodiscard]] std::vector<events::LoggedEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  [[nodiscard]] std::size_t appends() const {
    const std::lock_guard lock(mutex_);
    return appends_;
  }
  [[nodiscard]] std::size_t histories() const {
    const std::lock_guard lock(mutex_);
    return histories_;
  }

 private:
  ports::AppendedEvent keep(events::Event event, std::vector<events::LoggedEvent>& added) {
    const auto found = offsets_.find(event.event_id);
    if (found != offsets_.end()) return {{stream_, 0, found->second}, true};
    const events::EventPosition position{stream_, 0, next_offset_++};
    offsets_.emplace(event.event_id, position.offset);
    events_.push_back({position, std::move(event)});
    added.push_back(events_.back());
    return {position, false};
  }

  const std::string stream_;
  mutable std::mutex mutex_;
  std::vector<events::LoggedEvent> events_;                  // guarded by mutex_, as all below
  std::map<std::string, std::int64_t> offsets_;
  std::int64_t next_offset_ = 1;
  std::optional<ports::AppendFailure> fault_;
  bool fault_keeps_ = false;
  ports::TraceContext last_trace_;
  std::optional<core::Error> history_fault_;
  std::optional<core::Error> erasure_fault_;
  ports::ErasureState erasure_ = ports::ErasureState::kErased;
  std::string refusal_;
  std::function<void(const std::vector<events::LoggedEvent>&)> consumer_;
  std::size_t appends_ = 0;
  std::size_t histories_ = 0;
  FakeGate gate_;
  FakeGate history_gate_;
  FakeGate erasure_gate_;
};

}  // namespace scalestyle::support
