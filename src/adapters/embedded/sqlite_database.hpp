#pragma once
// One SQLite connection and its statements, with errors as core::Error. Not thread-safe.

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
};

class SqliteStatement {
 public:
  // True for a row, false at the end.
  [[nodiscard]] core::Result<bool> step();
  [[nodiscard]] core::Status run();  // steps to the end and resets, for statements without rows

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
  [[nodiscard]] static core::Result<SqliteDatabase> open(const std::filesystem::path& path, SqliteMode mode);

  [[nodiscard]] core::Status execute(const std::string& sql);
  [[nodiscard]] core::Result<SqliteStatement> prepare(const std::string& sql);
  // Reports what a silent close would not. The object is empty afterwards.
  [[nodiscard]] core::Status close();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  SqliteDatabase(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}
  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

}  // namespace scalestyle::adapters::embedded
