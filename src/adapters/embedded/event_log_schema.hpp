#pragma once
// The tables of events.db (docs/formats/events.md), made and checked.

#include <cstdint>
#include <filesystem>
#include <string>

#include "adapters/embedded/sqlite_database.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::embedded::event_log {

inline constexpr std::string_view kDatabaseFile = "events.db";
inline constexpr std::string_view kLockFile = "events.lock";
inline constexpr std::string_view kWalSuffix = "-wal";

// States of a row of `erasures`.
enum class Erasure : std::int64_t {
  kPending = 0,  // what it asks for is hidden from readers, and in the file
  kCleared = 1,  // gone from the tables; old pages may still be in the write-ahead log
  kErased = 2,
};

struct LogState {
  std::string name{};
  std::int64_t removed_through = 0;
  std::int64_t last_offset = 0;  // ever given, as far as the file tells
};

// Sets a writing connection up: write-ahead log, a sync for each commit, no automatic checkpoint.
[[nodiscard]] core::Status configure_writer(SqliteDatabase& database, std::size_t cache_bytes);

// Makes the tables where the file is new. kFailedPrecondition for a file of another kind or version.
[[nodiscard]] core::Status create_or_check(SqliteDatabase& database, const std::filesystem::path& path, const core::Clock& clock);
[[nodiscard]] core::Status check(SqliteDatabase& database, const std::filesystem::path& path);

[[nodiscard]] core::Result<LogState> read_state(SqliteDatabase& database);

}  // namespace scalestyle::adapters::embedded::event_log
