#include "adapters/embedded/sqlite_database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/disk_full.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr int kRollbackPatienceMs = 5'000;  // while another process does the same

core::Error sqlite_error(sqlite3* database, int code, std::string_view path) {
  core::ErrorCode kind = core::ErrorCode::kUnavailable;
  switch (code & 0xff) {
    case SQLITE_FULL: case SQLITE_NOMEM: case SQLITE_TOOBIG: kind = core::ErrorCode::kResourceExhausted; break;
    case SQLITE_PERM: case SQLITE_READONLY: case SQLITE_AUTH: kind = core::ErrorCode::kPermissionDenied; break;
    case SQLITE_CORRUPT: case SQLITE_NOTADB: case SQLITE_FORMAT: case SQLITE_SCHEMA: case SQLITE_ERROR:
    case SQLITE_CONSTRAINT: kind = core::ErrorCode::kDataLoss; break;
    default: break;
  }
  if ((code & 0xff) == SQLITE_FULL) {
    return core::fail(kind, fmt::format("{}: its disk is full; make room there: writing goes on by itself then", path),
                      std::string(core::kDiskFullField))
        .error();
  }
  const int system = database != nullptr ? sqlite3_system_errno(database) : 0;
  return core::fail(kind, fmt::format("{}: {}{}{}", path,
                                      database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code),
                                      system != 0 ? ": " : "",
                                      system != 0 ? std::generic_category().message(system) : std::string()))
      .error();
}

// A file name as an SQLite URI: everything that could be syntax is escaped.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char byte : std::filesystem::absolute(path).string()) {
    if (byte == '%' || byte == '?' || byte == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    } else {
      uri += byte;
    }
  }
  return uri + "?mode=ro&immutable=1";
}

// What is written to while the product serves is about people: its owner alone may read it. SQLite takes an empty file for
// a new database, and gives the journals beside a file its mode.
core::Status make_private_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return std::unexpected(core::system_error("create", path, errno));
  ::close(descriptor);
  return {};
}

// A process that died while it wrote under a rollback journal (SQLite makes a file a write-ahead one under such a journal) leaves a
// file that nobody may read before that transaction is rolled back, which a read-only connection cannot do.
core::Status roll_back_cut_off_transaction(sqlite3* reader, const std::string& path, const char* vfs) {
  const auto look = [](sqlite3* database) { return sqlite3_exec(database, "PRAGMA schema_version", nullptr, nullptr, nullptr); };
  const auto is_cut_off = [](sqlite3* database) { return sqlite3_extended_errcode(database) == SQLITE_READONLY_ROLLBACK; };
  if (look(reader) == SQLITE_OK || !is_cut_off(reader)) return {};
  sqlite3* writer = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &writer, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(writer, kRollbackPatienceMs);
    code = look(writer);
  }
  core::Status done;
  if (code != SQLITE_OK) {
    done = std::unexpected(sqlite_error(writer, code, path + ": rolling back the transaction that a dead process left in its journal"));
  }
  sqlite3_close(writer);
  return done;
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void SqliteDatabase::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

core::Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(sqlite_error(sqlite3_db_handle(statement_.get()), code, path_));
}

core::Status SqliteStatement::run() {
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) code = sqlite3_step(statement_.get());
  if (code != SQLITE_DONE) {
    auto error = sqlite_error(sqlite3_db_handle(statement_.get()), code, path_);
    sqlite3_reset(statement_.get());
    return std::unexpected(std::move(error));
  }
  sqlite3_reset(statement_.get());
  return {};
}

void SqliteStatement::reset() { sqlite3_reset(statement_.get()); }

void SqliteStatement::bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }
void SqliteStatement::bind(int index, double value) { sqlite3_bind_double(statement_.get(), index, value); }
void SqliteStatement::bind(int index, std::string_view text) {
  const char* data = text.data() != nullptr ? text.data() : "";
  sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
void SqliteStatement::bind(int index, std::span<const std::uint8_t> blob) {
  sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_STATIC);
}
void SqliteStatement::bind_null(int index) { sqlite3_bind_null(statement_.get(), index); }

bool SqliteStatement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double SqliteStatement::number(int column) const { return sqlite3_column_double(statement_.get(), column); }
std::string_view SqliteStatement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
std::span<const std::uint8_t> SqliteStatement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

core::Result<SqliteDatabase> SqliteDatabase::open(const std::filesystem::path& path, SqliteMode mode, const std::string& vfs) {
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  if (error) return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: {}", path.string(), error.message()));
  if (mode == SqliteMode::kCreate && exists) {
    return core::fail(core::ErrorCode::kAlreadyExists, fmt::format("{} exists already", path.string()));
  }
  if ((mode == SqliteMode::kImmutable || mode == SqliteMode::kReadOnly) && !exists) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("{} does not exist", path.string()));
  }
  const std::string name = mode == SqliteMode::kImmutable ? immutable_uri(path) : path.string();
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (mode == SqliteMode::kImmutable) flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  if (mode == SqliteMode::kReadOnly) flags = SQLITE_OPEN_READONLY;
  if (mode == SqliteMode::kReadWrite && !exists) CORE_CHECK(make_private_file(path));
  sqlite3* handle = nullptr;
  const char* const layer = vfs.empty() ? nullptr : vfs.c_str();
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, layer);
  SqliteDatabase database(handle, path.string());
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(handle, code, path.string()));
  if (mode == SqliteMode::kReadOnly) CORE_CHECK(roll_back_cut_off_transaction(handle, path.string(), layer));
  if (mode == SqliteMode::kCreate) {
    CORE_CHECK(database.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"));
  }
  return database;
}

core::Status SqliteDatabase::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database_.get(), code, path_));
  return {};
}

core::Result<SqliteStatement> SqliteDatabase::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database_.get(), code, path_));
  return SqliteStatement(statement, path_);
}

core::Result<std::int64_t> SqliteDatabase::integer(const std::string& sql) {
  CORE_TRY(auto statement, prepare(sql));
  CORE_TRY(const bool row, statement.step());
  if (!row) return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: nothing found by \"{}\"", path_, sql));
  return statement.integer(0);
}

std::int64_t SqliteDatabase::changes() const { return sqlite3_changes64(database_.get()); }
bool SqliteDatabase::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
bool SqliteDatabase::disk_was_full() const { return (sqlite3_errcode(database_.get()) & 0xff) == SQLITE_FULL; }

core::Result<SqliteCheckpointed> SqliteDatabase::checkpoint(SqliteCheckpoint kind) {
  int frames = 0;
  int copied = 0;
  const int mode = kind == SqliteCheckpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), "main", mode, &frames, &copied);
  if (code == SQLITE_BUSY) return SqliteCheckpointed{.complete = false, .frames = frames, .copied = copied};
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database_.get(), code, path_));
  return SqliteCheckpointed{.complete = frames == copied, .frames = frames, .copied = copied};
}

void SqliteDatabase::count_wal_frames(std::atomic<std::int64_t>& frames) {
  sqlite3_wal_hook(
      database_.get(),
      [](void* counter, sqlite3*, const char*, int pages) {
        static_cast<std::atomic<std::int64_t>*>(counter)->store(pages, std::memory_order_relaxed);
        return SQLITE_OK;
      },
      &frames);
}

template <class Use>
core::Status SqliteDatabase::with_file(Use&& use) {
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code == SQLITE_OK && (file == nullptr || file->pMethods == nullptr)) code = SQLITE_CANTOPEN;
  if (code == SQLITE_OK) code = use(file);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(nullptr, code, path_));
  return {};
}

core::Status SqliteDatabase::sync_file() {
  return with_file([](sqlite3_file* file) { return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY); });
}

core::Result<std::int64_t> SqliteDatabase::file_bytes() {
  sqlite3_int64 bytes = 0;
  CORE_CHECK(with_file([&](sqlite3_file* file) { return file->pMethods->xFileSize(file, &bytes); }));
  return std::int64_t{bytes};
}

core::Status SqliteDatabase::read_file(std::int64_t offset, std::span<std::uint8_t> bytes) {
  return with_file([&](sqlite3_file* file) {
    const int code = file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), offset);
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
  });
}

core::Status SqliteDatabase::write_file(std::int64_t offset, std::span<const std::uint8_t> bytes) {
  return with_file([&](sqlite3_file* file) {
    return file->pMethods->xWrite(file, bytes.data(), static_cast<int>(bytes.size()), offset);
  });
}

void SqliteDatabase::drop_cache() { sqlite3_db_release_memory(database_.get()); }

core::Status SqliteDatabase::close() {
  sqlite3* handle = database_.release();
  const int code = sqlite3_close(handle);
  if (code != SQLITE_OK) {
    auto error = sqlite_error(handle, code, path_);
    sqlite3_close_v2(handle);
    return std::unexpected(std::move(error));
  }
  return {};
}

}  // namespace scalestyle::adapters::embedded
