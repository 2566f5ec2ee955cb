#include "adapters/embedded/event_log_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace scalestyle::adapters::embedded::event_log {

namespace {

constexpr std::size_t kIdleConnections = 4;

// The sessions that were merged into the user, each with its merge and the one before that.
core::Status add_sessions(SqliteDatabase& database, const Hash& user, std::int64_t before, std::vector<Range>& ranges) {
  CORE_TRY(auto merges, database.prepare("SELECT m.position, e.body, (SELECT coalesce(max(p.position), 0) FROM merges p "
                                         "WHERE p.session = m.session AND p.position < m.position) "
                                         "FROM merges m JOIN events e ON e.position = m.position "
                                         "WHERE m.user = ? AND m.position < ? ORDER BY m.position"));
  merges.bind(1, subject_number(user));
  merges.bind(2, before);
  while (true) {
    CORE_TRY(const bool more, merges.step());
    if (!more) return {};
    const auto event = decode_row(merges.integer(0), merges.text(1));
    if (!event || !event->user_id || !event->session_id || subject_hash(events::Subject::user(*event->user_id)) != user) continue;
    const events::Subject session = events::Subject::session(*event->session_id);
    ranges.push_back({.subject = subject_hash(session), .above = merges.integer(2), .below = merges.integer(0), .session = session});
  }
}

const Range* hiding(const std::vector<Range>& ranges, std::int64_t number, const events::Event& event, std::int64_t offset) {
  std::optional<Hash> subject;
  for (const Range& range : ranges) {
    if (offset <= range.above || offset >= range.below || subject_number(range.subject) != number) continue;
    if (!subject) subject = subject_hash(event.subject());
    if (*subject == range.subject) return &range;
  }
  return nullptr;
}

}  // namespace

core::Result<std::vector<Range>> ranges_of(SqliteDatabase& database, const Hash& subject, std::int64_t offset) {
  std::vector<Range> ranges{{.subject = subject, .above = 0, .below = offset}};
  CORE_CHECK(add_sessions(database, subject, offset, ranges));
  return ranges;
}

core::Result<std::vector<Range>> hidden_ranges(SqliteDatabase& database) {
  CORE_TRY(auto pending, database.prepare("SELECT position, subject FROM erasures WHERE state = 0 AND state < 2"));
  std::vector<Range> ranges;
  while (true) {
    CORE_TRY(const bool more, pending.step());
    if (!more) return ranges;
    Hash subject{};
    const auto stored = pending.blob(1);
    if (stored.size() != subject.size()) return core::fail(core::ErrorCode::kDataLoss, "events.db: damaged row of erasures");
    std::copy(stored.begin(), stored.end(), subject.begin());
    CORE_TRY(auto own, ranges_of(database, subject, pending.integer(0)));
    ranges.insert(ranges.end(), own.begin(), own.end());
  }
}

core::Result<std::unique_ptr<ReadConnection>> ReadConnection::open(const std::filesystem::path& path, const std::string& vfs) {
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kReadOnly, vfs));
  CORE_CHECK(database.execute("PRAGMA busy_timeout = 2000; PRAGMA cell_size_check = ON; PRAGMA cache_size = -2048;"));
  CORE_CHECK(check(database, path));
  CORE_TRY(auto begin, database.prepare("BEGIN"));
  CORE_TRY(auto end, database.prepare("COMMIT"));
  CORE_TRY(auto page, database.prepare("SELECT position, subject, body FROM events WHERE position > ? AND position <= ? "
                                       "ORDER BY position LIMIT ?"));
  CORE_TRY(auto history, database.prepare("SELECT position, body FROM events WHERE subject = ? AND position > ? "
                                          "ORDER BY position"));
  CORE_TRY(auto erasure, database.prepare("SELECT state FROM erasures WHERE position = ?"));
  return std::unique_ptr<ReadConnection>(new ReadConnection(
      std::move(database), {std::move(begin), std::move(end), std::move(page), std::move(history), std::move(erasure)}));
}

core::Result<EventPage> ReadConnection::page(const PageRequest& request) {
  CORE_CHECK(statements_.begin.run());
  auto page = read_rows(request);
  statements_.page.reset();
  const auto ended = statements_.end.run();
  if (!page) return page;
  CORE_CHECK(ended);
  return page;
}

core::Result<EventPage> ReadConnection::read_rows(const PageRequest& request) {
  std::vector<Range> hidden;
  if (request.pending == PendingErasures::kHidden) {
    CORE_TRY(hidden, hidden_ranges(database_));
  }
  SqliteStatement& rows = statements_.page;
  rows.bind(1, request.after);
  rows.bind(2, request.through);
  rows.bind(3, static_cast<std::int64_t>(request.limit));
  EventPage page{.last_offset = request.after};
  while (true) {
    auto more = rows.step();
    if (!more) {
      return core::fail(core::ErrorCode::kDataLoss, fmt::format("{} (reading behind offset {})", more.error().message, page.last_offset));
    }
    if (!*more) return page;
    const std::int64_t offset = rows.integer(0);
    if (offset <= page.last_offset) {  // whoever goes on behind the last one would go round for ever
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("{}: damaged: offset {} follows {}", database_.path(), offset, page.last_offset));
    }
    page.last_offset = offset;
    events::EventPosition position{.stream = request.name, .partition = 0, .offset = page.last_offset};
    auto event = decode_row(page.last_offset, rows.text(2));
    if (!event) {
      page.undecodable.push_back({std::move(position), std::string(rows.text(2)), std::move(event).error().message});
      continue;
    }
    if (!hidden.empty() && !rows.is_null(1) && has_subject(*event) &&
        hiding(hidden, rows.integer(1), *event, page.last_offset) != nullptr) {
      make_anonymous(*event);
    }
    page.events.push_back({std::move(position), std::move(*event)});
  }
}

core::Result<std::vector<events::LoggedEvent>> ReadConnection::history(const events::Subject& subject, const PageRequest& request) {
  CORE_CHECK(statements_.begin.run());
  auto events = read_history(subject, request);
  statements_.history.reset();
  const auto ended = statements_.end.run();
  if (!events) return events;
  CORE_CHECK(ended);
  return events;
}

core::Result<std::vector<events::LoggedEvent>> ReadConnection::read_history(const events::Subject& subject,
                                                                            const PageRequest& request) {
  CORE_TRY(const auto hidden, hidden_ranges(database_));
  const Hash wanted = subject_hash(subject);
  SqliteStatement& rows = statements_.history;
  rows.bind(1, subject_number(wanted));
  rows.bind(2, request.after);
  std::vector<events::LoggedEvent> found;
  while (found.size() < request.limit) {
    CORE_TRY(const bool more, rows.step());
    if (!more) break;
    const std::int64_t offset = rows.integer(0);
    CORE_TRY(auto event, decode_row(offset, rows.text(1)));
    if (!has_subject(event) || event.subject() != subject || hiding(hidden, subject_number(wanted), event, offset) != nullptr) continue;
    // A request to be forgotten is itself hidden while it is pending: nothing of the subject shows.
    if (event.type == events::EventType::kForget) continue;
    found.push_back({{.stream = request.name, .partition = 0, .offset = offset}, std::move(event)});
  }
  return found;
}

core::Result<std::optional<Erasure>> ReadConnection::erasure(std::int64_t offset) {
  SqliteStatement& row = statements_.erasure;
  row.bind(1, offset);
  auto found = row.step();
  std::optional<Erasure> state;
  if (found && *found) state = static_cast<Erasure>(row.integer(0));
  row.reset();
  if (!found) return std::unexpected(std::move(found).error());
  return state;
}

core::Result<std::unique_ptr<ReadConnection>> ReadConnections::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return ReadConnection::open(path_, vfs_);
}

void ReadConnections::give_back(std::unique_ptr<ReadConnection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
}

}  // namespace scalestyle::adapters::embedded::event_log
