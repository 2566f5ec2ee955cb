#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "adapters/embedded/event_log_connection.hpp"
#include "adapters/embedded/event_log_engine.hpp"
#include "adapters/embedded/event_log_maintenance.hpp"
#include "adapters/embedded/page_gaps.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::embedded {

namespace {

using event_log::Engine;
using event_log::Erasure;
using event_log::Hash;
using event_log::Range;

constexpr std::size_t kSliceRows = 64;
constexpr std::size_t kSlicePages = 64;

struct Pending {
  std::int64_t offset = 0;
  Hash subject{};
  events::EpochMs received_ms = 0;
};

core::Result<std::vector<Pending>> pending_erasures(Engine& engine) {
  return engine.readers().with([&](event_log::ReadConnection& connection) -> core::Result<std::vector<Pending>> {
    CORE_TRY(auto rows, connection.database().prepare("SELECT position, subject, received_ms FROM erasures "
                                                      "WHERE state = 0 AND state < 2 AND position <= ? ORDER BY position"));
    rows.bind(1, engine.committed());
    std::vector<Pending> pending;
    while (true) {
      CORE_TRY(const bool more, rows.step());
      if (!more) return pending;
      Pending one{.offset = rows.integer(0), .received_ms = rows.integer(2)};
      const auto subject = rows.blob(1);
      if (subject.size() != one.subject.size()) return core::fail(core::ErrorCode::kDataLoss, "events.db: damaged row of erasures");
      std::copy(subject.begin(), subject.end(), one.subject.begin());
      pending.push_back(one);
    }
  });
}

struct FoundRow {
  std::int64_t offset = 0;
  std::optional<events::Event> event{};  // none: undecodable
};

// The next rows of a range, at most kSliceRows; those of another subject with the same number are left out.
core::Result<std::vector<FoundRow>> rows_of(SqliteDatabase& database, const Range& range, std::int64_t& after) {
  CORE_TRY(auto rows, database.prepare("SELECT position, body FROM events WHERE subject = ? AND position > ? AND position < ? "
                                       "ORDER BY position LIMIT ?"));
  rows.bind(1, event_log::subject_number(range.subject));
  rows.bind(2, std::max(after, range.above));
  rows.bind(3, range.below);
  rows.bind(4, static_cast<std::int64_t>(kSliceRows));
  std::vector<FoundRow> found;
  bool any = false;
  while (true) {
    CORE_TRY(const bool more, rows.step());
    if (!more) break;
    any = true;
    after = rows.integer(0);
    auto event = event_log::decode_row(after, rows.text(1));
    if (!event) {
      found.push_back({after, std::nullopt});
    } else if (event_log::has_subject(*event) && event_log::subject_hash(event->subject()) == range.subject) {
      found.push_back({after, std::move(*event)});
    }
  }
  if (!any) after = range.below;
  return found;
}

core::Status replace_body(SqliteDatabase& database, std::int64_t offset, events::Event event) {
  event_log::make_anonymous(event);
  const event_log::Row row = event_log::make_row(std::move(event));
  CORE_TRY(auto update, database.prepare("UPDATE events SET subject = NULL, type = ?, body = ? WHERE position = ?"));
  update.bind(1, static_cast<std::int64_t>(row.event.type));
  update.bind(2, std::string_view(row.body));
  update.bind(3, offset);
  return update.run();
}

core::Status set_state(SqliteDatabase& database, std::int64_t offset, Erasure state) {
  return database.execute(
      fmt::format("UPDATE erasures SET state = {} WHERE position = {}", static_cast<std::int64_t>(state), offset));
}

// Makes every row of the range anonymous: each keeps its id, so that a repetition of its event is known. What cannot be
// read goes.
core::Status clear_range(Engine& engine, const Range& range) {
  std::int64_t after = range.above;
  while (after < range.below) {
    CORE_CHECK(engine.edit([&](SqliteDatabase& database) -> core::Status {
      CORE_TRY(auto rows, rows_of(database, range, after));
      for (FoundRow& row : rows) {
        if (row.event) {
          CORE_CHECK(replace_body(database, row.offset, std::move(*row.event)));
          CORE_CHECK(database.execute(fmt::format("DELETE FROM merges WHERE position = {}", row.offset)));
        } else {
          CORE_CHECK(database.execute(fmt::format("DELETE FROM events WHERE position = {}", row.offset)));
        }
      }
      return {};
    }));
    core::crash_point("erasure.slice");
    if (after < range.below) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

core::Result<events::Event> forget_event(Engine& engine, const Pending& pending) {
  return engine.readers().with([&](event_log::ReadConnection& connection) -> core::Result<events::Event> {
    CORE_TRY(auto row, connection.database().prepare("SELECT body FROM events WHERE position = ?"));
    row.bind(1, pending.offset);
    CORE_TRY(const bool there, row.step());
    if (!there) {
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("events.db: the request to be forgotten at offset {} is missing", pending.offset));
    }
    return event_log::decode_row(pending.offset, row.text(0));
  });
}

core::Status erase_one(Engine& engine, const Pending& pending, const Scrub& scrub) {
  core::crash_point("erasure.begin");
  CORE_TRY(events::Event forget, forget_event(engine, pending));
  std::vector<Range> ranges;
  const auto read = engine.readers().with([&](event_log::ReadConnection& connection) -> core::Status {
    CORE_TRY(ranges, event_log::ranges_of(connection.database(), pending.subject, pending.offset));
    return {};
  });
  CORE_CHECK(read);
  Forgotten forgotten{.subject = forget.subject(), .barrier_offset = pending.offset, .barrier_ms = pending.received_ms};
  // The sessions first and the subject's own rows, its merges among them, last: a repetition finds the sessions still.
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    if (range->session) forgotten.sessions.push_back({*range->session, range->above, range->below});
  }
  CORE_CHECK(scrub(forgotten));
  core::crash_point("erasure.scrubbed");
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) CORE_CHECK(clear_range(engine, *range));
  CORE_CHECK(engine.edit([&](SqliteDatabase& database) -> core::Status {
    CORE_CHECK(replace_body(database, pending.offset, std::move(forget)));
    return set_state(database, pending.offset, Erasure::kCleared);
  }));
  core::crash_point("erasure.marked");
  return {};
}

core::Status empty_wal(SqliteDatabase& checkpointer) {
  CORE_TRY(const auto emptied, checkpointer.checkpoint(SqliteCheckpoint::kTruncate));
  if (!emptied.complete) return core::fail(core::ErrorCode::kUnavailable, "events.db: a reader holds on to old pages; try again");
  return {};
}

// Old copies of the rows that were cleared may be in any page that rows were moved from. Those pages are looked for beside
// the writer: no new copies are made, since the rows are gone.
core::Status clear_old_copies(Engine& engine, SqliteDatabase& checkpointer) {
  CORE_TRY(const auto pages, pages_with_full_gaps(checkpointer));
  for (std::size_t at = 0; at < pages.size(); at += kSlicePages) {
    const auto slice = std::span(pages).subspan(at, std::min(kSlicePages, pages.size() - at));
    CORE_CHECK(engine.hold([&](SqliteDatabase& writer) -> core::Status {
      CORE_CHECK(empty_wal(checkpointer));
      engine.maintenance().copied_frames = engine.wal_frames();
      CORE_CHECK(clear_gaps(checkpointer, slice));
      writer.drop_cache();
      return {};
    }));
    core::crash_point("erasure.gaps");
  }
  return {};
}

// Empties the write-ahead log, which has pages from before, and tells those who wait. Readers can be in the way for a moment.
core::Result<std::size_t> finish_cleared(SqliteEventLog& log) {
  Engine& engine = log.engine();
  std::vector<std::int64_t> cleared;
  CORE_TRY(const EventLogFigures now, figures(log));
  if (now.pending_erasures == 0) return 0;
  CORE_CHECK(checkpoint_wal(log, {.wal_bytes = 1}));  // most of it beside the writer
  CORE_TRY(SqliteDatabase* const database, engine.checkpointer());
  CORE_CHECK(engine.hold([&](SqliteDatabase& writer) -> core::Status {
    CORE_TRY(auto rows, writer.prepare("SELECT position FROM erasures WHERE state = 1 AND state < 2"));
    while (true) {
      CORE_TRY(const bool more, rows.step());
      if (!more) break;
      cleared.push_back(rows.integer(0));
    }
    if (cleared.empty()) return {};
    rows.reset();
    CORE_CHECK(empty_wal(*database));
    engine.maintenance().copied_frames = engine.wal_frames();
    return {};
  }));
  core::crash_point("erasure.truncated");
  if (!cleared.empty()) CORE_CHECK(clear_old_copies(engine, *database));
  for (const std::int64_t offset : cleared) {
    CORE_CHECK(engine.edit([&](SqliteDatabase& writer) { return set_state(writer, offset, Erasure::kErased); }));
    engine.note_erased(offset);
  }
  return cleared.size();
}

}  // namespace

core::Result<std::size_t> erase_pending(SqliteEventLog& log, const Scrub& scrub) {
  Engine& engine = log.engine();
  CORE_TRY(const auto pending, pending_erasures(engine));
  for (const Pending& one : pending) CORE_CHECK(erase_one(engine, one, scrub));
  return finish_cleared(log);
}

}  // namespace scalestyle::adapters::embedded
