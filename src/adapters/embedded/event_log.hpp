#pragma once
// SqliteEventLog: the event log in one SQLite file, DATA/events.db (docs/formats/events.md).
//
// One thread, given to run(), writes: it takes every append that is queued, writes them in one transaction and syncs the
// file, then gives the new events to the stream (a waiting poll() goes on inside), then completes the appends. So an
// acknowledged event has normally been seen by the consumer before its client knows.
//
// Maintenance (event_log_maintenance.hpp) works through this object too and shares the writer's connection: each piece of
// its work holds the write turn for a few milliseconds at most.
//
// A failed sync leaves it unknown what is on disk: the appends of that transaction end with kUnknown and the log refuses
// every later one (kNotKept) until it is opened again. A full disk is no such case: the transaction is undone, kNotKept,
// and the log goes on.
//
// Crash points: log.before_commit, log.committed, log.published, log.before_ack.
// Thread safety: every method may be called from any thread; run() by one. Destroy it after run() has returned and no
// task of it is in progress.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/event_log.hpp"
#include "ports/event_stream.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded {

namespace event_log {
class AppendQueue;
class Engine;  // the file, and what writer, stream and maintenance share
class Stream;
}  // namespace event_log

// What became of one event of an import.
enum class ImportOutcome : std::uint8_t {
  kKept,
  kDuplicate,  // an event with its id is kept already
  kForgotten,  // its subject was forgotten after it was received: passed over
};
struct ImportedEvent {
  ImportOutcome outcome = ImportOutcome::kKept;
  std::int64_t offset = 0;  // 0: passed over
};
using ImportResult = std::expected<std::vector<ImportedEvent>, ports::AppendFailure>;

class SqliteEventLog final : public ports::EventLog {
 public:
  static constexpr std::size_t kMaxBatchEvents = 500;

  struct Options {
    std::filesystem::path folder{};                 // holds events.db and events.lock; must exist
    std::size_t max_queued_events = 8'192;          // appended, not yet in a transaction; more are shed
    std::size_t max_queued_bytes = 16u << 20;
    std::size_t max_transaction_events = 2'048;     // of one commit
    std::size_t max_tail_events = 65'536;           // kept in memory for the stream; the rest is read from disk
    std::size_t max_tail_bytes = 32u << 20;
    std::size_t cache_bytes = 32u << 20;            // of the writer's pages
    std::string vfs{};                              // SQLite's file layer; empty: the system's. Tests inject faults

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Services {
    const core::Clock& clock;
    core::TimerQueue& timers;
    core::WorkerPool& pool;         // reads from disk
    telemetry::Metrics& metrics;
    telemetry::Logger* log = nullptr;  // where damage is told; may be absent
  };

  // Opens or creates the log, and repairs what a crash left. What was damaged beyond that is told: findings().
  // Errors: kFailedPrecondition (another process holds events.lock; a format of another version), kDataLoss (not a
  // database, or damaged), kNotFound (no such folder), kPermissionDenied, kResourceExhausted, kUnavailable.
  [[nodiscard]] static core::Result<std::unique_ptr<SqliteEventLog>> open(Options options, Services services);
  ~SqliteEventLog() override;

  // Writes until stop(), on the calling thread; then what is queued still, and returns. Appends made before run() wait.
  void run();
  void stop();

  [[nodiscard]] core::Task<ports::AppendResult> append(std::vector<events::Event> batch, core::Deadline deadline) override;
  // What the stream gives from memory carries the trace of a request that is sampled; the file does not hold it.
  [[nodiscard]] core::Task<ports::AppendResult> append_traced(std::vector<events::Event> batch, ports::TraceContext trace,
                                                              core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<events::LoggedEvent>>> history(events::Subject subject,
                                                                                  std::int64_t after_offset,
                                                                                  std::size_t limit,
                                                                                  core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::ErasureState>> wait_erased(events::EventPosition position,
                                                                          core::Deadline deadline) override;
  [[nodiscard]] std::string refusal() const override;

  // As append(), for events that come from an export: events of a subject that was forgotten after they were received are
  // passed over, and anonymous ones are taken. At most kMaxBatchEvents.
  [[nodiscard]] core::Task<ImportResult> import(std::vector<events::Event> batch, core::Deadline deadline);

  // The one consumer's view; lives as long as the log.
  [[nodiscard]] ports::EventStream& stream();

  // The log's name: of its positions, random, made with the file.
  [[nodiscard]] const std::string& name() const;

  // What was found damaged since open(), for people; empty when nothing was. Acknowledged events may be missing.
  [[nodiscard]] std::vector<std::string> findings() const;

  // For event_log_maintenance.hpp.
  [[nodiscard]] event_log::Engine& engine() { return *engine_; }

 private:
  explicit SqliteEventLog(std::unique_ptr<event_log::Engine> engine);

  std::unique_ptr<event_log::Engine> engine_;
  std::unique_ptr<event_log::Stream> stream_;
  std::unique_ptr<event_log::AppendQueue> queue_;
};

}  // namespace scalestyle::adapters::embedded
