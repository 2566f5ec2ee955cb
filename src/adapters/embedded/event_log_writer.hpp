#pragma once
// The one connection that writes events.db, with its statements. Not thread-safe: the Engine's write turn guards it.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "adapters/embedded/event_log_rows.hpp"
#include "adapters/embedded/sqlite_database.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::embedded::event_log {

struct Written {
  std::int64_t offset = 0;   // of the first event with this id; 0: passed over
  bool duplicate = false;
  bool forgotten = false;    // passed over: of before its subject's barrier
};

enum class CommitOutcome : std::uint8_t {
  kKept,
  kUndone,   // certainly not on disk
  kUnknown,  // perhaps on disk: nothing may be written any more
};
struct Commit {
  CommitOutcome outcome = CommitOutcome::kKept;
  core::Error error{};
};

class Writer {
 public:
  // `database` is configured and checked; `frames` holds the length of the write-ahead log after each commit.
  [[nodiscard]] static core::Result<std::unique_ptr<Writer>> make(SqliteDatabase database, std::int64_t last_offset);

  ~Writer();

  [[nodiscard]] SqliteDatabase& database() { return database_; }
  [[nodiscard]] std::int64_t last_offset() const { return next_offset_ - 1; }

  // A transaction: begin(), inserts and changes, then commit(); or undo() after an error.
  [[nodiscard]] core::Status begin();
  // An imported row may be passed over, and an anonymous kForget become one of the subject it is for.
  [[nodiscard]] core::Result<Written> insert(Row& row, bool imported);
  [[nodiscard]] Commit commit();
  // kUndone, or kUnknown when the connection cannot be brought back to a state to go on from.
  CommitOutcome undo();

 private:
  struct Statements;
  Writer(SqliteDatabase database, std::unique_ptr<Statements> statements, std::int64_t last_offset);
  [[nodiscard]] core::Result<bool> is_forgotten(const Row& row);
  [[nodiscard]] core::Status find_forgotten_subject(Row& row);
  [[nodiscard]] core::Status note_effects(const Row& row, std::int64_t offset);

  SqliteDatabase database_;
  std::unique_ptr<Statements> statements_;  // destroyed before the database
  std::int64_t next_offset_;
  std::int64_t first_of_transaction_;
};

}  // namespace scalestyle::adapters::embedded::event_log
