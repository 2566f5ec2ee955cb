#pragma once
// Connections that read events.db, and the hiding of what pending erasures have not yet removed.
// Each read is one transaction, so that it sees events and erasures of one moment.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/event_log_rows.hpp"
#include "adapters/embedded/event_log_schema.hpp"
#include "adapters/embedded/sqlite_database.hpp"
#include "core/result.hpp"
#include "events/subject.hpp"

namespace scalestyle::adapters::embedded::event_log {

// Events of one subject between two offsets, both not included.
struct Range {
  Hash subject{};
  std::int64_t above = 0;
  std::int64_t below = 0;
  std::optional<events::Subject> session{};  // of a session that was merged into the subject
};

// What the kForget event at `offset` asks to erase: the subject's events before it, and for a user those of each session
// up to its merge into the user.
[[nodiscard]] core::Result<std::vector<Range>> ranges_of(SqliteDatabase& database, const Hash& subject, std::int64_t offset);

// Of all pending erasures.
[[nodiscard]] core::Result<std::vector<Range>> hidden_ranges(SqliteDatabase& database);

// Not thread-safe.
class ReadConnection {
 public:
  // `name` may be empty: then the file's own.
  [[nodiscard]] static core::Result<std::unique_ptr<ReadConnection>> open(const std::filesystem::path& path,
                                                                          const std::string& vfs);

  [[nodiscard]] core::Result<LogState> state() { return read_state(database_); }
  [[nodiscard]] SqliteDatabase& database() { return database_; }

  // At most `limit` records above `after`, none above `through`.
  struct PageRequest {
    std::string name{};  // of the log
    std::int64_t after = 0;
    std::int64_t through = 0;
    std::size_t limit = 0;
    PendingErasures pending = PendingErasures::kHidden;
  };
  [[nodiscard]] core::Result<EventPage> page(const PageRequest& request);
  [[nodiscard]] core::Result<std::vector<events::LoggedEvent>> history(const events::Subject& subject, const PageRequest& request);
  // Of the kForget event at `offset`; nullopt: there was none.
  [[nodiscard]] core::Result<std::optional<Erasure>> erasure(std::int64_t offset);

 private:
  struct Statements {
    SqliteStatement begin;
    SqliteStatement end;
    SqliteStatement page;
    SqliteStatement history;
    SqliteStatement erasure;
  };
  ReadConnection(SqliteDatabase database, Statements statements)
      : database_(std::move(database)), statements_(std::move(statements)) {}
  core::Result<EventPage> read_rows(const PageRequest& request);
  core::Result<std::vector<events::LoggedEvent>> read_history(const events::Subject& subject, const PageRequest& request);

  SqliteDatabase database_;
  Statements statements_;
};

// Connections for readers on several threads: one for each that reads at the same time. Thread-safe.
class ReadConnections {
 public:
  ReadConnections(std::filesystem::path path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  // Calls read(ReadConnection&) with a connection that nobody else uses meanwhile.
  template <class Read>
  auto with(const Read& read) -> decltype(read(std::declval<ReadConnection&>())) {
    auto connection = take();
    if (!connection) return std::unexpected(std::move(connection).error());
    auto result = read(**connection);
    if (result) give_back(std::move(*connection));  // after an error a fresh one is opened
    return result;
  }

 private:
  core::Result<std::unique_ptr<ReadConnection>> take();
  void give_back(std::unique_ptr<ReadConnection> connection);

  std::filesystem::path path_;
  std::string vfs_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ReadConnection>> idle_;  // guarded by mutex_
};

}  // namespace scalestyle::adapters::embedded::event_log
