#pragma once
// Exporting the events of a log as JSON lines, one event with its event_id each, in the log's order; also while a server
// appends to it. Thread safety: free function; it blocks.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "adapters/embedded/event_log_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::consumer {

struct ExportCounts {
  std::uint64_t events = 0;
  std::uint64_t undecodable = 0;  // records that are no event: named, not exported
};

struct ExportSink {
  std::function<core::Status(std::string_view lines)> write{};  // whole lines
  std::function<void(const std::string& message)> reject{};     // a record that is no event
};

// Up to the event that is the newest when the export begins. Errors: of the reader and of the sink.
[[nodiscard]] core::Status export_events(adapters::embedded::EventLogReader& reader, const ExportSink& sink, ExportCounts& counts);

}  // namespace scalestyle::consumer
