#pragma once
// What the process and its disk are, under the names that Prometheus' own client libraries use
// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), so that common dashboards and rules fit.
// Read from /proc at every render; where the system does not tell, the value stays 0. Thread safety: any thread.

#include <filesystem>
#include <string>

#include "core/result.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::telemetry {

struct BuildInfo {
  std::string version;
  std::string role;  // "serve", "gateway", "inference", "consumer"
};

// process_open_fds, process_max_fds, process_resident_memory_bytes, process_virtual_memory_bytes, process_threads,
// process_cpu_seconds_total, process_start_time_seconds, scalestyle_build_info. Once for each Metrics.
void show_process(Metrics& metrics, const BuildInfo& build);

// scalestyle_data_free_bytes (for this user) and scalestyle_data_size_bytes of the file system that holds `folder`; an empty
// folder is none, and shows nothing.
void show_disk_space(Metrics& metrics, const std::filesystem::path& folder);

// Of /proc/self/stat.
struct ProcessTimes {
  double cpu_seconds = 0;
  double started_after_boot_seconds = 0;
  std::size_t threads = 0;
};

// `ticks` a second, at least 1. kDataLoss where the text is not of that form.
[[nodiscard]] core::Result<ProcessTimes> parse_process_stat(const std::string& text, long ticks);

}  // namespace scalestyle::telemetry
