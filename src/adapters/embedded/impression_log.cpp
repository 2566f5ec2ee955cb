#include "adapters/embedded/impression_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "adapters/embedded/event_log_rows.hpp"
#include "adapters/embedded/page_gaps.hpp"
#include "adapters/embedded/sqlite_database.hpp"
#include "core/crash_point.hpp"
#include "events/event_json.hpp"
#include "events/validation.hpp"

namespace scalestyle::adapters::embedded {

namespace {

// Of a record that was erased.
bool is_blank(std::string_view body) { return body.find_first_not_of(' ') == std::string_view::npos; }

constexpr std::int64_t kApplicationId = 0x5353494D;  // "SSIM"
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kSliceRows = 1'000;
constexpr std::int64_t kSizeSliceRows = 200;  // between two looks at the size
constexpr std::string_view kFile = "impressions.db";
constexpr const char* kDropped = "scalestyle_impressions_dropped_total";
constexpr const char* kDroppedHelp = "Impression records that were dropped.";

constexpr const char* kTables = R"sql(
  CREATE TABLE impressions (
    id INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    request INTEGER,
    user INTEGER,
    session INTEGER,
    body TEXT NOT NULL);
  CREATE INDEX impressions_time ON impressions (time_ms);
  CREATE INDEX impressions_request ON impressions (request) WHERE request IS NOT NULL;
  CREATE INDEX impressions_user ON impressions (user) WHERE user IS NOT NULL;
  CREATE INDEX impressions_session ON impressions (session) WHERE session IS NOT NULL;
)sql";

std::int64_t number_of(const events::Subject& subject) { return event_log::subject_number(event_log::subject_hash(subject)); }
std::int64_t number_of(const std::string& request_id) { return event_log::subject_number(event_log::id_hash(request_id)); }

bool is_of(const events::Impression& impression, const events::Subject& subject) {
  if (subject.kind == events::SubjectKind::kUser) return impression.user_id && impression.user_id->value() == subject.id;
  return impression.session_id && impression.session_id->value() == subject.id;
}

const char* column_of(const events::Subject& subject) { return subject.kind == events::SubjectKind::kUser ? "user" : "session"; }

std::size_t bytes_of(const events::Impression& impression) {
  std::size_t bytes = sizeof(events::Impression) + impression.request_id.size() + impression.query.size() + impression.generation.size();
  for (const auto& item : impression.items) bytes += sizeof(item) + item.item_id.size();
  for (const auto& arm : impression.arms) bytes += sizeof(arm) + arm.experiment.size() + arm.arm.size();
  return bytes;
}

core::Result<SqliteDatabase> open_writer(const std::filesystem::path& path, const std::string& vfs) {
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kReadWrite, vfs));
  CORE_CHECK(database.execute("PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                              "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 16777216;"));
  CORE_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) {
    CORE_CHECK(database.execute(fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
                                            kTables, kApplicationId, kVersion)));
  }
  CORE_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  CORE_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  if (application != kApplicationId || version != kVersion) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{} is not an impression log of version {}", path.string(), kVersion));
  }
  return database;
}

core::Status put_aside(const std::filesystem::path& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    const std::filesystem::path from = path.string() + suffix;
    if (!std::filesystem::exists(from, error)) continue;
    std::filesystem::rename(from, path.string() + ".damaged" + suffix, error);
    if (error) return core::fail(core::ErrorCode::kUnavailable, fmt::format("cannot put {} aside: {}", from.string(), error.message()));
  }
  return {};
}

}  // namespace

struct SqliteImpressionLog::Impl {
  Impl(Options its_options, core::WorkerPool& its_pool, telemetry::Metrics& metrics, SqliteDatabase its_writer, SqliteDatabase its_reader)
      : options(std::move(its_options)),
        pool(its_pool),
        written(metrics.counter({"scalestyle_impressions_written_total", "Impression records that were written."})),
        dropped_full(metrics.counter({kDropped, kDroppedHelp, {{"reason", "full"}}})),
        dropped_failed(metrics.counter({kDropped, kDroppedHelp, {{"reason", "failed"}}})),
        depth(metrics.gauge({"scalestyle_impressions_queued", "Impression records that wait to be written."})),
        writer(std::move(its_writer)),
        reader(std::move(its_reader)) {}

  core::Status write(const std::vector<events::Impression>& batch);
  core::Result<std::vector<events::Impression>> read(const std::string& where, std::int64_t number, std::size_t limit);
  core::Result<std::uint64_t> remove(const std::string& condition);

  Options options;
  core::WorkerPool& pool;
  telemetry::Counter written;
  telemetry::Counter dropped_full;
  telemetry::Counter dropped_failed;
  telemetry::Gauge depth;
  std::string restarted;

  std::mutex queue_mutex;
  std::deque<events::Impression> queue;  // guarded by queue_mutex
  std::size_t queued_bytes = 0;          // guarded by queue_mutex

  std::mutex writer_mutex;  // taken before queue_mutex
  SqliteDatabase writer;    // guarded by writer_mutex
  std::mutex reader_mutex;
  SqliteDatabase reader;    // guarded by reader_mutex
};

core::Status SqliteImpressionLog::Options::validate() const {
  if (max_queued == 0) return core::fail(core::ErrorCode::kInvalidArgument, "max_queued must be at least 1", "max_queued");
  if (max_queued_bytes == 0) {
    return core::fail(core::ErrorCode::kInvalidArgument, "max_queued_bytes must be at least 1", "max_queued_bytes");
  }
  if (max_age <= std::chrono::milliseconds(0)) return core::fail(core::ErrorCode::kInvalidArgument, "max_age must be above 0", "max_age");
  return {};
}

core::Result<std::unique_ptr<SqliteImpressionLog>> SqliteImpressionLog::open(Options options, core::WorkerPool& pool,
                                                                             telemetry::Metrics& metrics) {
  CORE_CHECK(options.validate());
  const auto path = options.folder / kFile;
  auto writer = open_writer(path, options.vfs);
  std::string restarted;
  if (!writer && writer.error().code == core::ErrorCode::kDataLoss) {
    restarted = writer.error().message;
    CORE_CHECK(put_aside(path));
    writer = open_writer(path, options.vfs);
  }
  if (!writer) return std::unexpected(std::move(writer).error());
  CORE_TRY(auto reader, SqliteDatabase::open(path, SqliteMode::kReadOnly, options.vfs));
  CORE_CHECK(reader.execute("PRAGMA busy_timeout = 2000"));
  auto impl = std::make_unique<Impl>(std::move(options), pool, metrics, std::move(*writer), std::move(reader));
  impl->restarted = std::move(restarted);
  return std::unique_ptr<SqliteImpressionLog>(new SqliteImpressionLog(std::move(impl)));
}

SqliteImpressionLog::SqliteImpressionLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteImpressionLog::~SqliteImpressionLog() = default;
const std::string& SqliteImpressionLog::restarted() const { return impl_->restarted; }

bool SqliteImpressionLog::note(events::Impression impression) {
  const std::size_t bytes = bytes_of(impression);
  const std::lock_guard lock(impl_->queue_mutex);
  if (impl_->queue.size() >= impl_->options.max_queued || impl_->queued_bytes + bytes > impl_->options.max_queued_bytes) {
    impl_->dropped_full.add();
    return false;
  }
  impl_->queue.push_back(std::move(impression));
  impl_->queued_bytes += bytes;
  impl_->depth.set(static_cast<double>(impl_->queue.size()));
  return true;
}

core::Status SqliteImpressionLog::flush() {
  const std::lock_guard writing(impl_->writer_mutex);
  std::deque<events::Impression> taken;
  {
    const std::lock_guard lock(impl_->queue_mutex);
    taken.swap(impl_->queue);
    impl_->queued_bytes = 0;
    impl_->depth.set(0);
  }
  if (taken.empty()) return {};
  std::vector<events::Impression> batch;
  for (auto& impression : taken) {
    if (events::check_impression(impression)) {
      batch.push_back(std::move(impression));
    } else {
      impl_->dropped_failed.add();
    }
  }
  auto status = impl_->writer.execute("BEGIN IMMEDIATE");
  if (status) status = impl_->write(batch);
  if (status) {
    core::crash_point("impressions.before_commit");
    status = impl_->writer.execute("COMMIT");
  }
  if (status) {
    core::crash_point("impressions.committed");
    impl_->written.add(static_cast<double>(batch.size()));
    return status;
  }
  impl_->dropped_failed.add(static_cast<double>(batch.size()));
  if (impl_->writer.in_transaction()) CORE_CHECK(impl_->writer.execute("ROLLBACK"));
  return status;
}

core::Status SqliteImpressionLog::Impl::write(const std::vector<events::Impression>& batch) {
  CORE_TRY(auto insert, writer.prepare("INSERT INTO impressions (time_ms, request, user, session, body) VALUES (?, ?, ?, ?, ?)"));
  for (const events::Impression& impression : batch) {
    const std::string body = events::to_json(impression);
    insert.bind(1, impression.time_ms);
    insert.bind_null(2);
    insert.bind_null(3);
    insert.bind_null(4);
    if (!impression.request_id.empty()) insert.bind(2, number_of(impression.request_id));
    if (impression.user_id) insert.bind(3, number_of(events::Subject::user(*impression.user_id)));
    if (impression.session_id) insert.bind(4, number_of(events::Subject::session(*impression.session_id)));
    insert.bind(5, std::string_view(body));
    CORE_CHECK(insert.run());
  }
  return {};
}

core::Result<std::vector<events::Impression>> SqliteImpressionLog::Impl::read(const std::string& where, std::int64_t number,
                                                                             std::size_t limit) {
  const std::lock_guard lock(reader_mutex);
  CORE_TRY(auto rows, reader.prepare(fmt::format(
                          "SELECT id, body FROM impressions WHERE {} = ? ORDER BY time_ms DESC, id DESC LIMIT ?", where)));
  rows.bind(1, number);
  rows.bind(2, static_cast<std::int64_t>(limit));
  std::vector<events::Impression> found;
  while (true) {
    CORE_TRY(const bool more, rows.step());
    if (!more) return found;
    if (is_blank(rows.text(1))) continue;
    auto impression = events::parse_impression_json(rows.text(1), fmt::format("impressions.db, row {}", rows.integer(0)));
    if (!impression) return core::fail(core::ErrorCode::kDataLoss, std::move(impression).error().message);
    found.push_back(std::move(*impression));
  }
}

core::Task<core::Result<std::vector<events::Impression>>> SqliteImpressionLog::history(events::Subject subject, std::size_t limit,
                                                                                      core::Deadline deadline) {
  if (limit == 0 || limit > 10'000) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "a history gives 1 to 10,000 records", "limit");
  }
  CORE_CO_CHECK(co_await impl_->pool.schedule(deadline));
  CORE_CO_TRY(auto found, impl_->read(column_of(subject), number_of(subject), limit));
  std::erase_if(found, [&](const events::Impression& impression) { return !is_of(impression, subject); });
  co_return found;
}

core::Result<std::optional<events::Impression>> SqliteImpressionLog::find(const std::string& request_id) {
  {
    const std::lock_guard lock(impl_->queue_mutex);
    const auto queued = std::find_if(impl_->queue.rbegin(), impl_->queue.rend(),
                                     [&](const events::Impression& impression) { return impression.request_id == request_id; });
    if (queued != impl_->queue.rend()) return *queued;
  }
  CORE_TRY(auto found, impl_->read("request", number_of(request_id), 8));
  for (auto& impression : found) {
    if (impression.request_id == request_id) return std::move(impression);
  }
  return std::nullopt;
}

core::Result<std::uint64_t> SqliteImpressionLog::Impl::remove(const std::string& condition) {
  std::uint64_t removed = 0;
  while (true) {
    CORE_CHECK(writer.execute(fmt::format(
        "DELETE FROM impressions WHERE id IN (SELECT id FROM impressions WHERE {} LIMIT {})", condition, kSliceRows)));
    const auto count = static_cast<std::uint64_t>(writer.changes());
    removed += count;
    if (count < static_cast<std::uint64_t>(kSliceRows)) return removed;
  }
}

core::Result<std::uint64_t> SqliteImpressionLog::retain(events::EpochMs now_ms) {
  const std::lock_guard writing(impl_->writer_mutex);
  CORE_TRY(std::uint64_t removed, impl_->remove(fmt::format("time_ms < {}", now_ms - impl_->options.max_age.count())));
  while (true) {
    CORE_TRY(const std::int64_t page_bytes, impl_->writer.integer("PRAGMA page_size"));
    CORE_TRY(const std::int64_t pages, impl_->writer.integer("PRAGMA page_count"));
    CORE_TRY(const std::int64_t unused, impl_->writer.integer("PRAGMA freelist_count"));
    if (static_cast<std::uint64_t>((pages - unused) * page_bytes) <= impl_->options.max_bytes) return removed;
    CORE_CHECK(impl_->writer.execute(fmt::format(
        "DELETE FROM impressions WHERE id IN (SELECT id FROM impressions ORDER BY time_ms, id LIMIT {})", kSizeSliceRows)));
    const std::int64_t count = impl_->writer.changes();
    removed += static_cast<std::uint64_t>(count);
    if (count == 0) return removed;
  }
}

core::Status SqliteImpressionLog::erase(const events::Subject& subject, events::EpochMs until_ms) {
  const std::lock_guard writing(impl_->writer_mutex);
  {
    const std::lock_guard lock(impl_->queue_mutex);
    std::erase_if(impl_->queue, [&](const events::Impression& one) {
      const bool goes = is_of(one, subject) && one.time_ms <= until_ms;
      if (goes) impl_->queued_bytes -= bytes_of(one);
      return goes;
    });
  }
  CORE_TRY(auto rows, impl_->writer.prepare(fmt::format("SELECT id, body FROM impressions WHERE {} = ? AND time_ms <= ?",
                                                        column_of(subject))));
  rows.bind(1, number_of(subject));
  rows.bind(2, until_ms);
  std::vector<std::int64_t> going;
  while (true) {
    CORE_TRY(const bool more, rows.step());
    if (!more) break;
    // What cannot be read cannot be shown to be another's.
    if (is_blank(rows.text(1))) continue;
    const auto impression = events::parse_impression_json(rows.text(1), kFile);
    if (!impression || is_of(*impression, subject)) going.push_back(rows.integer(0));
  }
  rows.reset();
  for (std::size_t at = 0; at < going.size(); at += static_cast<std::size_t>(kSliceRows)) {
    const auto last = std::min(going.size(), at + static_cast<std::size_t>(kSliceRows));
    // Blanks of the same length, in their place: removing rows would move others between pages. Retention removes the
    // blank rows.
    CORE_CHECK(impl_->writer.execute(fmt::format("UPDATE impressions SET body = printf('%*s', length(CAST(body AS BLOB)), '') "
                                                 "WHERE id IN ({})",
                                                 fmt::join(going.begin() + static_cast<std::ptrdiff_t>(at),
                                                           going.begin() + static_cast<std::ptrdiff_t>(last), ","))));
  }
  CORE_TRY(const auto emptied, impl_->writer.checkpoint(SqliteCheckpoint::kTruncate));
  if (!emptied.complete) return core::fail(core::ErrorCode::kUnavailable, "impressions.db: a reader holds on to old pages; try again");
  // What retention moved between pages left old copies behind.
  CORE_TRY(const auto pages, pages_with_full_gaps(impl_->writer));
  CORE_CHECK(clear_gaps(impl_->writer, pages));
  impl_->writer.drop_cache();
  return {};
}

}  // namespace scalestyle::adapters::embedded
