#pragma once
// Importing events from JSON lines, as an export writes them.
//
// Every line is looked at: the good ones are appended in batches, in order; the bad ones are named with their line
// number. An event whose id the log holds already changes nothing, so an import that broke off, at whatever moment, is
// simply run again.
// Thread safety: one import at a time; it blocks.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "consumer/line_reader.hpp"
#include "core/result.hpp"
#include "events/event.hpp"

namespace scalestyle::consumer {

struct ImportCounts {
  std::uint64_t lines = 0;       // blank ones left out
  std::uint64_t kept = 0;
  std::uint64_t duplicates = 0;  // their ids were in the log, or in a line before
  std::uint64_t forgotten = 0;   // of subjects that asked to be forgotten after they were received
  std::uint64_t rejected = 0;
  std::uint64_t done_through_line = 0;  // everything up to this line is on disk, or counted otherwise
};

struct ImportSink {
  // Appends all of the batch, durably; adds to `counts`. An error ends the import.
  std::function<core::Status(std::vector<events::Event> batch, ImportCounts& counts)> append{};
  // A line that is no event.
  std::function<void(const std::string& message)> reject{};
};

// At most `batch_events` (1 … 500) at a time. On an error of the input, or of the sink, `counts` says how far it came.
[[nodiscard]] core::Status import_events(LineReader& lines, std::size_t batch_events, const ImportSink& sink,
                                         ImportCounts& counts);

}  // namespace scalestyle::consumer
