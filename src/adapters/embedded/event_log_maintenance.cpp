#include "adapters/embedded/event_log_maintenance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include "adapters/embedded/event_log_engine.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::embedded {

namespace {

using event_log::Engine;
using std::chrono::steady_clock;

constexpr std::int64_t kPageBytes = 4'096;            // SQLite's default, which the log is made with
constexpr std::int64_t kWriteBackBytes = 1 << 20;     // of one piece of paced write-back
constexpr int kPacedPasses = 2;                       // copies that take their time; what they leave is copied at once
constexpr int kPasses = 4;
constexpr std::int64_t kSmallRest = 128;              // frames that may be left for the write turn
constexpr std::int64_t kFirstSlice = 64;              // events
constexpr std::int64_t kLargestSlice = 2'048;
constexpr std::chrono::microseconds kSliceTarget{2'000};

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

// Writes back what a copy left in the system's memory, piece by piece with a rest after each: a commit's sync then waits
// for one piece at most. A single sync of it all would hold up every commit for tens of milliseconds.
void write_back_in_pieces(const Engine& engine, int rests) {
  for (std::int64_t from = 0; ; from += kWriteBackBytes) {
    const auto begun = steady_clock::now();
    if (!engine.pacing().write_back(from, kWriteBackBytes)) return;
    const auto took = steady_clock::now() - begun;
    if (took > std::chrono::microseconds(50)) std::this_thread::sleep_for(took * rests);
  }
}

// Copies most of the write-ahead log beside the writer, until little is left.
core::Status copy_beside_writer(Engine& engine, SqliteDatabase& database) {
  for (int pass = 0; pass < kPasses; ++pass) {
    const std::int64_t before = engine.wal_frames();
    CORE_CHECK(database.checkpoint(SqliteCheckpoint::kPassive));
    if (pass < kPacedPasses) write_back_in_pieces(engine, kPacedPasses - pass);
    // SQLite syncs the database only when it has caught up with the writer, which it may not do before the write turn.
    CORE_CHECK(database.sync_file());
    if (engine.wal_frames() - before <= kSmallRest) break;
  }
  return {};
}

}  // namespace

core::Result<EventLogFigures> figures(SqliteEventLog& log) {
  Engine& engine = log.engine();
  EventLogFigures figures;
  figures.committed_offset = std::max<std::int64_t>(engine.committed(), 0);
  figures.last_offset = engine.last_offset();
  figures.wal_bytes = size_of(engine.path().string() + std::string(event_log::kWalSuffix));
  figures.file_bytes = size_of(engine.path());
  const auto read = engine.readers().with([&](event_log::ReadConnection& connection) -> core::Status {
    SqliteDatabase& database = connection.database();
    CORE_TRY(const auto state, connection.state());
    figures.removed_through = state.removed_through;
    CORE_TRY(figures.first_offset, database.integer("SELECT coalesce(min(position), 0) FROM events"));
    CORE_TRY(figures.oldest_received_ms,
             database.integer("SELECT coalesce((SELECT received_ms FROM events ORDER BY position LIMIT 1), 0)"));
    CORE_TRY(figures.newest_received_ms,
             database.integer("SELECT coalesce((SELECT received_ms FROM events ORDER BY position DESC LIMIT 1), 0)"));
    CORE_TRY(const std::int64_t pages, database.integer("PRAGMA page_count"));
    CORE_TRY(const std::int64_t unused, database.integer("PRAGMA freelist_count"));
    figures.used_bytes = static_cast<std::uint64_t>((pages - unused) * kPageBytes);
    CORE_TRY(const std::int64_t pending, database.integer("SELECT count(*) FROM erasures WHERE state < 2"));
    figures.pending_erasures = static_cast<std::size_t>(pending);
    return {};
  });
  CORE_CHECK(read);
  engine.metrics().file_bytes.set(static_cast<double>(figures.used_bytes));
  engine.metrics().wal_bytes.set(static_cast<double>(figures.wal_bytes));
  return figures;
}

core::Result<WalCheckpointReport> checkpoint_wal(SqliteEventLog& log, const WalCheckpointOptions& options) {
  Engine& engine = log.engine();
  WalCheckpointReport report;
  const std::int64_t frames = engine.wal_frames();
  auto& copied = engine.maintenance().copied_frames;
  if (frames < copied) copied = 0;  // the writer has begun the file anew
  if (frames == copied || frames * kPageBytes < static_cast<std::int64_t>(options.wal_bytes)) return report;
  core::crash_point("log.checkpoint.begin");
  CORE_TRY(SqliteDatabase* const database, engine.checkpointer());
  CORE_CHECK(copy_beside_writer(engine, *database));
  core::crash_point("log.checkpoint.copied");
  // The last frames while nothing is written: only then is the writer free to begin the file anew.
  SqliteCheckpointed last;
  CORE_CHECK(engine.hold([&](SqliteDatabase&) -> core::Status {
    const auto begun = steady_clock::now();
    CORE_TRY(last, database->checkpoint(SqliteCheckpoint::kPassive));
    copied = last.copied;
    report.turn_held = steady_clock::now() - begun;
    return {};
  }));
  report.ran = true;
  report.restarted = last.complete;
  report.copied_pages = static_cast<std::uint64_t>(last.copied);
  return report;
}

core::Result<std::optional<std::int64_t>> past_retention(SqliteEventLog& log, const RetentionRule& rule, events::EpochMs now_ms) {
  Engine& engine = log.engine();
  CORE_TRY(const EventLogFigures now, figures(log));
  auto& expired = engine.maintenance().expired_through;
  expired = std::max(expired, now.removed_through);
  std::int64_t through = 0;
  const auto read = engine.readers().with([&](event_log::ReadConnection& connection) -> core::Status {
    SqliteDatabase& database = connection.database();
    CORE_TRY(const std::int64_t young,
             database.integer(fmt::format("SELECT coalesce((SELECT position FROM events WHERE position > {} AND received_ms >= {} "
                                          "ORDER BY position LIMIT 1), {})", expired, now_ms - rule.max_age.count(), now.last_offset + 1)));
    expired = young - 1;
    through = expired;
    if (now.used_bytes > rule.max_bytes && now.first_offset > 0) {
      const double share = 1.0 - static_cast<double>(rule.max_bytes) / static_cast<double>(now.used_bytes);
      const auto events = static_cast<std::int64_t>(share * static_cast<double>(now.last_offset - now.first_offset + 1));
      through = std::max(through, now.first_offset + events - 1);
    }
    CORE_TRY(const std::int64_t pending, database.integer("SELECT coalesce(min(position), -1) FROM erasures WHERE state < 2"));
    if (pending >= 0) through = std::min(through, pending - 1);
    return {};
  });
  CORE_CHECK(read);
  through = std::min({through, engine.committed(), now.last_offset});
  if (through <= now.removed_through) return std::nullopt;
  return through;
}

core::Result<std::uint64_t> remove_through(SqliteEventLog& log, std::int64_t offset) {
  Engine& engine = log.engine();
  if (offset > engine.committed()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("events up to {} cannot be removed: their effects are durable up to {} only", offset, engine.committed()));
  }
  std::uint64_t removed = 0;
  std::int64_t slice = kFirstSlice;
  bool more = offset > engine.removed_through();
  while (more) {
    core::crash_point("retention.before_slice");
    std::int64_t last = offset;
    std::int64_t count = 0;
    steady_clock::duration took{};
    CORE_CHECK(engine.edit([&](SqliteDatabase& database) -> core::Status {
      const auto begun = steady_clock::now();
      CORE_TRY(const std::int64_t pending,
               database.integer(fmt::format("SELECT count(*) FROM erasures WHERE state < 2 AND position <= {}", offset)));
      if (pending > 0) return core::fail(core::ErrorCode::kFailedPrecondition, "an erasure is pending below the offset to remove");
      CORE_TRY(last, database.integer(fmt::format("SELECT coalesce((SELECT position FROM events ORDER BY position LIMIT 1 OFFSET {}), {})",
                                                  slice - 1, offset)));
      last = std::min(last, offset);
      CORE_CHECK(database.execute(fmt::format("DELETE FROM events WHERE position <= {}", last)));
      count = database.changes();
      CORE_CHECK(database.execute(fmt::format("DELETE FROM merges WHERE position <= {}; "
                                              "UPDATE log SET value = {} WHERE key = 'removed_through'", last, last)));
      took = steady_clock::now() - begun;
      return {};
    }));
    engine.note_removed(last);
    core::crash_point("retention.slice");
    removed += static_cast<std::uint64_t>(count);
    more = last < offset;
    slice = took > kSliceTarget ? std::max<std::int64_t>(slice / 2, 8) : std::min(slice * 2, kLargestSlice);
    if (more) std::this_thread::sleep_for(took * 2);
  }
  core::crash_point("retention.done");
  return removed;
}

}  // namespace scalestyle::adapters::embedded
