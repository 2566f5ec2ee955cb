#include "consumer/event_import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "events/event_json.hpp"

namespace scalestyle::consumer {

namespace {

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == ' ' || c == '\t'; });
}

core::Status flush(std::vector<events::Event>& batch, std::uint64_t through_line, const ImportSink& sink, ImportCounts& counts) {
  if (!batch.empty()) CORE_CHECK(sink.append(std::exchange(batch, {}), counts));
  counts.done_through_line = through_line;
  return {};
}

}  // namespace

core::Status import_events(LineReader& lines, std::size_t batch_events, const ImportSink& sink, ImportCounts& counts) {
  std::vector<events::Event> batch;
  Line line;
  while (true) {
    auto more = lines.next(line);
    if (!more) {
      // What was read before the input failed is good.
      CORE_CHECK(flush(batch, line.number, sink, counts));
      return std::unexpected(std::move(more).error());
    }
    if (!*more) return flush(batch, line.number, sink, counts);
    if (!line.too_long && is_blank(line.text)) continue;
    ++counts.lines;
    const std::string where = fmt::format("{}, line {}", lines.name(), line.number);
    if (line.too_long) {
      ++counts.rejected;
      sink.reject(fmt::format("{}: longer than {} bytes", where, events::kMaxEventJsonBytes));
      continue;
    }
    auto event = events::parse_event_json(line.text, where);
    if (!event) {
      ++counts.rejected;
      sink.reject(event.error().message);
      continue;
    }
    batch.push_back(std::move(*event));
    if (batch.size() >= batch_events) CORE_CHECK(flush(batch, line.number, sink, counts));
  }
}

}  // namespace scalestyle::consumer
