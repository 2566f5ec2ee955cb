#include "adapters/embedded/event_log_reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "adapters/embedded/event_log_connection.hpp"
#include "adapters/embedded/event_log_schema.hpp"

namespace scalestyle::adapters::embedded {

struct EventLogReader::Impl {
  std::unique_ptr<event_log::ReadConnection> connection;
  std::string name;
};

EventLogReader::EventLogReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLogReader::EventLogReader(EventLogReader&&) noexcept = default;
EventLogReader& EventLogReader::operator=(EventLogReader&&) noexcept = default;
EventLogReader::~EventLogReader() = default;

core::Result<EventLogReader> EventLogReader::open(const std::filesystem::path& folder, const std::string& vfs) {
  CORE_TRY(auto connection, event_log::ReadConnection::open(folder / event_log::kDatabaseFile, vfs));
  CORE_TRY(const auto state, connection->state());
  return EventLogReader(std::make_unique<Impl>(Impl{std::move(connection), state.name}));
}

const std::string& EventLogReader::name() const { return impl_->name; }

core::Result<std::int64_t> EventLogReader::removed_through() {
  CORE_TRY(const auto state, impl_->connection->state());
  return state.removed_through;
}

core::Result<std::int64_t> EventLogReader::last_offset() {
  return impl_->connection->database().integer(
      "SELECT max((SELECT value FROM log WHERE key = 'removed_through'), (SELECT coalesce(max(position), 0) FROM events))");
}

core::Result<EventPage> EventLogReader::read_page(std::int64_t after_offset, std::size_t limit, PendingErasures pending) {
  if (limit == 0 || limit > 10'000) {
    return core::fail(core::ErrorCode::kInvalidArgument, "a page holds 1 to 10,000 records", "limit");
  }
  while (true) {
    CORE_TRY(auto page, impl_->connection->page({.name = impl_->name,
                                                 .after = after_offset,
                                                 .through = std::numeric_limits<std::int64_t>::max(),
                                                 .limit = limit,
                                                 .pending = pending}));
    // A page whose rows are all hidden is not the end.
    if (!page.end() || page.last_offset == after_offset) return page;
    after_offset = page.last_offset;
  }
}

}  // namespace scalestyle::adapters::embedded
