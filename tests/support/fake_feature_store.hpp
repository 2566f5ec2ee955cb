#pragma once
// A feature store in memory whose features and popularity are set by the test. apply() records events and the position
// reached, forgets the subject of a kForget, and computes nothing. Faults are set by the test; gates delay calls, or
// keep them from ever answering.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/timer_queue.hpp"
#include "ports/feature_store.hpp"
#include "support/fake_gate.hpp"

namespace scalestyle::support {

class FakeFeatureStore final : public ports::FeatureStore {
 public:
  // With `timers`, wait_applied() waits until the deadline; without, it tells at once whether the position was reached.
  explicit FakeFeatureStore(core::TimerQueue* timers = nullptr) : timers_(timers) {}

  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (fault_) co_return std::unexpected(*fault_);
    co_return positions(committed_);
  }

  [[nodiscard]] core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                                   core::Deadline) override {
    co_await apply_gate_.pass();
    std::vector<std::shared_ptr<Waiter>> reached;
    ports::ApplyReport report;
    {
      const std::lock_guard lock(mutex_);
      if (apply_fault_) co_return std::unexpected(*apply_fault_);
      report.durable = durable_;
      for (std::size_t i = 0; i < batch->size(); ++i) {
        const auto refused = refusals_.find((*batch)[i].event.event_id);
        if (refused != refusals_.end()) {
          report.refused.push_back({i, refused->second});
        } else {
          apply_one((*batch)[i]);
        }
      }
      reached = take_reached();
    }
    for (const auto& waiter : reached) settle(*waiter, true);
    co_return report;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (checkpoint_fault_) co_return std::unexpected(*checkpoint_fault_);
    committed_ = applied_;
    ++checkpoints_;
    co_return positions(committed_);
  }

  [[nodiscard]] core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject subject, core::Deadline) override {
    co_await read_gate_.pass();
    const std::lock_guard lock(mutex_);
    ++reads_;
    if (fault_) co_return std::unexpected(*fault_);
    const auto found = subjects_.find(subject);
    co_return ports::SubjectSnapshot{found == subjects_.end() ? events::SubjectFeatures{} : found->second, newest_applied_ms_};
  }

  [[nodiscard]] core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent event, core::Deadline deadline) override {
    auto waiter = std::make_shared<Waiter>();
    waiter->position = std::move(event.position);
    {
      const std::lock_guard lock(mutex_);
      if (fault_) co_return std::unexpected(*fault_);
      const bool done = is_applied(waiter->position);
      if (done || timers_ == nullptr || deadline.is_never()) co_return ports::AppliedState{done, newest_applied_ms_};
      waiters_.push_back(waiter);
    }
    const auto timer = timers_->schedule(deadline.time(), [this, waiter] { settle(*waiter, false); });
    const bool reached = co_await waiter->slot;
    timers_->cancel(timer);
    const std::lock_guard lock(mutex_);
    std::erase(waiters_, waiter);
    co_return ports::AppliedState{reached, newest_applied_ms_};
  }

  [[nodiscard]] core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs,
                                                                             core::Deadline) override {
    co_await popularity_gate_.pass();
    const std::lock_guard lock(mutex_);
    if (popularity_fault_) co_return std::unexpected(*popularity_fault_);
    ports::PopularityChanges changes;
    changes.complete = since == 0;
    changes.version = popularity_version_;
    for (const auto& [item, entry] : popularity_) {
      if (entry.first > since || since == 0) changes.items.push_back(entry.second);
    }
    co_return changes;
  }

  void set_features(const events::Subject& subject, events::SubjectFeatures features) {
    const std::lock_guard lock(mutex_);
    subjects_[subject] = std::move(features);
  }
  void set_popularity(events::ItemPopularity popularity) {
    const std::lock_guard lock(mutex_);
    const std::string item = popularity.item_id;
    popularity_[item] = {++popularity_version_, std::move(popularity)};
  }
  // Receipt of the newest event that has taken effect.
  void set_newest_applied(std::optional<events::EpochMs> time) {
    const std::lock_guard lock(mutex_);
    newest_applied_ms_ = time;
  }
  // Everything up to `position` has taken effect, without any event.
  void set_applied(const events::EventPosition& position) {
    std::vector<std::shared_ptr<Waiter>> reached;
    {
      const std::lock_guard lock(mutex_);
      applied_[{position.stream, position.partition}] = position.offset;
      reached = take_reached();
    }
    for (const auto& waiter : reached) settle(*waiter, true);
  }

  // Of this event alone apply() says that it cannot take effect; nothing: it can again.
  void refuse_event(const std::string& event_id, std::optional<core::Error> cause) {
    const std::lock_guard lock(mutex_);
    refusals_.erase(event_id);
    if (cause) refusals_.emplace(event_id, std::move(*cause));
  }
  // What apply() says of its effects.
  void apply_durably(bool durable) {
    const std::lock_guard lock(mutex_);
    durable_ = durable;
  }

  // Of read(), wait_applied() and committed().
  void fail_with(std::optional<core::Error> fault) { set(fault_, std::move(fault)); }
  void fail_apply_with(std::optional<core::Error> fault) { set(apply_fault_, std::move(fault)); }
  void fail_checkpoint_with(std::optional<core::Error> fault) { set(checkpoint_fault_, std::move(fault)); }
  void fail_popularity_with(std::optional<core::Error> fault) { set(popularity_fault_, std::move(fault)); }

  FakeGate& read_gate() { return read_gate_; }
  FakeGate& apply_gate() { return apply_gate_; }
  FakeGate& popularity_gate() { return popularity_gate_; }

  // In the order of their application, each once.
  [[nodiscard]] std::vector<events::LoggedEvent> applied_events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  [[nodiscard]] std::size_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }
  [[nodiscard]] std::size_t checkpoints() const {
    const std::lock_guard lock(mutex_);
    return checkpoints_;
  }
  // Waits of wait_applied() in progress.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
  }

 private:
  using Partition = std::pair<std::string, std::int32_t>;
  struct Waiter {
    events::EventPosition position;
    std::atomic<bool> settled{false};
    core::OneShot<bool> slot;
  };

  static void settle(Waiter& waiter, bool reached) {
    if (!waiter.settled.exchange(true)) waiter.slot.set(reached);
  }
  void set(std::optional<core::Error>& place, std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    place = std::move(fault);
  }
  static std::vector<events::EventPosition> positions(const std::map<Partition, std::int64_t>& offsets) {
    std::vector<events::EventPosition> list;
    for (const auto& [partition, offset] : offsets) list.push_back({partition.first, partition.second, offset});
    return list;
  }
  [[nodiscard]] bool is_applied(const events::EventPosition& position) const {
    const auto found = applied_.find({position.stream, position.partition});
    return found != applied_.end() && found->second >= position.offset;
  }
  void apply_one(const events::LoggedEvent& logged) {
    if (is_applied(logged.position)) return;
    applied_[{logged.position.stream, logged.position.partition}] = logged.position.offset;
    newest_applied_ms_ = std::max(newest_applied_ms_.value_or(0), logged.event.received_time_ms);
    if (logged.event.type == events::EventType::kForget) subjects_.erase(logged.event.subject());
    events_.push_back(logged);
  }
  std::vector<std::shared_ptr<Waiter>> take_reached() {
    std::vector<std::shared_ptr<Waiter>> reached;
    for (const auto& waiter : waiters_) {
      if (is_applied(waiter->position)) reached.push_back(waiter);
    }
    std::erase_if(waiters_, [this](const auto& waiter) { return is_applied(waiter->position); });
    return reached;
  }

  core::TimerQueue* timers_;
  mutable std::mutex mutex_;
  std::map<events::Subject, events::SubjectFeatures> subjects_;  // guarded by mutex_, as all below
  std::map<std::string, std::pair<std::uint64_t, events::ItemPopularity>> popularity_;  // with the version it changed at
  std::uint64_t popularity_version_ = 1;
  std::optional<events::EpochMs> newest_applied_ms_;
  std::map<Partition, std::int64_t> applied_;
  std::map<Partition, std::int64_t> committed_;
  std::vector<events::LoggedEvent> events_;
  std::map<std::string, core::Error> refusals_;
  bool durable_ = false;
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::optional<core::Error> fault_;
  std::optional<core::Error> apply_fault_;
  std::optional<core::Error> checkpoint_fault_;
  std::optional<core::Error> popularity_fault_;
  std::size_t reads_ = 0;
  std::size_t checkpoints_ = 0;
  FakeGate read_gate_;
  FakeGate apply_gate_;
  FakeGate popularity_gate_;
};

}  // namespace scalestyle::support
