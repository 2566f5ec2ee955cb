#include "telemetry/process_metrics.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <system_error>

namespace scalestyle::telemetry {

namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

std::string read_text(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::size_t> open_files() {
  std::error_code error;
  std::size_t count = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  if (error) return std::nullopt;
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(error)) {
    ++count;
    if (error) return std::nullopt;
  }
  return count > 0 ? count - 1 : 0;  // the listing's own handle
}

// Seconds since the epoch at which the process began.
std::optional<double> start_time(const ProcessTimes& times) {
  double uptime = 0;
  if (!(std::istringstream(read_text("/proc/uptime")) >> uptime)) return std::nullopt;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count() - (uptime - times.started_after_boot_seconds);
}

core::Result<ProcessTimes> process_times() { return parse_process_stat(read_text("/proc/self/stat"), sysconf(_SC_CLK_TCK)); }

struct Process {
  Gauge open_fds;
  Gauge max_fds;
  Gauge resident;
  Gauge virtual_size;
  Gauge threads;
  Counter cpu;
  double told_cpu = 0;

  void collect() {
    if (const auto files = open_files()) open_fds.set(static_cast<double>(*files));
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) max_fds.set(static_cast<double>(limit.rlim_cur));
    double pages = 0;
    double resident_pages = 0;
    if (std::istringstream(read_text("/proc/self/statm")) >> pages >> resident_pages) {
      const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
      virtual_size.set(pages * page);
      resident.set(resident_pages * page);
    }
    if (const auto times = process_times()) {
      threads.set(static_cast<double>(times->threads));
      if (times->cpu_seconds > told_cpu) cpu.add(times->cpu_seconds - told_cpu);
      told_cpu = times->cpu_seconds;
    }
  }
};

}  // namespace

core::Result<ProcessTimes> parse_process_stat(const std::string& text, long ticks) {
  const auto broken = [] { return core::fail(core::ErrorCode::kDataLoss, "/proc/self/stat is not of the known form"); };
  // Field 2 is the program's name in brackets, which may hold anything: what counts begins behind the last bracket.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || ticks < 1) return broken();
  std::istringstream fields(text.substr(name_end + 1));
  const std::vector<std::string> words{std::istream_iterator<std::string>(fields), std::istream_iterator<std::string>()};
  constexpr std::size_t kFirst = 3;  // the number of words[0], as proc(5) counts
  constexpr std::size_t kUserTime = 14 - kFirst;
  constexpr std::size_t kSystemTime = 15 - kFirst;
  constexpr std::size_t kThreads = 20 - kFirst;
  constexpr std::size_t kStart = 22 - kFirst;
  if (words.size() <= kStart) return broken();
  ProcessTimes times;
  double user = 0;
  double system = 0;
  double start = 0;
  if (!(std::istringstream(words[kUserTime]) >> user) || !(std::istringstream(words[kSystemTime]) >> system) ||
      !(std::istringstream(words[kThreads]) >> times.threads) || !(std::istringstream(words[kStart]) >> start)) {
    return broken();
  }
  times.cpu_seconds = (user + system) / static_cast<double>(ticks);
  times.started_after_boot_seconds = start / static_cast<double>(ticks);
  return times;
}

void show_process(Metrics& metrics, const BuildInfo& build) {
  const auto info = metrics.gauge({"scalestyle_build_info", "1; the labels say which program runs.",
                                   {{"version", build.version}, {"role", build.role}, {"compiler", kCompiler}}});
  info.set(1);
  const auto started = metrics.gauge({"process_start_time_seconds", "When the process began, in seconds since the epoch."});
  if (const auto times = process_times()) {
    if (const auto time = start_time(*times)) started.set(*time);
  }
  const auto process = std::make_shared<Process>();
  process->open_fds = metrics.gauge({"process_open_fds", "Open file handles."});
  process->max_fds = metrics.gauge({"process_max_fds", "File handles that the process may have open."});
  process->resident = metrics.gauge({"process_resident_memory_bytes", "Resident memory."});
  process->virtual_size = metrics.gauge({"process_virtual_memory_bytes", "Address space in use."});
  process->threads = metrics.gauge({"process_threads", "Threads."});
  process->cpu = metrics.counter({"process_cpu_seconds_total", "CPU time, of users and system together."});
  metrics.on_render([process] { process->collect(); });
}

void show_disk_space(Metrics& metrics, const std::filesystem::path& folder) {
  if (folder.empty()) return;
  const auto free = metrics.gauge({"scalestyle_data_free_bytes", "Free space of the data folder's file system, for this user."});
  const auto size = metrics.gauge({"scalestyle_data_size_bytes", "Size of the data folder's file system."});
  metrics.on_render([folder, free, size] {
    struct statvfs space {};
    if (statvfs(folder.c_str(), &space) != 0) return;
    free.set(static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize));
    size.set(static_cast<double>(space.f_blocks) * static_cast<double>(space.f_frsize));
  });
}

}  // namespace scalestyle::telemetry
