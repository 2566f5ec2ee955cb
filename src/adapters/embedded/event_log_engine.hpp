#pragma once
// Engine: the open event log as its writer, its stream and its maintenance share it.
//
// Thread safety: every method may be called from any thread. The writing connection is used by whoever holds the write
// turn; turns are given in the order in which they were asked for, so that neither appends nor maintenance starve.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_connection.hpp"
#include "core/waiter.hpp"
#include "adapters/embedded/event_log_writer.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::embedded::event_log {

// A lock that is given in the order of asking.
class WriteTurn {
 public:
  class Held {
   public:
    explicit Held(WriteTurn& turn) : turn_(turn) { turn_.enter(); }
    ~Held() { turn_.leave(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    WriteTurn& turn_;
  };

 private:
  void enter();
  void leave();
  std::mutex mutex_;
  std::condition_variable next_;
  std::uint64_t given_ = 0;   // guarded by mutex_
  std::uint64_t served_ = 0;  // guarded by mutex_
};

// A descriptor of events.db beside SQLite's own, for pacing write-back. It must be closed after every connection of the
// process: closing any descriptor of a file drops the process's locks on it.
class PacingFile {
 public:
  PacingFile() = default;
  ~PacingFile();
  PacingFile(const PacingFile&) = delete;
  PacingFile& operator=(const PacingFile&) = delete;
  void open(const std::filesystem::path& path);  // where it fails, nothing is paced
  // Starts and awaits the write-back of `bytes` from `from`; false behind the end of the file, or where unsupported.
  bool write_back(std::int64_t from, std::int64_t bytes) const;

 private:
  int descriptor_ = -1;
};

struct LogMetrics {
  telemetry::Counter appended;
  telemetry::Counter duplicates;
  telemetry::Counter not_kept;
  telemetry::Counter unknown;
  telemetry::Counter lost;
  telemetry::Histogram commit_seconds;
  telemetry::Histogram transaction_events;
  telemetry::Gauge queued_events;
  telemetry::Gauge file_bytes;
  telemetry::Gauge wal_bytes;
  telemetry::Gauge refuses;
};

// The rows of one append and what became of them.
struct Insertion {
  std::span<Row> rows;
  bool imported = false;
  std::string_view traceparent{};  // of the append, while it is written; empty: none
  std::vector<Written> written{};
};

class Engine {
 public:
  using Options = SqliteEventLog::Options;
  using Services = SqliteEventLog::Services;

  [[nodiscard]] static core::Result<std::unique_ptr<Engine>> open(Options options, Services services);
  ~Engine();

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::filesystem::path path() const;
  [[nodiscard]] ReadConnections& readers() { return readers_; }

  // Writes and syncs all insertions in one transaction, or none of them.
  [[nodiscard]] std::expected<void, ports::AppendFailure> write(std::span<Insertion> insertions);

  // Calls `change` with the writing connection inside a transaction and syncs it. After a failed sync the log refuses.
  [[nodiscard]] core::Status edit(const std::function<core::Status(SqliteDatabase&)>& change);
  // Calls `use` with the writing connection outside of one, while nothing is written.
  [[nodiscard]] core::Status hold(const std::function<core::Status(SqliteDatabase&)>& use);

  [[nodiscard]] std::string refusal() const;
  void refuse(std::string reason);
  [[nodiscard]] std::vector<std::string> findings() const;
  void find(std::string what);

  // What the consumer has told, and what retention has done.
  [[nodiscard]] std::int64_t committed() const { return committed_.load(std::memory_order_acquire); }
  void note_committed(std::int64_t offset);
  [[nodiscard]] std::int64_t removed_through() const { return removed_through_.load(std::memory_order_acquire); }
  void note_removed(std::int64_t offset) { removed_through_.store(offset, std::memory_order_release); }
  [[nodiscard]] std::int64_t last_offset() const { return last_offset_.load(std::memory_order_acquire); }

  // Those who wait for an erasure, by the offset of its kForget event.
  using ErasureWaiter = std::shared_ptr<core::Waiter<ports::ErasureState>>;
  void wait_for_erasure(std::int64_t offset, ErasureWaiter waiter);
  void leave_erasure(std::int64_t offset, const ErasureWaiter& waiter);
  void note_erased(std::int64_t offset);

  // Of maintenance, which is one thread: see event_log_maintenance.cpp.
  struct Maintenance {
    std::int64_t copied_frames = 0;      // of the write-ahead log, when it was last copied
    std::int64_t expired_through = 0;    // every event up to here is known to be too old
  };
  [[nodiscard]] Maintenance& maintenance() { return maintenance_; }
  [[nodiscard]] core::Result<SqliteDatabase*> checkpointer();  // a connection of its own
  [[nodiscard]] std::int64_t wal_frames() const { return wal_frames_.load(std::memory_order_relaxed); }
  [[nodiscard]] const PacingFile& pacing() const { return pacing_; }
  [[nodiscard]] const LogMetrics& metrics() const { return metrics_; }

 private:
  Engine(Options options, Services services, core::FileLock lock);
  [[nodiscard]] core::Status start();
  [[nodiscard]] core::Result<bool> inspect_write_ahead_log();  // true: acknowledged events may be missing
  [[nodiscard]] core::Status leave_gap(SqliteDatabase& database, LogState& state);
  [[nodiscard]] std::expected<void, ports::AppendFailure> insert_all(std::span<Insertion> insertions);
  [[nodiscard]] ports::AppendFailure failed(CommitOutcome outcome, core::Error error);
  [[nodiscard]] core::Status edit_in_turn(const std::function<core::Status(SqliteDatabase&)>& change);

  Options options_;
  Services services_;
  core::FileLock lock_;
  LogMetrics metrics_;
  PacingFile pacing_;  // closed last
  std::atomic<std::int64_t> wal_frames_{0};
  std::string name_;
  ReadConnections readers_;

  WriteTurn turn_;
  std::unique_ptr<Writer> writer_;  // used by the holder of turn_

  std::atomic<std::int64_t> committed_{-1};
  std::atomic<std::int64_t> removed_through_{0};
  std::atomic<std::int64_t> last_offset_{0};
  std::atomic<bool> refuses_{false};

  mutable std::mutex mutex_;
  std::string refusal_;                                      // guarded by mutex_
  std::vector<std::string> findings_;                        // guarded by mutex_
  std::multimap<std::int64_t, ErasureWaiter> erasure_waiters_;  // guarded by mutex_

  Maintenance maintenance_;
  std::optional<SqliteDatabase> checkpointer_;
};

}  // namespace scalestyle::adapters::embedded::event_log
