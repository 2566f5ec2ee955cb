#include "sync_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "core/files.hpp"

namespace scalestyle::load {
namespace {

// What one acknowledged click writes in write-ahead logging: a page with its header.
constexpr std::size_t kRecordBytes = 4'096 + 24;

}  // namespace

core::Status SyncProbe::start(const std::filesystem::path& folder, double rate) {
  path_ = folder / fmt::format("sync-probe-{}", ::getpid());
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return std::unexpected(core::system_error("create", path_, errno));
  thread_ = std::jthread([this, rate](const std::stop_token& stop) { run(stop, rate); });
  return {};
}

void SyncProbe::run(const std::stop_token& stop, double rate) {
  using Clock = std::chrono::steady_clock;
  const std::array<char, kRecordBytes> record{};
  const auto interval = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
  for (auto next = Clock::now(); !stop.stop_requested(); next += interval) {
    std::this_thread::sleep_until(next);
    const auto begin = Clock::now();
    if (::write(descriptor_, record.data(), record.size()) != static_cast<ssize_t>(record.size()) || ::fdatasync(descriptor_) != 0) {
      error_number_ = errno;
      return;
    }
    latencies_ms_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
}

core::Result<std::vector<double>> SyncProbe::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (descriptor_ >= 0) {
    ::close(std::exchange(descriptor_, -1));
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  if (error_number_ != 0) return std::unexpected(core::system_error("append to", path_, error_number_));
  std::ranges::sort(latencies_ms_);
  return std::move(latencies_ms_);
}

SyncProbe::~SyncProbe() { static_cast<void>(stop()); }

}  // namespace scalestyle::load
