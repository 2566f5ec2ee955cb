#include "consumer/event_export.hpp"

#include <fmt/format.h>

#include "events/event_json.hpp"

namespace scalestyle::consumer {

namespace {

constexpr std::size_t kPageEvents = 2'000;

}  // namespace

core::Status export_events(adapters::embedded::EventLogReader& reader, const ExportSink& sink, ExportCounts& counts) {
  // Fixed at the start: an export from a busy log must end.
  CORE_TRY(const auto last, reader.last_offset());
  std::int64_t offset = 0;
  std::string lines;
  while (offset < last) {
    CORE_TRY(const auto page, reader.read_page(offset, kPageEvents));
    if (page.end()) break;
    offset = page.last_offset;
    lines.clear();
    for (const auto& event : page.events) {
      if (event.position.offset > last) break;
      events::append_json(event.event, lines);
      lines += '\n';
      ++counts.events;
    }
    for (const auto& record : page.undecodable) {
      if (record.position.offset > last) break;
      ++counts.undecodable;
      sink.reject(fmt::format("position {}: {}", record.position.offset, record.problem));
    }
    CORE_CHECK(sink.write(lines));
  }
  return {};
}

}  // namespace scalestyle::consumer
