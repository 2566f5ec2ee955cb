#pragma once
// What the process's resident memory belongs to, from /proc/self/smaps: every mapped file by name, the rest anonymous.
// Reading takes a few milliseconds: for scrapes and reports, not for requests. Any thread may call it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::telemetry {

struct MappedFileMemory {
  std::string path;
  std::size_t resident_bytes = 0;
};

struct ResidentMemory {
  std::size_t total_bytes = 0;
  std::size_t anonymous_bytes = 0;      // heap, stacks, huge pages
  std::vector<MappedFileMemory> files;  // largest first
};

// kUnavailable where the system has no such file.
[[nodiscard]] core::Result<ResidentMemory> read_resident_memory();

// The text of an smaps file; kDataLoss naming the line that cannot be read.
[[nodiscard]] core::Result<ResidentMemory> parse_smaps(const std::string& text);

// Whose a mapped file is, by its name: "models" (weights), "generation" (a catalogue's vectors and databases), "program"
// (everything else: the program, libraries, their data).
[[nodiscard]] std::string_view owner_of(std::string_view path);

// From now on every render of `metrics` shows the process's resident memory: scalestyle_process_resident_bytes, by kind (total,
// anonymous, files), and scalestyle_memory_bytes of the owners of mapped files ("mapped_models" …). Nothing is shown where the
// system does not tell.
void show_resident_memory(Metrics& metrics);

}  // namespace scalestyle::telemetry
