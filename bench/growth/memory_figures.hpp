#pragma once
// The memory of this process, as the kernel counts it.

#include <cstdlib>
#include <fstream>
#include <string>

namespace scalestyle::bench {

struct MemoryFigures {  // 10⁶ bytes
  double resident_mb = 0;
  double anonymous_mb = 0;  // of that, what is no file's
  double peak_mb = 0;
};

[[nodiscard]] inline MemoryFigures memory_figures() {
  MemoryFigures figures;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const auto value = [&line] { return 1024e-6 * std::strtod(line.c_str() + line.find(':') + 1, nullptr); };
    if (line.starts_with("VmRSS:")) figures.resident_mb = value();
    if (line.starts_with("RssAnon:")) figures.anonymous_mb = value();
    if (line.starts_with("VmHWM:")) figures.peak_mb = value();
  }
  return figures;
}

}  // namespace scalestyle::bench
