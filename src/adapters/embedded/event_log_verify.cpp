#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "adapters/embedded/event_log_connection.hpp"
#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/event_log_rows.hpp"
#include "adapters/embedded/event_log_schema.hpp"
#include "adapters/embedded/wal_inspection.hpp"

namespace scalestyle::adapters::embedded {

namespace {

using event_log::Row;

constexpr std::size_t kMaxProblems = 1'000;

class Problems {
 public:
  explicit Problems(VerifyReport& report) : report_(report) {}
  void add(std::string problem) {
    if (report_.problems.size() < kMaxProblems) {
      report_.problems.push_back(std::move(problem));
    } else {
      ++report_.more_problems;
    }
  }

 private:
  VerifyReport& report_;
};

core::Status check_pages(SqliteDatabase& database, Problems& problems) {
  CORE_TRY(auto check, database.prepare("PRAGMA integrity_check(1000)"));
  while (true) {
    auto more = check.step();
    if (!more) problems.add(fmt::format("pages: {}", more.error().message));
    if (!more || !*more) return {};
    if (check.text(0) != "ok") problems.add(fmt::format("pages: {}", check.text(0)));
  }
}

// What the columns say against what the body says.
void check_row(const SqliteStatement& row, std::int64_t offset, Problems& problems) {
  auto event = event_log::decode_row(offset, row.text(5));
  if (!event) return problems.add(event.error().message);
  const Row wanted = event_log::make_row(std::move(*event));
  const auto differs = [&](const char* column) {
    problems.add(fmt::format("offset {}: the column {} does not fit the event", offset, column));
  };
  const auto id = row.blob(1);
  if (!std::equal(id.begin(), id.end(), wanted.id.begin(), wanted.id.end())) differs("id");
  const bool same_subject = wanted.subject ? row.integer(2) == event_log::subject_number(*wanted.subject) : row.is_null(2);
  if (!same_subject || row.is_null(2) != !wanted.subject) differs("subject");
  if (row.integer(3) != static_cast<std::int64_t>(wanted.event.type)) differs("type");
  if (row.integer(4) != wanted.event.received_time_ms) differs("received_ms");
}

core::Status check_rows(SqliteDatabase& database, VerifyReport& report, Problems& problems) {
  CORE_TRY(auto rows, database.prepare("SELECT position, id, subject, type, received_ms, body FROM events ORDER BY position"));
  while (true) {
    auto more = rows.step();
    if (!more) problems.add(fmt::format("behind offset {}: {}", report.last_offset, more.error().message));
    if (!more || !*more) return {};
    const std::int64_t offset = rows.integer(0);
    if (report.events > 0 && offset <= report.last_offset) {
      problems.add(fmt::format("offset {} comes after {}", offset, report.last_offset));
    }
    if (report.events == 0) report.first_offset = offset;
    report.last_offset = offset;
    ++report.events;
    check_row(rows, offset, problems);
  }
}

}  // namespace

core::Result<VerifyReport> verify_event_log(const std::filesystem::path& folder, const std::string& vfs) {
  const auto path = folder / event_log::kDatabaseFile;
  VerifyReport report;
  Problems problems(report);
  CORE_TRY(const auto wal, inspect_wal(path.string() + std::string(event_log::kWalSuffix)));
  if (wal.header_damaged) problems.add("events.db-wal: the header is damaged");
  if (wal.certainly_lost() > 0) {
    problems.add(fmt::format("events.db-wal: damaged at byte {}: at least {} acknowledged transactions are lost", wal.damaged_at_byte,
                             wal.certainly_lost()));
  }
  CORE_TRY(auto connection, event_log::ReadConnection::open(path, vfs));
  SqliteDatabase& database = connection->database();
  CORE_CHECK(check_pages(database, problems));
  CORE_CHECK(check_rows(database, report, problems));
  CORE_TRY(const auto state, connection->state());
  if (report.events > 0 && report.first_offset <= state.removed_through) {
    problems.add(fmt::format("offset {} is kept, but everything up to {} was removed", report.first_offset, state.removed_through));
  }
  return report;
}

}  // namespace scalestyle::adapters::embedded
