#include "consumer/newest_events.hpp"

#include <algorithm>

#include "adapters/embedded/event_log_reader.hpp"

namespace scalestyle::consumer {

namespace {

constexpr std::size_t kPage = 500;

}  // namespace

core::Result<std::uint64_t> read_newest_events(const NewestEvents& wanted,
                                               const std::function<bool(std::span<const events::LoggedEvent>)>& sink) {
  using adapters::embedded::EventLogReader;
  CORE_TRY(EventLogReader reader, EventLogReader::open(wanted.folder));
  CORE_TRY(const std::int64_t last, reader.last_offset());
  CORE_TRY(const std::int64_t removed, reader.removed_through());
  std::int64_t after = std::max(removed, last - static_cast<std::int64_t>(wanted.limit));
  std::uint64_t given = 0;
  while (after < last) {
    CORE_TRY(auto page, reader.read_page(after, kPage));
    if (page.end()) break;
    after = page.last_offset;
    std::erase_if(page.events, [&](const events::LoggedEvent& one) {
      return one.event.received_time_ms < wanted.received_from_ms || one.position.offset > last;
    });
    if (page.events.empty()) continue;
    if (!sink(page.events)) break;
    given += page.events.size();
  }
  return given;
}

}  // namespace scalestyle::consumer
