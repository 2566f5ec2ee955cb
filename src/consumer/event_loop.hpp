#pragma once
// EventLoop: lets the events of a stream take effect in a feature store, each exactly once and in order.
//
// It goes on from the positions that the store has made durable, polls, applies, and commits to the stream what
// checkpoints have made durable since (note_durable). Nothing is skipped: a batch that cannot be applied is sought back
// to, its partitions paused with growing delays, and given again; the store passes over what it has already. A record
// that is no event is logged with its position, counted, kept by the sink of failed records where there is one, and stops
// nothing else. An event that the store refuses by itself is put off by that sink; without one it stops its partition.
// Effects that the store says are durable are committed at once, others when a checkpoint has made them so.
//
// It has no thread of its own: a step runs on whatever thread completed the one before (the embedded log's thread as
// part of a commit, the compute pool, the timers' thread).
// Thread safety: start() and stop() from one thread, on which no step of the loop runs; everything else from any. Stop
// it while the threads of the stream, the store and the timers still run.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "consumer/backoff.hpp"
#include "consumer/failed_records.hpp"
#include "consumer/event_loop_metrics.hpp"
#include "consumer/partition_book.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/waiter.hpp"
#include "ports/event_stream.hpp"
#include "ports/feature_store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::consumer {

// Told what took effect: in the log's order within each partition, no event twice in one process, before the loop counts it as
// progress. On the thread of the step, which may be the log's as part of a commit: it must be quick and must not throw.
using EffectObserver = std::function<void(std::span<const events::LoggedEvent> taken)>;

class EventLoop {
 public:
  struct Options {
    std::size_t batch_events = 2'000;                 // of one poll, 1 … 10,000
    std::chrono::milliseconds poll_wait{250};         // for an event; a commit waits no longer than this
    std::chrono::milliseconds step_deadline{10'000};  // of one apply, seek, commit or dead letter
    Backoff::Options retry{};
    std::uint64_t seed = 1;                           // of the delays' random half
    std::string name = "events";                      // of the stream, in metrics and the log

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    ports::EventStream& stream;
    ports::FeatureStore& features;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
    FailedRecordSink* failed_records = nullptr;
    EffectObserver observer{};
    telemetry::Tracer* tracer = nullptr;  // null: nothing is traced
  };

  // `options` must be valid.
  EventLoop(Dependencies dependencies, Options options);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Begins, on the calling thread; once.
  void start();

  // Returns when the last step has ended: what was polled has been applied or will be given again. May be repeated.
  void stop();

  // Completes when all that the stream held at the start has taken effect: from then on answers may rely on features.
  // Errors: kDeadlineExceeded, kCancelled (also when the loop is stopped first).
  [[nodiscard]] core::Task<core::Status> caught_up(core::Deadline deadline);

  // A checkpoint has made the effects up to these positions durable: they are committed before the next poll.
  void note_durable(const std::vector<events::EventPosition>& positions);

  // Commits what is durable and not committed yet; only after stop(), at a graceful end.
  [[nodiscard]] core::Task<core::Status> commit_remaining();

  // Empty while all goes well; else what fails, for readiness and people.
  [[nodiscard]] std::string trouble() const;

  // When a step began last: of a loop that stands still it is long ago.
  [[nodiscard]] core::SteadyTime last_step() const { return core::SteadyTime(core::SteadyTime::duration(last_step_.load(std::memory_order_relaxed))); }

  // Events that the store took since the start; those given again count again.
  [[nodiscard]] std::uint64_t applied_events() const { return applied_events_.load(std::memory_order_relaxed); }

 private:
  core::Task<core::Status> run();
  core::Task<bool> guarded_step();
  core::Task<bool> step();  // false: something failed, and a delay is due
  core::Task<core::Status> find_positions();
  core::Task<core::Status> seek_all();
  core::Task<core::Status> commit_durable();
  core::Task<core::Status> join_assigned(ports::StreamBatch& batch);
  core::Task<core::Result<bool>> take_effect(const ports::StreamBatch& batch);  // whether effects are durable
  core::Task<core::Status> put_off(const std::vector<events::LoggedEvent>& batch, const std::vector<ports::RefusedEvent>& refused);
  void offer(const std::vector<events::LoggedEvent>& taken);
  core::Task<core::Status> keep_undecodable(const ports::StreamBatch& batch);
  core::Task<bool> handle(ports::StreamBatch batch);
  [[nodiscard]] bool give_again(const ports::StreamBatch& batch);
  void settled(const ports::StreamBatch& batch, bool durable);
  void note_progress();
  void failed(LoopStage stage, const core::Error& error);
  void recovered();
  void end_waiters(const core::Status& status);
  void log_undecodable(const ports::UndecodableRecord& record);
  [[nodiscard]] core::Deadline step_deadline() const;

  Dependencies use_;
  const Options options_;
  EventLoopMetrics metrics_;
  core::Operation operation_;
  std::atomic<std::uint64_t> applied_events_{0};
  std::atomic<core::SteadyTime::rep> last_step_{0};

  // Touched by the step in progress alone.
  std::stop_token stop_;
  PartitionBook book_;
  std::map<std::int32_t, Backoff> failing_;  // partitions that were given back and have not been settled since
  std::map<std::int32_t, events::EventPosition> offered_;  // the last event of a partition that the observer was told
  bool positions_known_ = false;
  bool durable_ = false;  // what the store said of its last effects
  bool tail_known_ = false;
  std::uint64_t tail_left_ = 0;  // records of the tail at the start that are not settled yet
  std::uint64_t undecodable_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<events::EventPosition> newly_durable_;  // guarded by mutex_
  std::vector<std::shared_ptr<core::Waiter<core::Status>>> waiters_;      // guarded by mutex_
  std::string trouble_;                               // guarded by mutex_
  bool caught_up_ = false;                            // guarded by mutex_
  bool started_ = false;                              // guarded by mutex_
  bool ended_ = false;                                // guarded by mutex_
};

}  // namespace scalestyle::consumer
