#pragma once
// What the disk itself takes: appends of a small record to a file of its own in the same folder, each with fdatasync,
// at a steady rate while other work goes on. A click cannot be acknowledged faster than that.

#include <filesystem>
#include <thread>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::load {

// Runs a thread from start() to stop().
class SyncProbe {
 public:
  // kUnavailable when the file cannot be made. The file is removed by stop().
  [[nodiscard]] core::Status start(const std::filesystem::path& folder, double rate);
  // Milliseconds of each append with its sync, ascending. kUnavailable when one failed.
  [[nodiscard]] core::Result<std::vector<double>> stop();
  ~SyncProbe();

 private:
  void run(const std::stop_token& stop, double rate);

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::vector<double> latencies_ms_;
  int error_number_ = 0;
  std::jthread thread_;
};

}  // namespace scalestyle::load
