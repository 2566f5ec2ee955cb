#include "adapters/embedded/event_log_writer.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/embedded/event_log_schema.hpp"

namespace scalestyle::adapters::embedded::event_log {

struct Writer::Statements {
  SqliteStatement begin;
  SqliteStatement commit;
  SqliteStatement rollback;
  SqliteStatement insert;
  SqliteStatement find;
  SqliteStatement barrier;
  SqliteStatement of_subject;
  SqliteStatement merge;
  SqliteStatement erasure;
};

Writer::Writer(SqliteDatabase database, std::unique_ptr<Statements> statements, std::int64_t last_offset)
    : database_(std::move(database)),
      statements_(std::move(statements)),
      next_offset_(last_offset + 1),
      first_of_transaction_(next_offset_) {}

core::Result<std::unique_ptr<Writer>> Writer::make(SqliteDatabase database, std::int64_t last_offset) {
  CORE_TRY(auto begin, database.prepare("BEGIN IMMEDIATE"));
  CORE_TRY(auto commit, database.prepare("COMMIT"));
  CORE_TRY(auto rollback, database.prepare("ROLLBACK"));
  CORE_TRY(auto insert, database.prepare("INSERT INTO events (position, id, subject, type, received_ms, body) "
                                         "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"));
  CORE_TRY(auto find, database.prepare("SELECT position FROM events WHERE id = ?"));
  CORE_TRY(auto barrier, database.prepare("SELECT max(received_ms) FROM erasures WHERE subject = ?"));
  CORE_TRY(auto of_subject, database.prepare("SELECT position, body FROM events WHERE subject = ?"));
  CORE_TRY(auto merge, database.prepare("INSERT INTO merges (position, user, session) VALUES (?, ?, ?)"));
  CORE_TRY(auto erasure, database.prepare("INSERT INTO erasures (position, subject, received_ms, state) VALUES (?, ?, ?, ?)"));
  auto statements = std::make_unique<Statements>(
      Statements{std::move(begin), std::move(commit), std::move(rollback), std::move(insert), std::move(find),
                 std::move(barrier), std::move(of_subject), std::move(merge), std::move(erasure)});
  return std::unique_ptr<Writer>(new Writer(std::move(database), std::move(statements), last_offset));
}

Writer::~Writer() = default;

core::Status Writer::begin() {
  first_of_transaction_ = next_offset_;
  return statements_->begin.run();
}

core::Result<Written> Writer::insert(Row& row, bool imported) {
  if (imported) {
    CORE_TRY(const bool forgotten, is_forgotten(row));
    if (forgotten) return Written{.offset = 0, .duplicate = false, .forgotten = true};
    CORE_CHECK(find_forgotten_subject(row));
  }
  SqliteStatement& insert = statements_->insert;
  insert.bind(1, next_offset_);
  insert.bind(2, row.id);
  if (row.subject) {
    insert.bind(3, subject_number(*row.subject));
  } else {
    insert.bind_null(3);
  }
  insert.bind(4, static_cast<std::int64_t>(row.event.type));
  insert.bind(5, row.event.received_time_ms);
  insert.bind(6, row.body);
  CORE_CHECK(insert.run());
  if (database_.changes() == 1) {
    const std::int64_t offset = next_offset_++;
    CORE_CHECK(note_effects(row, offset));
    return Written{.offset = offset};
  }
  SqliteStatement& find = statements_->find;
  find.bind(1, row.id);
  auto found = find.step();
  const std::int64_t first = found && *found ? find.integer(0) : 0;
  find.reset();
  if (!found) return std::unexpected(std::move(found).error());
  if (first == 0) return core::fail(core::ErrorCode::kDataLoss, "events.db: the index of event ids does not fit its table");
  return Written{.offset = first, .duplicate = true};
}

core::Result<bool> Writer::is_forgotten(const Row& row) {
  if (!row.subject) return false;
  SqliteStatement& barrier = statements_->barrier;
  barrier.bind(1, *row.subject);
  auto found = barrier.step();
  const bool forgotten = found && *found && !barrier.is_null(0) && row.event.received_time_ms <= barrier.integer(0);
  barrier.reset();
  if (!found) return std::unexpected(std::move(found).error());
  return forgotten;
}

core::Status Writer::find_forgotten_subject(Row& row) {
  const auto wanted = forgotten_subject(row.event);
  if (!wanted) return {};
  SqliteStatement& rows = statements_->of_subject;
  rows.bind(1, subject_number(*wanted));
  core::Status status;
  while (true) {
    auto more = rows.step();
    if (!more) status = std::unexpected(std::move(more).error());
    if (!more || !*more) break;
    const auto event = decode_row(rows.integer(0), rows.text(1));
    if (!event || !has_subject(*event) || subject_hash(event->subject()) != *wanted) continue;
    const events::Subject subject = event->subject();
    if (subject.kind == events::SubjectKind::kUser) row.event.user_id = core::UserId(subject.id);
    if (subject.kind == events::SubjectKind::kSession) row.event.session_id = core::SessionId(subject.id);
    row = make_row(std::move(row.event));
    break;
  }
  rows.reset();
  return status;
}

core::Status Writer::note_effects(const Row& row, std::int64_t offset) {
  if (row.event.type == events::EventType::kMerge && row.event.user_id && row.event.session_id) {
    SqliteStatement& merge = statements_->merge;
    merge.bind(1, offset);
    merge.bind(2, subject_number(subject_hash(events::Subject::user(*row.event.user_id))));
    merge.bind(3, subject_number(subject_hash(events::Subject::session(*row.event.session_id))));
    return merge.run();
  }
  if (row.event.type == events::EventType::kForget) {
    const std::optional<Hash> anonymous = forgotten_subject(row.event);
    const std::optional<Hash> subject = row.subject ? row.subject : anonymous;
    if (!subject) return {};
    SqliteStatement& erasure = statements_->erasure;
    erasure.bind(1, offset);
    erasure.bind(2, *subject);
    erasure.bind(3, row.event.received_time_ms);
    erasure.bind(4, static_cast<std::int64_t>(row.subject ? Erasure::kPending : Erasure::kErased));
    return erasure.run();
  }
  return {};
}

Commit Writer::commit() {
  auto committed = statements_->commit.run();
  if (committed) return {};
  // A full disk is met while frames are written, the one that marks the commit last. Whatever else fails can fail behind it.
  const bool full = database_.disk_was_full();
  const CommitOutcome undone = undo();
  return {.outcome = full ? undone : CommitOutcome::kUnknown, .error = std::move(committed).error()};
}

CommitOutcome Writer::undo() {
  next_offset_ = first_of_transaction_;
  if (!database_.in_transaction()) return CommitOutcome::kUndone;
  return statements_->rollback.run() ? CommitOutcome::kUndone : CommitOutcome::kUnknown;
}

}  // namespace scalestyle::adapters::embedded::event_log
