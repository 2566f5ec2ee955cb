#pragma once
// An event stream in memory with any number of partitions, whose faults a test sets. A poll that waits goes on inside
// append(), as with the embedded log, or when the timers run. Thread-safe as the port says.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/waiter.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::support {

class FakeEventStream final : public ports::EventStream {
 public:
  FakeEventStream(core::TimerQueue& timers, const core::Clock& clock, std::string name = "fake")
      : timers_(timers), clock_(clock), name_(std::move(name)) {}

  // One more record; offsets begin at 1. Gives its position.
  events::EventPosition append(const std::string& event_id, std::int32_t partition = 0) {
    events::Event event{.event_id = event_id, .user_id = core::UserId("u-1"), .received_time_ms = 1'772'366'400'000,
                        .item_id = "0108775015"};
    return put(partition, [&](const events::EventPosition& position, Partition& place) {
      place.events[position.offset] = {position, std::move(event)};
    });
  }
  events::EventPosition append_undecodable(const std::string& bytes, std::int32_t partition = 0) {
    return put(partition, [&](const events::EventPosition& position, Partition& place) {
      place.undecodable[position.offset] = {position, bytes, "not an event"};
    });
  }
  void assign(std::int32_t partition) {
    change([&] {
      assigned_.push_back(partition);
      partitions_[partition].given = -1;
    });
  }
  void revoke(std::int32_t partition) {
    change([&] {
      revoked_.push_back(partition);
      partitions_[partition].away = true;
    });
  }

  // The next `times` calls fail.
  void fail_polls(int times) { set(poll_faults_, times); }
  void fail_seeks(int times) { set(seek_faults_, times); }
  void fail_commits(int times) { set(commit_faults_, times); }
  void fail_pauses(int times) { set(pause_faults_, times); }
  void throw_in_poll() {
    const std::lock_guard lock(mutex_);
    throw_ = true;
  }

  [[nodiscard]] core::Task<core::Result<ports::StreamBatch>> poll(std::size_t max_events, core::Deadline deadline) override {
    while (true) {
      std::shared_ptr<core::Waiter<core::Status>> waiter;
      core::Deadline until = deadline;
      {
        const std::lock_guard lock(mutex_);
        ++polls_;
        if (std::exchange(throw_, false)) throw std::bad_alloc();
        if (poll_faults_ > 0) {
          --poll_faults_;
          co_return core::fail(core::ErrorCode::kUnavailable, "the test's poll fault");
        }
        auto batch = take(max_events);
        if (!batch.empty() || deadline.expired(clock_)) co_return batch;
        waiter = waiting_ = std::make_shared<core::Waiter<core::Status>>();
        until = until_first_pause_ends(deadline);
      }
      auto waited = co_await core::wait(waiter, until, timers_);
      if (!waited && waited.error().code == core::ErrorCode::kCancelled) co_return std::unexpected(waited.error());
    }
  }

  [[nodiscard]] core::Task<core::Status> seek(events::EventPosition position, core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (seek_faults_ > 0) {
      --seek_faults_;
      co_return core::fail(core::ErrorCode::kUnavailable, "the test's seek fault");
    }
    if (position.stream != name_) co_return core::fail(core::ErrorCode::kInvalidArgument, "a position of another stream");
    seeks_.push_back(position);
    partitions_[position.partition].given = position.offset;
    co_return core::Status{};
  }

  [[nodiscard]] core::Status pause(std::int32_t partition, std::chrono::milliseconds duration) override {
    const std::lock_guard lock(mutex_);
    if (pause_faults_ > 0) {
      --pause_faults_;
      return core::fail(core::ErrorCode::kUnavailable, "the test's pause fault");
    }
    pauses_.push_back(duration);
    partitions_[partition].paused_until = clock_.steady_now() + duration;
    return {};
  }

  [[nodiscard]] core::Task<core::Status> commit(events::EventPosition position, core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (commit_faults_ > 0) {
      --commit_faults_;
      co_return core::fail(core::ErrorCode::kUnavailable, "the test's commit fault");
    }
    commits_.push_back(std::move(position));
    co_return core::Status{};
  }

  [[nodiscard]] std::uint64_t lag() const override {
    const std::lock_guard lock(mutex_);
    std::uint64_t lag = 0;
    for (const auto& [number, place] : partitions_) {
      if (!place.away) lag += place.after(place.given);
    }
    return lag;
  }

  [[nodiscard]] std::vector<events::EventPosition> seeks() const { return locked(seeks_); }
  [[nodiscard]] std::vector<events::EventPosition> commits() const { return locked(commits_); }
  [[nodiscard]] std::vector<std::chrono::milliseconds> pauses() const { return locked(pauses_); }
  [[nodiscard]] std::size_t polls() const { return locked(polls_); }

 private:
  struct Partition {
    std::map<std::int64_t, events::LoggedEvent> events;
    std::map<std::int64_t, ports::UndecodableRecord> undecodable;
    std::int64_t last = 0;
    std::int64_t given = -1;
    core::SteadyTime paused_until = core::SteadyTime::min();
    bool away = false;

    [[nodiscard]] std::uint64_t after(std::int64_t offset) const {
      const auto count = [offset](const auto& records) {
        return static_cast<std::uint64_t>(std::distance(records.upper_bound(offset), records.end()));
      };
      return count(events) + count(undecodable);
    }
  };

  template <class T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  void set(int& faults, int times) {
    const std::lock_guard lock(mutex_);
    faults = times;
  }
  template <class Change>
  void change(Change apply_change) {
    std::shared_ptr<core::Waiter<core::Status>> waiter;
    {
      const std::lock_guard lock(mutex_);
      apply_change();
      waiter.swap(waiting_);
    }
    const core::Status grown;  // named: GCC 12 takes a temporary one for uninitialised under the sanitizers
    if (waiter) waiter->settle(grown);
  }
  template <class Keep>
  events::EventPosition put(std::int32_t partition, Keep keep) {
    events::EventPosition position{name_, partition, 0};
    change([&] {
      Partition& place = partitions_[partition];
      position.offset = ++place.last;
      keep(position, place);
    });
    return position;
  }
  ports::StreamBatch take(std::size_t max_events) {
    ports::StreamBatch batch;
    batch.assigned = std::exchange(assigned_, {});
    batch.revoked = std::exchange(revoked_, {});
    for (const auto partition : batch.assigned) partitions_[partition].away = false;
    for (auto& [number, place] : partitions_) {
      if (place.away || clock_.steady_now() < place.paused_until) continue;
      while (batch.events.size() + batch.undecodable.size() < max_events && place.given < place.last) {
        ++place.given;
        if (const auto event = place.events.find(place.given); event != place.events.end()) batch.events.push_back(event->second);
        if (const auto record = place.undecodable.find(place.given); record != place.undecodable.end()) {
          batch.undecodable.push_back(record->second);
        }
      }
    }
    return batch;
  }
  core::Deadline until_first_pause_ends(core::Deadline deadline) const {
    core::SteadyTime first = deadline.time();
    for (const auto& [number, place] : partitions_) {
      if (place.paused_until > clock_.steady_now()) first = std::min(first, place.paused_until);
    }
    return core::Deadline::at(first);
  }

  core::TimerQueue& timers_;
  const core::Clock& clock_;
  const std::string name_;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::int32_t, Partition> partitions_;
  std::vector<std::int32_t> assigned_, revoked_;
  std::shared_ptr<core::Waiter<core::Status>> waiting_;
  int poll_faults_ = 0, seek_faults_ = 0, commit_faults_ = 0, pause_faults_ = 0;
  bool throw_ = false;
  std::vector<events::EventPosition> seeks_, commits_;
  std::vector<std::chrono::milliseconds> pauses_;
  std::size_t polls_ = 0;
};

}  // namespace scalestyle::support
