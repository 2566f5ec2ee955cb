#include "adapters/embedded/feature_checkpoint.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "adapters/embedded/feature_file_schema.hpp"
#include "core/crash_point.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr const char* kSchema =
    "CREATE TABLE meta(watermark_ms INTEGER NOT NULL, subjects INTEGER NOT NULL, items INTEGER NOT NULL, "
    "item_names INTEGER NOT NULL, categories INTEGER NOT NULL, options TEXT NOT NULL) STRICT;"
    "CREATE TABLE positions(stream TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, "
    "PRIMARY KEY(stream, partition)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE item_names(code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "CREATE TABLE categories(code INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "CREATE TABLE items(code INTEGER PRIMARY KEY, record BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;"
    "CREATE TABLE subjects(key TEXT PRIMARY KEY, record BLOB NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

std::int64_t crc_of(std::string_view first, std::string_view second) {
  uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(first.data()), first.size());
  crc = crc32_z(crc, reinterpret_cast<const Bytef*>(second.data()), second.size());
  return static_cast<std::int64_t>(crc);
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

core::Status create(SqliteDatabase& database, const events::FeatureOptions& options) {
  CORE_CHECK(database.execute("BEGIN IMMEDIATE"));
  CORE_CHECK(database.execute(kSchema));
  CORE_CHECK(database.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kFeatureFileApplication, kFeatureFileVersion)));
  CORE_TRY(auto meta, database.prepare("INSERT INTO meta VALUES(0, 0, 0, 0, 0, ?)"));
  const std::string text = fingerprint(options);
  meta.bind(1, std::string_view(text));
  CORE_CHECK(meta.run());
  return database.execute("COMMIT");
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

core::Error FeatureCheckpoint::damaged(std::string_view what) const {
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{}: {}; set the file aside and run `scalestyle events rebuild --replace`", path_.string(), what))
      .error();
}

core::Result<FeatureCheckpoint> FeatureCheckpoint::open(const std::filesystem::path& path, const events::FeatureOptions& options) {
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kReadWrite));
  CORE_CHECK(database.execute(kFeatureFilePragmas));
  CORE_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) {
    CORE_CHECK(create(database, options));
    CORE_CHECK(core::sync_folder(folder_of(path)));
  }
  CORE_CHECK(check_feature_file(database, path));
  CORE_TRY(const auto header, read_feature_file_header(database, path));
  if (const std::string wanted = fingerprint(options); header.info.options != wanted) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{} was made with other settings ({}) than those in force ({}): run `scalestyle events rebuild --replace`",
                                  path.string(), header.info.options, wanted));
  }
  return FeatureCheckpoint(std::move(database), path);
}

core::Result<CheckpointHeader> FeatureCheckpoint::load(FeatureState& state) {
  CORE_CHECK(database_.execute("BEGIN"));
  CORE_TRY(auto read, read_feature_file_header(database_, path_));
  CheckpointHeader header{std::move(read.info.positions), read.info.watermark_ms, read.info.subjects,
                          read.info.items,                read.item_names,        read.categories};
  CORE_CHECK(load_names(state, header));
  CORE_CHECK(load_items(state, header));
  CORE_CHECK(load_subjects(state, header));
  CORE_CHECK(database_.execute("COMMIT"));
  state.set_watermark(header.watermark_ms);
  state.finish_restore();
  return header;
}

core::Status FeatureCheckpoint::load_names(FeatureState& state, const CheckpointHeader& header) {
  for (const bool items : {true, false}) {
    const char* table = items ? "item_names" : "categories";
    CORE_TRY(auto rows, database_.prepare(fmt::format("SELECT code, name FROM {} ORDER BY code", table)));
    std::uint64_t count = 0;
    for (;; ++count) {
      CORE_TRY(const bool more, rows.step());
      if (!more) break;
      const std::int64_t code = rows.integer(0);
      const bool in_range = code >= 0 && code < static_cast<std::int64_t>(events::NameTable::kMaxNames);
      const auto restored = static_cast<events::NameCode>(code);
      if (!in_range || !(items ? state.restore_item_name(restored, rows.text(1)) : state.restore_category(restored, rows.text(1)))) {
        return std::unexpected(damaged(fmt::format("table {}, code {} cannot be", table, code)));
      }
    }
    const std::uint64_t expected = items ? header.item_names : header.categories;
    if (count != expected) return std::unexpected(damaged(fmt::format("table {} has {} rows instead of {}", table, count, expected)));
  }
  return {};
}

core::Status FeatureCheckpoint::load_items(FeatureState& state, const CheckpointHeader& header) {
  CORE_TRY(auto rows, database_.prepare("SELECT code, record, crc FROM items ORDER BY code"));
  std::uint64_t count = 0;
  for (;; ++count) {
    CORE_TRY(const bool more, rows.step());
    if (!more) break;
    const std::int64_t code = rows.integer(0);
    const std::string_view record = as_text(rows.blob(1));
    const bool in_range = code >= 0 && code < static_cast<std::int64_t>(events::NameTable::kMaxNames);
    if (!in_range || crc_of({}, record) != rows.integer(2) || !state.restore_item(static_cast<events::NameCode>(code), record)) {
      return std::unexpected(damaged(fmt::format("table items, code {} is damaged", code)));
    }
  }
  if (count != header.items) return std::unexpected(damaged(fmt::format("table items has {} rows instead of {}", count, header.items)));
  return {};
}

core::Status FeatureCheckpoint::load_subjects(FeatureState& state, const CheckpointHeader& header) {
  CORE_TRY(auto rows, database_.prepare("SELECT key, record, crc FROM subjects"));
  std::uint64_t count = 0;
  for (;; ++count) {
    CORE_TRY(const bool more, rows.step());
    if (!more) break;
    const std::string_view key = rows.text(0);
    const std::string_view record = as_text(rows.blob(1));
    const bool has_kind = key.starts_with("u:") || key.starts_with("s:");
    if (!has_kind || crc_of(key, record) != rows.integer(2) || !state.restore_subject(key, record)) {
      return std::unexpected(damaged(fmt::format("table subjects, row {} is damaged", count + 1)));
    }
  }
  if (count != header.subjects) {
    return std::unexpected(damaged(fmt::format("table subjects has {} rows instead of {}", count, header.subjects)));
  }
  return {};
}

core::Status FeatureCheckpoint::begin() { return database_.execute("BEGIN IMMEDIATE"); }

core::Status FeatureCheckpoint::write_item_names(std::span<const events::NameChange> changes, const events::NameTable& names) {
  return write_names("item_names", changes, names);
}
core::Status FeatureCheckpoint::write_categories(std::span<const events::NameChange> changes, const events::NameTable& names) {
  return write_names("categories", changes, names);
}

core::Status FeatureCheckpoint::write_names(std::string_view table, std::span<const events::NameChange> changes,
                                            const events::NameTable& names) {
  // Only what a code was at the end counts. Names in use then keep their text until the checkpoint is over.
  std::unordered_map<events::NameCode, bool> last;
  for (const events::NameChange& change : changes) last[change.code] = change.created;
  // Removals first: a name may have left one code and got another.
  CORE_TRY(auto removal, database_.prepare(fmt::format("DELETE FROM {} WHERE code = ?", table)));
  for (const auto& [code, created] : last) {
    if (created) continue;
    removal.bind(1, std::int64_t{code});
    CORE_CHECK(removal.run());
  }
  CORE_TRY(auto insertion, database_.prepare(fmt::format("INSERT OR REPLACE INTO {} VALUES(?, ?)", table)));
  for (const auto& [code, created] : last) {
    if (!created) continue;
    insertion.bind(1, std::int64_t{code});
    insertion.bind(2, names.name(code));
    CORE_CHECK(insertion.run());
  }
  return {};
}

core::Status FeatureCheckpoint::write_items(std::span<const events::NameCode> changed, ItemTable& items) {
  CORE_TRY(auto insertion, database_.prepare("INSERT OR REPLACE INTO items VALUES(?, ?, ?)"));
  CORE_TRY(auto removal, database_.prepare("DELETE FROM items WHERE code = ?"));
  std::vector<events::NameCode> in_order(changed.begin(), changed.end());
  std::ranges::sort(in_order);
  events::ItemRecord record;
  std::string bytes;
  for (const events::NameCode code : in_order) {
    const ItemTable::Taken taken = items.take_frozen(code, record);
    if (taken == ItemTable::Taken::kNothing) continue;
    if (taken == ItemTable::Taken::kRemoved) {
      removal.bind(1, std::int64_t{code});
      CORE_CHECK(removal.run());
      continue;
    }
    bytes.clear();
    record.encode(bytes);
    insertion.bind(1, std::int64_t{code});
    insertion.bind(2, as_bytes(bytes));
    insertion.bind(3, crc_of({}, bytes));
    CORE_CHECK(insertion.run());
  }
  return {};
}

core::Status FeatureCheckpoint::write_subjects(const SubjectTable::Changes& changes, SubjectTable& subjects) {
  CORE_TRY(auto removal, database_.prepare("DELETE FROM subjects WHERE key = ?"));
  for (const std::string& key : changes.removed) {
    removal.bind(1, std::string_view(key));
    CORE_CHECK(removal.run());
  }
  // In the order of the file, so that each page is written once.
  const std::vector<SubjectTable::Ref> in_order = subjects.frozen_by_key(changes.changed);
  CORE_TRY(auto insertion, database_.prepare("INSERT OR REPLACE INTO subjects VALUES(?, ?, ?)"));
  std::string key;
  std::string record;
  for (const SubjectTable::Ref ref : in_order) {
    if (!subjects.take_frozen(ref, key, record)) continue;
    insertion.bind(1, std::string_view(key));
    insertion.bind(2, as_bytes(record));
    insertion.bind(3, crc_of(key, record));
    CORE_CHECK(insertion.run());
  }
  return {};
}

core::Status FeatureCheckpoint::commit(const CheckpointHeader& header) {
  {
    CORE_TRY(auto meta, database_.prepare("UPDATE meta SET watermark_ms = ?, subjects = ?, items = ?, item_names = ?, categories = ?"));
    meta.bind(1, header.watermark_ms);
    meta.bind(2, static_cast<std::int64_t>(header.subjects));
    meta.bind(3, static_cast<std::int64_t>(header.items));
    meta.bind(4, static_cast<std::int64_t>(header.item_names));
    meta.bind(5, static_cast<std::int64_t>(header.categories));
    CORE_CHECK(meta.run());
    CORE_TRY(auto position, database_.prepare("INSERT OR REPLACE INTO positions VALUES(?, ?, ?)"));
    for (const events::EventPosition& included : header.positions) {
      position.bind(1, std::string_view(included.stream));
      position.bind(2, std::int64_t{included.partition});
      position.bind(3, included.offset);
      CORE_CHECK(position.run());
    }
  }
  core::crash_point("features.checkpoint.before_commit");
  CORE_CHECK(database_.execute("COMMIT"));
  core::crash_point("features.checkpoint.committed");
  return {};
}

void FeatureCheckpoint::rollback() {
  if (database_.in_transaction()) static_cast<void>(database_.execute("ROLLBACK"));
}

core::Status FeatureCheckpoint::empty_journal() {
  CORE_TRY(const SqliteCheckpointed emptied, database_.checkpoint(SqliteCheckpoint::kTruncate));
  core::crash_point("features.checkpoint.journal_emptied");
  if (emptied.complete) return {};
  return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: its journal is in use and could not be emptied", path_.string()));
}

core::Status FeatureCheckpoint::compact() { return database_.execute("VACUUM"); }

core::Status FeatureCheckpoint::copy_to(const std::filesystem::path& path) {
  const std::filesystem::path temporary = path.string() + ".new";
  std::error_code error;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(temporary.string() + suffix, error);
  {
    CORE_TRY(auto copy, database_.prepare("VACUUM INTO ?"));
    const std::string name = temporary.string();
    copy.bind(1, std::string_view(name));
    CORE_CHECK(copy.run());
  }
  CORE_CHECK(core::sync_file(temporary));
  core::crash_point("features.copy.before_rename");
  // A journal left by a connection to the file that is replaced must not be taken for the new one's.
  for (const char* suffix : {"-wal", "-shm", "-journal"}) std::filesystem::remove(path.string() + suffix, error);
  std::filesystem::rename(temporary, path, error);
  if (error) return std::unexpected(core::system_error("replace", path, error.value()));
  CORE_CHECK(core::sync_folder(folder_of(path)));
  core::crash_point("features.copy.renamed");
  return {};
}

}  // namespace scalestyle::adapters::embedded
