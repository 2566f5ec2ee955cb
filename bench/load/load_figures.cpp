// What a run's figures are made of.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/files.hpp"
#include "load_run.hpp"

namespace scalestyle::load {

double percentile(const std::vector<double>& ascending, double share) {
  if (ascending.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(ascending.size())));
  return ascending[std::clamp<std::size_t>(rank, 1, ascending.size()) - 1];
}

double LoadReport::percentile(double share) const { return load::percentile(latencies_ms, share); }

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

core::Result<double> cpu_seconds_of(std::uint64_t pid) {
  constexpr std::size_t kMaxBytes = 4096;
  constexpr int kUserTime = 11;  // fields behind the name, which may have blanks and brackets; proc(5)
  CORE_TRY(const std::string stat, core::read_text_file(fmt::format("/proc/{}/stat", pid), kMaxBytes));
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string passed;
  for (int i = 0; i < kUserTime; ++i) fields >> passed;
  double user = 0;
  double system = 0;
  if (!(fields >> user >> system)) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("/proc/{}/stat is not as proc(5) says", pid));
  }
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

AnswerCheck check_answer(std::string_view body) {
  const auto has = [body](std::string_view text) { return body.find(text) != std::string_view::npos; };
  return {has(R"("status":"success")"), !has(R"("degraded":false)"), has(R"("data":[{)")};
}

}  // namespace scalestyle::load
