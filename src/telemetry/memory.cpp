#include "telemetry/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

namespace scalestyle::telemetry {

namespace {

// A mapping's first line begins with its address range in lower-case hexadecimal, the others with a capital name.
bool begins_mapping(std::string_view line) {
  return !line.empty() && ((line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f'));
}

// Field six of "range permissions offset device inode path"; empty for an anonymous mapping, "[heap]" for some.
std::string path_of(const std::string& line) {
  std::istringstream words(line);
  std::string skipped;
  for (int i = 0; i < 5; ++i) words >> skipped;
  std::string path;
  std::getline(words >> std::ws, path);
  return path;
}

core::Result<std::size_t> kilobytes(std::string_view line, std::string_view name) {
  line.remove_prefix(name.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc()) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("smaps: \"{}\" after {} is not a number", line, name));
  }
  return value * 1024;
}

}  // namespace

core::Result<ResidentMemory> parse_smaps(const std::string& text) {
  constexpr std::string_view kResident = "Rss:";
  constexpr std::string_view kAnonymous = "Anonymous:";
  ResidentMemory memory;
  std::map<std::string, std::size_t> by_file;
  std::istringstream lines(text);
  std::string line;
  std::string path;
  while (std::getline(lines, line)) {
    if (begins_mapping(line)) {
      path = path_of(line);
    } else if (line.starts_with(kResident)) {
      CORE_TRY(const std::size_t bytes, kilobytes(line, kResident));
      memory.total_bytes += bytes;
      if (path.starts_with('/')) by_file[path] += bytes;
    } else if (line.starts_with(kAnonymous)) {
      CORE_TRY(const std::size_t bytes, kilobytes(line, kAnonymous));
      memory.anonymous_bytes += bytes;
      if (path.starts_with('/')) by_file[path] -= std::min(bytes, by_file[path]);  // copied on write: no longer the file's
    }
  }
  for (auto& [name, bytes] : by_file) {
    if (bytes > 0) memory.files.push_back({name, bytes});
  }
  std::ranges::sort(memory.files, [](const MappedFileMemory& left, const MappedFileMemory& right) {
    return left.resident_bytes != right.resident_bytes ? left.resident_bytes > right.resident_bytes : left.path < right.path;
  });
  return memory;
}

core::Result<ResidentMemory> read_resident_memory() {
  std::ifstream file("/proc/self/smaps");
  if (!file) return core::fail(core::ErrorCode::kUnavailable, "cannot read /proc/self/smaps: the system does not offer it");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_smaps(text);
}

std::string_view owner_of(std::string_view path) {
  if (path.ends_with(".safetensors")) return "models";
  if (path.find("/generations/") != std::string_view::npos) return "generation";
  return "program";
}

void show_resident_memory(Metrics& metrics) {
  const auto gauge = [&](const char* kind) {
    return metrics.gauge({"scalestyle_process_resident_bytes", "Resident memory of the process.", {{"kind", kind}}});
  };
  std::map<std::string_view, Gauge> owners;
  for (const std::string_view owner : {"models", "generation", "program"}) {
    owners[owner] = metrics.gauge({"scalestyle_memory_bytes", "Memory by owner.", {{"owner", "mapped_" + std::string(owner)}}});
  }
  metrics.on_render([total = gauge("total"), anonymous = gauge("anonymous"), files = gauge("files"), owners] {
    const auto memory = read_resident_memory();
    if (!memory) return;
    total.set(static_cast<double>(memory->total_bytes));
    anonymous.set(static_cast<double>(memory->anonymous_bytes));
    files.set(static_cast<double>(memory->total_bytes - std::min(memory->total_bytes, memory->anonymous_bytes)));
    std::map<std::string_view, std::size_t> mapped;
    for (const MappedFileMemory& file : memory->files) mapped[owner_of(file.path)] += file.resident_bytes;
    for (const auto& [owner, shown] : owners) shown.set(static_cast<double>(mapped[owner]));
  });
}

}  // namespace scalestyle::telemetry
