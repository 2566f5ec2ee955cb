#include "adapters/embedded/event_log_engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "adapters/embedded/event_log_schema.hpp"
#include "adapters/embedded/wal_inspection.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::embedded::event_log {

namespace {

// Offsets that are left out after damage, so that none that may have been given before is given again.
constexpr std::int64_t kDamageGap = 1'000'000'000;

LogMetrics make_metrics(telemetry::Metrics& metrics) {
  const std::string failures = "scalestyle_event_log_append_failures_total";
  const std::string failures_help = "Events of appends that failed, by outcome.";
  return {.appended = metrics.counter({"scalestyle_event_log_appended_total", "Events that were added to the log."}),
          .duplicates = metrics.counter({"scalestyle_event_log_duplicates_total", "Events whose id the log held already."}),
          .not_kept = metrics.counter({failures, failures_help, {{"outcome", "not_kept"}}}),
          .unknown = metrics.counter({failures, failures_help, {{"outcome", "unknown"}}}),
          .lost = metrics.counter({"scalestyle_event_log_damages_total", "Times that acknowledged events were found missing."}),
          .commit_seconds = metrics.histogram({"scalestyle_event_log_commit_seconds", "Time of a transaction with its sync."}),
          .transaction_events = metrics.histogram({"scalestyle_event_log_transaction_events", "Events of a transaction."},
                                                  {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048}),
          .queued_events = metrics.gauge({"scalestyle_event_log_queued_events", "Events that wait to be written."}),
          .file_bytes = metrics.gauge({"scalestyle_event_log_bytes", "Size of the log's pages in use."}),
          .wal_bytes = metrics.gauge({"scalestyle_event_log_wal_bytes", "Size of the write-ahead log's file."}),
          .refuses = metrics.gauge({"scalestyle_event_log_refuses", "1 while the log refuses writes."})};
}

}  // namespace

void WriteTurn::enter() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = given_++;
  next_.wait(lock, [&] { return served_ == mine; });
}

void WriteTurn::leave() {
  {
    const std::lock_guard lock(mutex_);
    ++served_;
  }
  next_.notify_all();
}

PacingFile::~PacingFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
void PacingFile::open(const std::filesystem::path& path) { descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }
bool PacingFile::write_back(std::int64_t from, std::int64_t bytes) const {
  if (descriptor_ < 0 || from >= ::lseek(descriptor_, 0, SEEK_END)) return false;
#ifdef SYNC_FILE_RANGE_WRITE
  return ::sync_file_range(descriptor_, from, bytes,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0;
#else
  return bytes < 0;
#endif
}

Engine::Engine(Options options, Services services, core::FileLock lock)
    : options_(std::move(options)),
      services_(services),
      lock_(std::move(lock)),
      metrics_(make_metrics(services.metrics)),
      readers_(path(), options_.vfs) {}

Engine::~Engine() = default;

std::filesystem::path Engine::path() const { return options_.folder / kDatabaseFile; }

core::Result<std::unique_ptr<Engine>> Engine::open(Options options, Services services) {
  CORE_TRY(auto lock, core::FileLock::acquire(options.folder / kLockFile));
  auto engine = std::unique_ptr<Engine>(new Engine(std::move(options), services, std::move(lock)));
  CORE_CHECK(engine->start());
  return engine;
}

core::Status Engine::start() {
  CORE_TRY(const bool damaged, inspect_write_ahead_log());
  CORE_TRY(auto database, SqliteDatabase::open(path(), SqliteMode::kReadWrite, options_.vfs));
  pacing_.open(path());
  CORE_CHECK(configure_writer(database, options_.cache_bytes));
  CORE_CHECK(create_or_check(database, path(), services_.clock));
  CORE_TRY(LogState state, read_state(database));
  if (damaged) CORE_CHECK(leave_gap(database, state));
  // What was read back from the write-ahead log may have been acknowledged by a process whose sync then failed, and be in
  // the system's memory alone: copied and synced, all that readers can see from here on is on disk.
  CORE_TRY(const auto copied, database.checkpoint(SqliteCheckpoint::kTruncate));
  if (!copied.complete) {
    return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: another program is reading it; end it and try again", path().string()));
  }
  CORE_CHECK(core::sync_folder(options_.folder));
  database.count_wal_frames(wal_frames_);
  name_ = state.name;
  removed_through_ = state.removed_through;
  last_offset_ = state.last_offset;
  CORE_TRY(writer_, Writer::make(std::move(database), state.last_offset));
  return {};
}

core::Result<bool> Engine::inspect_write_ahead_log() {
  const auto wal_path = path().string() + std::string(kWalSuffix);
  CORE_TRY(const auto wal, inspect_wal(wal_path));
  if (wal.certainly_lost() == 0 && !wal.header_damaged) return false;
  const std::string kept = wal_path + ".damaged";
  std::error_code error;
  std::filesystem::copy_file(wal_path, kept, std::filesystem::copy_options::overwrite_existing, error);
  const std::string where = error ? std::string() : fmt::format("; its bytes are kept as {}: delete it once looked at", kept);
  if (wal.header_damaged) {
    find(fmt::format("{}: the header is damaged: events since the last checkpoint may be missing (none are when the power "
                     "failed just as it was written){}", wal_path, where));
  } else {
    find(fmt::format("{}: damaged at byte {}: at least {} acknowledged transactions are lost, {} before it were kept{}", wal_path,
                     wal.damaged_at_byte, wal.certainly_lost(), wal.commits, where));
  }
  return true;
}

core::Status Engine::leave_gap(SqliteDatabase& database, LogState& state) {
  state.last_offset += kDamageGap;
  return database.execute(fmt::format("UPDATE log SET value = {} WHERE key = 'floor'", state.last_offset));
}

std::expected<void, ports::AppendFailure> Engine::write(std::span<Insertion> insertions) {
  const WriteTurn::Held held(turn_);
  if (refuses_.load(std::memory_order_acquire)) {
    return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept,
                                                core::fail(core::ErrorCode::kUnavailable, refusal()).error()});
  }
  const auto begun = services_.clock.steady_now();
  auto inserted = insert_all(insertions);
  if (!inserted) return inserted;
  core::crash_point("log.before_commit");
  auto commit = writer_->commit();
  if (commit.outcome != CommitOutcome::kKept) return std::unexpected(failed(commit.outcome, std::move(commit.error)));
  core::crash_point("log.committed");
  last_offset_.store(writer_->last_offset(), std::memory_order_release);
  metrics_.commit_seconds.observe(std::chrono::duration<double>(services_.clock.steady_now() - begun).count());
  return {};
}

std::expected<void, ports::AppendFailure> Engine::insert_all(std::span<Insertion> insertions) {
  auto status = writer_->begin();
  std::size_t events = 0;
  for (Insertion& insertion : insertions) {
    insertion.written.clear();
    for (Row& row : insertion.rows) {
      if (!status) break;
      auto written = writer_->insert(row, insertion.imported);
      if (written) insertion.written.push_back(*written);
      if (!written) status = std::unexpected(std::move(written).error());
      ++events;
    }
  }
  metrics_.transaction_events.observe(static_cast<double>(events));
  if (status) return {};
  // Nothing that a commit marks has been written: whatever went wrong, these events will not appear.
  if (writer_->undo() == CommitOutcome::kUnknown) refuse(fmt::format("a transaction cannot be undone: {}", status.error().message));
  return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept, std::move(status).error()});
}

ports::AppendFailure Engine::failed(CommitOutcome outcome, core::Error error) {
  if (outcome == CommitOutcome::kUndone) return {ports::AppendOutcome::kNotKept, std::move(error)};
  refuse(fmt::format("a sync failed, so what is on disk is unknown: {}; see to the disk and restart", error.message));
  return {ports::AppendOutcome::kUnknown,
          core::fail(core::ErrorCode::kUnavailable,
                     fmt::format("{}; the events may have been kept: send them again with the same event ids", error.message))
              .error()};
}

core::Status Engine::edit(const std::function<core::Status(SqliteDatabase&)>& change) {
  const WriteTurn::Held held(turn_);
  if (refuses_.load(std::memory_order_acquire)) return core::fail(core::ErrorCode::kUnavailable, refusal());
  return edit_in_turn(change);
}

core::Status Engine::edit_in_turn(const std::function<core::Status(SqliteDatabase&)>& change) {
  auto status = writer_->begin();
  if (status) status = change(writer_->database());
  if (!status) {
    if (writer_->undo() == CommitOutcome::kUnknown) refuse(fmt::format("a transaction cannot be undone: {}", status.error().message));
    return status;
  }
  auto commit = writer_->commit();
  if (commit.outcome == CommitOutcome::kKept) return {};
  return std::unexpected(failed(commit.outcome, std::move(commit.error)).error);
}

core::Status Engine::hold(const std::function<core::Status(SqliteDatabase&)>& use) {
  const WriteTurn::Held held(turn_);
  return use(writer_->database());
}

core::Result<SqliteDatabase*> Engine::checkpointer() {
  if (!checkpointer_) {
    CORE_TRY(auto database, SqliteDatabase::open(path(), SqliteMode::kReadWrite, options_.vfs));
    CORE_CHECK(configure_writer(database, 0));
    // It waits for readers inside the write turn.
    CORE_CHECK(database.execute("PRAGMA busy_timeout = 20"));
    checkpointer_.emplace(std::move(database));
  }
  return &*checkpointer_;
}

std::string Engine::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

void Engine::refuse(std::string reason) {
  if (services_.log != nullptr) services_.log->error("the event log refuses writes", {{"reason", reason}});
  metrics_.refuses.set(1);
  const std::lock_guard lock(mutex_);
  if (refusal_.empty()) refusal_ = std::move(reason);
  refuses_.store(true, std::memory_order_release);
}

std::vector<std::string> Engine::findings() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

void Engine::find(std::string what) {
  if (services_.log != nullptr) services_.log->error("the event log is damaged", {{"what", what}});
  metrics_.lost.add();
  const std::lock_guard lock(mutex_);
  findings_.push_back(std::move(what));
}

void Engine::note_committed(std::int64_t offset) {
  std::int64_t before = committed_.load(std::memory_order_acquire);
  while (before < offset && !committed_.compare_exchange_weak(before, offset, std::memory_order_acq_rel)) {
  }
}

void Engine::wait_for_erasure(std::int64_t offset, ErasureWaiter waiter) {
  const std::lock_guard lock(mutex_);
  erasure_waiters_.emplace(offset, std::move(waiter));
}

void Engine::leave_erasure(std::int64_t offset, const ErasureWaiter& waiter) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = erasure_waiters_.equal_range(offset);
  for (auto it = first; it != last; ++it) {
    if (it->second != waiter) continue;
    erasure_waiters_.erase(it);
    return;
  }
}

void Engine::note_erased(std::int64_t offset) {
  std::vector<ErasureWaiter> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = erasure_waiters_.equal_range(offset);
    for (auto it = first; it != last; ++it) waiting.push_back(it->second);
    erasure_waiters_.erase(first, last);
  }
  for (const auto& waiter : waiting) waiter->settle(ports::ErasureState::kErased);
}

}  // namespace scalestyle::adapters::embedded::event_log
