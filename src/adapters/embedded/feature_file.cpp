#include "adapters/embedded/feature_file.hpp"

#include <fmt/format.h>

#include <system_error>

#include "adapters/embedded/feature_file_schema.hpp"
#include "adapters/embedded/sqlite_database.hpp"

namespace scalestyle::adapters::embedded {

std::string fingerprint(const events::FeatureOptions& options) {
  return fmt::format(
      "affinity_half_life_seconds={};global_half_life_seconds={};session_ttl_seconds={};user_ttl_seconds={};"
      "max_recent_items={};max_affinities={}",
      options.affinity_half_life_seconds, options.global_half_life_seconds, options.session_ttl_seconds,
      options.user_ttl_seconds, options.max_recent_items, options.max_affinities);
}

core::Status check_feature_file(SqliteDatabase& database, const std::filesystem::path& path) {
  CORE_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  if (application == 0) {
    CORE_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) return core::fail(core::ErrorCode::kNotFound, fmt::format("{} is empty: its making was cut off", path.string()));
  }
  if (application != kFeatureFileApplication) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("{} is not a feature file", path.string()));
  }
  CORE_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  if (version != kFeatureFileVersion) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{} has format version {}, this program writes {}: run `scalestyle events rebuild`",
                                  path.string(), version, kFeatureFileVersion));
  }
  return {};
}

core::Result<FeatureFileHeader> read_feature_file_header(SqliteDatabase& database, const std::filesystem::path& path) {
  FeatureFileHeader header;
  CORE_TRY(auto meta, database.prepare("SELECT watermark_ms, subjects, items, item_names, categories, options FROM meta"));
  CORE_TRY(const bool found, meta.step());
  if (!found) return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: table meta is empty", path.string()));
  header.info.watermark_ms = meta.integer(0);
  header.info.subjects = static_cast<std::uint64_t>(meta.integer(1));
  header.info.items = static_cast<std::uint64_t>(meta.integer(2));
  header.item_names = static_cast<std::uint64_t>(meta.integer(3));
  header.categories = static_cast<std::uint64_t>(meta.integer(4));
  header.info.options = std::string(meta.text(5));
  CORE_TRY(auto positions, database.prepare("SELECT stream, partition, offset FROM positions ORDER BY stream, partition"));
  while (true) {
    CORE_TRY(const bool more, positions.step());
    if (!more) return header;
    header.info.positions.push_back(
        {std::string(positions.text(0)), static_cast<std::int32_t>(positions.integer(1)), positions.integer(2)});
  }
}

core::Result<FeatureFileInfo> read_feature_file_info(const std::filesystem::path& path) {
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kReadOnly));
  CORE_CHECK(check_feature_file(database, path));
  CORE_TRY(auto header, read_feature_file_header(database, path));
  return std::move(header.info);
}

core::Status scrub_subject(const std::filesystem::path& path, const events::Subject& subject) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    if (error) return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: {}", path.string(), error.message()));
    return {};
  }
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kReadWrite));
  CORE_CHECK(check_feature_file(database, path));
  CORE_CHECK(database.execute(kFeatureFilePragmas));
  const std::string key = subject.key();
  bool is_there = false;
  {
    CORE_TRY(auto row, database.prepare("SELECT 1 FROM subjects WHERE key = ?"));
    row.bind(1, std::string_view(key));
    CORE_TRY(is_there, row.step());
  }
  // Pages that were balanced keep old copies of rows in the space between their cells, which secure_delete does not reach.
  // Written anew, the file has each row once; then removing one removes its bytes.
  if (is_there) CORE_CHECK(database.execute("VACUUM"));
  CORE_CHECK(database.execute("BEGIN IMMEDIATE"));
  {
    CORE_TRY(auto removal, database.prepare("DELETE FROM subjects WHERE key = ?"));
    removal.bind(1, std::string_view(key));
    CORE_CHECK(removal.run());
    CORE_TRY(auto count, database.prepare("UPDATE meta SET subjects = subjects - ?"));
    count.bind(1, database.changes());
    CORE_CHECK(count.run());
  }
  CORE_CHECK(database.execute("COMMIT"));
  CORE_TRY(const SqliteCheckpointed emptied, database.checkpoint(SqliteCheckpoint::kTruncate));
  if (!emptied.complete) {
    return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: its journal is in use and could not be emptied", path.string()));
  }
  return database.close();
}

}  // namespace scalestyle::adapters::embedded
