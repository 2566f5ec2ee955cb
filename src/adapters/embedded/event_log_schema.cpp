#include "adapters/embedded/event_log_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace scalestyle::adapters::embedded::event_log {

namespace {

constexpr std::int64_t kApplicationId = 0x53534C47;  // "SSLG"
constexpr std::int64_t kVersion = 1;

constexpr const char* kTables = R"sql(
  CREATE TABLE log (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    subject INTEGER,
    type INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    body TEXT NOT NULL);
  CREATE UNIQUE INDEX events_id ON events (id);
  CREATE INDEX events_subject ON events (subject) WHERE subject IS NOT NULL;
  CREATE TABLE merges (position INTEGER PRIMARY KEY, user INTEGER NOT NULL, session INTEGER NOT NULL);
  CREATE INDEX merges_user ON merges (user);
  CREATE INDEX merges_session ON merges (session);
  CREATE TABLE erasures (
    position INTEGER PRIMARY KEY,
    subject BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    state INTEGER NOT NULL);
  CREATE INDEX erasures_subject ON erasures (subject);
  CREATE INDEX erasures_open ON erasures (state) WHERE state < 2;
)sql";

std::string random_name() {
  std::random_device random;
  const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
  return fmt::format("{:015x}", bits >> 4);  // short enough to be copied with each position without an allocation
}

core::Status create(SqliteDatabase& database, const core::Clock& clock) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count();
  CORE_CHECK(database.execute(fmt::format(
      "BEGIN IMMEDIATE; {} INSERT INTO log VALUES ('name', '{}'), ('created_ms', {}), ('removed_through', 0), ('floor', 0); "
      "PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
      kTables, random_name(), now, kApplicationId, kVersion)));
  return {};
}

}  // namespace

core::Status configure_writer(SqliteDatabase& database, std::size_t cache_bytes) {
  return database.execute(fmt::format(
      "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; "
      "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA cache_size = -{};",
      std::max<std::size_t>(cache_bytes / 1024, 256)));
}

core::Status check(SqliteDatabase& database, const std::filesystem::path& path) {
  CORE_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  CORE_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  if (application != kApplicationId) {
    return core::fail(core::ErrorCode::kFailedPrecondition, fmt::format("{} is a database, but not an event log", path.string()));
  }
  if (version != kVersion) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{} has format version {}; this program reads version {}", path.string(), version, kVersion));
  }
  return {};
}

core::Status create_or_check(SqliteDatabase& database, const std::filesystem::path& path, const core::Clock& clock) {
  CORE_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  CORE_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  if (tables == 0 && application == 0) return create(database, clock);
  return check(database, path);
}

core::Result<LogState> read_state(SqliteDatabase& database) {
  LogState state;
  CORE_TRY(auto name, database.prepare("SELECT value FROM log WHERE key = 'name'"));
  CORE_TRY(const bool named, name.step());
  if (!named) return core::fail(core::ErrorCode::kDataLoss, "events.db: the log's name is missing");
  state.name = std::string(name.text(0));
  CORE_TRY(state.removed_through, database.integer("SELECT value FROM log WHERE key = 'removed_through'"));
  CORE_TRY(const std::int64_t floor, database.integer("SELECT value FROM log WHERE key = 'floor'"));
  CORE_TRY(const std::int64_t newest, database.integer("SELECT coalesce(max(position), 0) FROM events"));
  state.last_offset = std::max({state.removed_through, floor, newest});
  return state;
}

}  // namespace scalestyle::adapters::embedded::event_log
