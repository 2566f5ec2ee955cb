#pragma once
// One SQLite connection and its statements, with errors as core::Error. Not thread-safe.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace scalestyle::adapters::embedded {

enum class SqliteMode : std::uint8_t {
  kCreate,    // a new file, which must not exist; no journal: the caller deletes a half-written file
  kImmutable, // a file that nobody changes: no locks, nothing written beside it
  kReadWrite, // made when missing; journal and syncs as the caller's PRAGMAs say
  kReadOnly,  // a file that others may be writing; a transaction that a dead process left half-written is rolled back first
};

// How sqlite3_wal_checkpoint_v2() goes about it.
enum class SqliteCheckpoint : std::uint8_t {
  kPassive,   // copies what it can without waiting for anybody
  kTruncate,  // copies everything, waiting for readers as long as the busy time-out says, and empties the file
};
struct SqliteCheckpointed {
  bool complete = false;    // all frames are in the database
  std::int64_t frames = 0;  // in the write-ahead log
  std::int64_t copied = 0;  // of these
};

class SqliteStatement {
 public:
  // True for a row, false at the end.
  [[nodiscard]] core::Result<bool> step();
  [[nodiscard]] core::Status run();  // steps to the end and resets, for statements without rows
  void reset();                      // before binding again, and to end a read that stopped early

  void bind(int index, std::int64_t value);
  void bind(int index, double value);
  void bind(int index, std::string_view text);  // must live until the statement is reset
  void bind(int index, std::span<const std::uint8_t> blob);
  void bind_null(int index);

  // Columns from 0; views live until the next step(). NULL reads as 0 or empty.
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double number(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::span<const std::uint8_t> blob(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(sqlite3_stmt* statement, std::string path) : statement_(statement), path_(std::move(path)) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string path_;
};

class SqliteDatabase {
 public:
  // Errors: kNotFound, kPermissionDenied, kResourceExhausted (disk full), kDataLoss (not a database), kUnavailable.
  // `vfs` names SQLite's file layer; empty: the system's.
  [[nodiscard]] static core::Result<SqliteDatabase> open(const std::filesystem::path& path, SqliteMode mode,
                                                         const std::string& vfs = {});

  [[nodiscard]] core::Status execute(const std::string& sql);
  [[nodiscard]] core::Result<SqliteStatement> prepare(const std::string& sql);
  // The first column of the first row; kDataLoss when there is no row.
  [[nodiscard]] core::Result<std::int64_t> integer(const std::string& sql);
  [[nodiscard]] std::int64_t changes() const;     // rows that the last INSERT, UPDATE or DELETE touched
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] bool disk_was_full() const;       // why the last call failed: not one byte of it is in the file's content
  [[nodiscard]] core::Result<SqliteCheckpointed> checkpoint(SqliteCheckpoint kind);
  // From now on `frames` holds how many pages the write-ahead log has after each commit of this connection. Replaces
  // automatic checkpoints. `frames` must outlive the connection.
  void count_wal_frames(std::atomic<std::int64_t>& frames);
  // Syncs the database file itself, through SQLite's own handle: a second one, closed, would drop SQLite's locks.
  [[nodiscard]] core::Status sync_file();
  // The file's bytes, past SQLite's pages in memory and its journals: for what knows the format (page_gaps.hpp). Through
  // SQLite's own handle, as above. Behind the end of the file are zeros.
  [[nodiscard]] core::Result<std::int64_t> file_bytes();
  [[nodiscard]] core::Status read_file(std::int64_t offset, std::span<std::uint8_t> bytes);
  [[nodiscard]] core::Status write_file(std::int64_t offset, std::span<const std::uint8_t> bytes);
  // Pages of the file that are in memory are read again when they are needed. Not inside a transaction.
  void drop_cache();
  [[nodiscard]] const std::string& path() const { return path_; }
  // Reports what a silent close would not. The object is empty afterwards.
  [[nodiscard]] core::Status close();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  SqliteDatabase(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}
  // Calls `use` with SQLite's handle of the file.
  template <class Use>
  [[nodiscard]] core::Status with_file(Use&& use);
  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

}  // namespace scalestyle::adapters::embedded
