#include "adapters/embedded/catalog_change_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>

#include "adapters/embedded/catalog_change_rows.hpp"
#include "adapters/embedded/sqlite_database.hpp"
#include "core/crash_point.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kMaxRead = 100'000;
constexpr const char* kLockFile = "changes.lock";

// Reads rows of sequence, time and change until the statement ends.
core::Result<std::vector<ports::LoggedChange>> read_changes(SqliteStatement& rows, const std::string& path) {
  std::vector<ports::LoggedChange> changes;
  while (true) {
    CORE_TRY(const bool more, rows.step());
    if (!more) return changes;
    CORE_TRY(auto change, read_change(rows, path));
    changes.push_back(std::move(change));
  }
}

core::Result<std::int64_t> last_sequence(SqliteDatabase& database) {
  return database.integer("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)");
}

core::Error with_advice(core::Error error) {
  if (error.code == core::ErrorCode::kDataLoss) {
    error.message += "; put changes.db and the files beside it away to serve the catalogue as it was ingested, without the "
                     "changes made since";
  }
  return error;
}

}  // namespace

struct SqliteCatalogChanges::Impl {
  Impl(Options its_options, const core::Clock& its_clock, core::FileLock its_lock, SqliteDatabase its_database)
      : options(std::move(its_options)), clock(its_clock), lock(std::move(its_lock)), database(std::move(its_database)) {}

  core::Status check_writable(core::Deadline deadline) const;
  core::Status check_room(std::size_t changes) const;
  core::Status check_order(const ports::ChangeBatch& batch);
  core::Status write(const ports::ChangeBatch& batch, std::int64_t first);
  core::Status write_changes(const ports::ChangeBatch& batch, std::int64_t first);
  core::Status write_vectors(const ports::ChangeBatch& batch, std::int64_t last);
  core::Status settle(std::int64_t sequence, std::int64_t until_ms);
  template <class Work>
  std::expected<void, ports::AppendFailure> in_transaction(std::string_view before_commit, Work&& work);

  Options options;
  const core::Clock& clock;
  core::FileLock lock;
  std::mutex mutex;
  SqliteDatabase database;    // guarded by mutex, as all below
  std::int64_t next = 1;      // sequence of the next change
  std::size_t kept = 0;       // rows
  std::size_t erased = 0;     // rows, by the transaction in progress
  std::string refusal{};      // why nothing is written any more
};

core::Result<std::unique_ptr<SqliteCatalogChanges>> SqliteCatalogChanges::open(Options options, const core::Clock& clock) {
  CORE_TRY(auto lock, core::FileLock::acquire(options.folder / kLockFile));
  const auto open_database = [&]() -> core::Result<std::unique_ptr<Impl>> {
    CORE_TRY(auto database, SqliteDatabase::open(options.folder / kChangesFile, SqliteMode::kReadWrite, options.vfs));
    CORE_CHECK(database.execute("PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                                "PRAGMA journal_size_limit = 16777216;"));
    CORE_CHECK(prepare_changes_file(database));
    auto impl = std::make_unique<Impl>(std::move(options), clock, std::move(lock), std::move(database));
    CORE_TRY(const std::int64_t last, last_sequence(impl->database));
    CORE_TRY(const std::int64_t kept, impl->database.integer("SELECT count(*) FROM change"));
    impl->next = last + 1;
    impl->kept = static_cast<std::size_t>(kept);
    return impl;
  };
  auto impl = open_database();
  if (!impl) return std::unexpected(with_advice(std::move(impl).error()));
  return std::unique_ptr<SqliteCatalogChanges>(new SqliteCatalogChanges(std::move(*impl)));
}

SqliteCatalogChanges::SqliteCatalogChanges(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteCatalogChanges::~SqliteCatalogChanges() = default;

core::Status SqliteCatalogChanges::Impl::check_writable(core::Deadline deadline) const {
  if (!refusal.empty()) {
    return core::fail(core::ErrorCode::kUnavailable,
                      fmt::format("changes are refused since one could not be written: {}", refusal));
  }
  if (deadline.expired(clock)) {
    return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the change was written");
  }
  return {};
}

template <class Work>
std::expected<void, ports::AppendFailure> SqliteCatalogChanges::Impl::in_transaction(std::string_view before_commit,
                                                                                      Work&& work) {
  core::Status status = database.execute("BEGIN IMMEDIATE");
  if (status) status = work();
  bool committing = false;
  if (status) {
    core::crash_point(before_commit);
    committing = true;
    status = database.execute("COMMIT");
  }
  if (status) return {};
  const bool not_kept = !committing || status.error().code == core::ErrorCode::kResourceExhausted;
  core::Status undone;
  if (database.in_transaction()) undone = database.execute("ROLLBACK");
  if (!not_kept || !undone) refusal = status.error().message;
  return std::unexpected(ports::AppendFailure{not_kept ? ports::AppendOutcome::kNotKept : ports::AppendOutcome::kUnknown,
                                              std::move(status).error()});
}

core::Status SqliteCatalogChanges::Impl::write(const ports::ChangeBatch& batch, std::int64_t first) {
  CORE_CHECK(write_changes(batch, first));
  const auto count = static_cast<std::int64_t>(batch.changes.size());
  return write_vectors(batch, first + count - 1);
}

// What a change makes of no effect goes: everything before an upsert or a delete, and a patch that sets nothing else.
core::Status SqliteCatalogChanges::Impl::write_changes(const ports::ChangeBatch& batch, std::int64_t first) {
  CORE_TRY(auto erase_all, database.prepare("DELETE FROM change WHERE article_id = ?"));
  CORE_TRY(auto erase_patches, database.prepare("DELETE FROM change WHERE article_id = ? AND kind = ? AND columns & ~? = 0"));
  CORE_TRY(auto insert, database.prepare(fmt::format("INSERT INTO change (sequence, time_ms, {}) VALUES (?,?,?,?,?,?,?,?)",
                                                     kChangeColumns)));
  CORE_TRY(auto erase_vector, database.prepare("DELETE FROM article_vector WHERE article_id = ?"));
  std::string texts;
  std::int64_t sequence = first;
  for (const catalog::ArticleChange& change : batch.changes) {
    const bool is_patch = change.kind == catalog::ChangeKind::kPatch;
    if (change.kind == catalog::ChangeKind::kDelete) {
      erase_vector.bind(1, std::string_view(change.id.text()));
      CORE_CHECK(erase_vector.run());
    }
    SqliteStatement& erase = is_patch ? erase_patches : erase_all;
    erase.bind(1, std::string_view(change.id.text()));
    if (is_patch) {
      erase.bind(2, static_cast<std::int64_t>(catalog::ChangeKind::kPatch));
      erase.bind(3, static_cast<std::int64_t>(change.columns()));
    }
    CORE_CHECK(erase.run());
    erased += static_cast<std::size_t>(database.changes());
    insert.bind(1, sequence++);
    insert.bind(2, batch.time_ms);
    bind_change(insert, 3, change, texts);
    CORE_CHECK(insert.run());
  }
  return {};
}

core::Status SqliteCatalogChanges::Impl::write_vectors(const ports::ChangeBatch& batch, std::int64_t last) {
  if (batch.vectors.empty()) return {};
  const std::string encoder = encoder_key(batch.encoder);
  CORE_TRY(auto insert, database.prepare("INSERT OR REPLACE INTO article_vector "
                                         "(article_id, text_hash, encoder, sequence, vector) VALUES (?, ?, ?, ?, ?)"));
  for (const ports::ArticleVector& vector : batch.vectors) {
    const auto bytes = std::as_bytes(std::span(*vector.values));
    insert.bind(1, std::string_view(vector.article.text()));
    insert.bind(2, std::span<const std::uint8_t>(vector.text.bytes));
    insert.bind(3, std::string_view(encoder));
    insert.bind(4, last);
    insert.bind(5, std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    CORE_CHECK(insert.run());
  }
  return {};
}

core::Status SqliteCatalogChanges::Impl::check_room(std::size_t changes) const {
  if (kept + changes <= options.max_changes) return {};
  return core::fail(core::ErrorCode::kResourceExhausted,
                    fmt::format("{} changes are kept since the last ingest, at most {} may be: ingest the catalogue anew", kept,
                                options.max_changes));
}

core::Status SqliteCatalogChanges::Impl::check_order(const ports::ChangeBatch& batch) {
  if (!batch.only_after || next - 1 <= *batch.only_after) return {};
  CORE_TRY(const std::int64_t later,
           database.integer(fmt::format("SELECT count(*) FROM change WHERE sequence > {}", *batch.only_after)));
  if (later == 0) return {};
  return core::fail(core::ErrorCode::kFailedPrecondition,
                    fmt::format("{} changes were made after change {}", later, *batch.only_after),
                    std::string(ports::kOnlyAfterField));
}

core::Task<std::expected<std::int64_t, ports::AppendFailure>> SqliteCatalogChanges::append(ports::ChangeBatch batch,
                                                                                           core::Deadline deadline) {
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  core::Status ready = impl.check_writable(deadline);
  if (ready) ready = impl.check_room(batch.changes.size());
  if (ready) ready = impl.check_order(batch);
  if (!ready) co_return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept, std::move(ready).error()});
  const std::int64_t first = impl.next;
  impl.erased = 0;
  CORE_CO_CHECK(impl.in_transaction("changes.before_commit", [&] { return impl.write(batch, first); }));
  impl.next += static_cast<std::int64_t>(batch.changes.size());
  impl.kept += batch.changes.size() - impl.erased;
  core::crash_point("changes.committed");
  co_return first;
}

core::Task<core::Result<std::vector<ports::LoggedChange>>> SqliteCatalogChanges::read(std::int64_t after, std::size_t limit,
                                                                                     core::Deadline) {
  if (limit == 0 || limit > kMaxRead) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "a read gives 1 to 100,000 changes", "limit");
  }
  const std::lock_guard lock(impl_->mutex);
  CORE_CO_TRY(auto rows, impl_->database.prepare(fmt::format(
                             "SELECT sequence, time_ms, {} FROM change WHERE sequence > ? ORDER BY sequence LIMIT ?",
                             kChangeColumns)));
  rows.bind(1, after);
  rows.bind(2, static_cast<std::int64_t>(limit));
  co_return read_changes(rows, impl_->database.path());
}

core::Task<core::Result<std::vector<ports::ArticleVector>>> SqliteCatalogChanges::vectors(ports::EncoderInfo encoder,
                                                                                         core::Deadline) {
  const std::lock_guard lock(impl_->mutex);
  const std::string key = encoder_key(encoder);
  CORE_CO_TRY(auto rows, impl_->database.prepare("SELECT article_id, text_hash, vector FROM article_vector WHERE encoder = ?"));
  rows.bind(1, std::string_view(key));
  std::vector<ports::ArticleVector> found;
  while (true) {
    CORE_CO_TRY(const bool more, rows.step());
    if (!more) co_return found;
    auto article = catalog::ArticleId::parse(rows.text(0));
    const auto hash = rows.blob(1);
    const auto values = rows.blob(2);
    if (!article || hash.size() != sizeof(catalog::TextHash::bytes) || values.size() != encoder.dimension * sizeof(float)) {
      co_return core::fail(core::ErrorCode::kDataLoss,
                           fmt::format("{}: the vector kept for article \"{}\" cannot be one; the file is damaged",
                                       impl_->database.path(), rows.text(0)));
    }
    ports::ArticleVector vector{.article = std::move(*article)};
    std::memcpy(vector.text.bytes.data(), hash.data(), hash.size());
    auto floats = std::make_shared<std::vector<float>>(encoder.dimension);
    std::memcpy(floats->data(), values.data(), values.size());
    vector.values = std::move(floats);
    found.push_back(std::move(vector));
  }
}

core::Status SqliteCatalogChanges::Impl::settle(std::int64_t sequence, std::int64_t until_ms) {
  CORE_CHECK(database.execute(fmt::format("DELETE FROM article_vector WHERE sequence <= {}", sequence)));
  CORE_CHECK(database.execute(fmt::format("DELETE FROM change WHERE sequence <= {} AND time_ms <= {}", sequence, until_ms)));
  erased = static_cast<std::size_t>(database.changes());
  if (sequence < next) return {};
  // AUTOINCREMENT keeps its row from the first change on.
  CORE_CHECK(database.execute("DELETE FROM sqlite_sequence WHERE name = 'change'"));
  return database.execute(fmt::format("INSERT INTO sqlite_sequence (name, seq) VALUES ('change', {})", sequence));
}

core::Task<core::Status> SqliteCatalogChanges::settle(std::int64_t sequence, std::int64_t until_ms,
                                                      core::Deadline deadline) {
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  CORE_CO_CHECK(impl.check_writable(deadline));
  CORE_CO_TRY(const std::int64_t going,
              impl.database.integer(fmt::format("SELECT count(*) FROM change WHERE sequence <= {} AND time_ms <= {}", sequence,
                                                until_ms)));
  CORE_CO_TRY(const std::int64_t vectors,
              impl.database.integer(fmt::format("SELECT count(*) FROM article_vector WHERE sequence <= {}", sequence)));
  if (going == 0 && vectors == 0 && sequence < impl.next) co_return core::Status();
  auto removed = impl.in_transaction("changes.before_removal", [&] { return impl.settle(sequence, until_ms); });
  if (!removed) co_return std::unexpected(std::move(removed).error().error);
  core::crash_point("changes.removed");
  impl.next = std::max(impl.next, sequence + 1);
  impl.kept -= impl.erased;
  co_return core::Status();
}

core::Result<KeptChanges> read_kept_changes(const std::filesystem::path& data_folder) {
  const auto path = data_folder / kChangesFile;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return KeptChanges{};
  const auto read = [&]() -> core::Result<KeptChanges> {
    CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kReadOnly));
    CORE_CHECK(database.execute("PRAGMA busy_timeout = 5000; BEGIN"));
    CORE_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables == 0) return KeptChanges{};  // a process died before it made them
    CORE_CHECK(check_changes_file(database));
    KeptChanges kept;
    CORE_TRY(kept.last_sequence, last_sequence(database));
    CORE_TRY(auto rows, database.prepare(fmt::format("SELECT sequence, time_ms, {} FROM change ORDER BY sequence",
                                                     kChangeColumns)));
    CORE_TRY(kept.changes, read_changes(rows, database.path()));
    return kept;
  };
  auto kept = read();
  if (!kept) return std::unexpected(with_advice(std::move(kept).error()));
  return kept;
}

}  // namespace scalestyle::adapters::embedded
