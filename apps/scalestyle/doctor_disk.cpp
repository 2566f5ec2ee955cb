// The disk under the data folder.

#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "core/files.hpp"
#include "doctor_judgement.hpp"
#include "doctor_parts.hpp"

namespace scalestyle::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSyncs = 200;
constexpr std::chrono::milliseconds kSyncTime{400};  // of all of them
constexpr std::size_t kWriteBytes = 4096;
constexpr long kTmpfs = 0x01021994;  // TMPFS_MAGIC
constexpr std::uint64_t kMebibyte = 1U << 20U;

// A file that is gone with the object, or with the process.
class TemporaryFile {
 public:
  [[nodiscard]] static core::Result<TemporaryFile> make(const fs::path& folder) {
    std::string name = (folder / ".doctor-XXXXXX").string();
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) return std::unexpected(core::system_error("write in", folder, errno));
    ::unlink(name.c_str());
    return TemporaryFile(descriptor);
  }
  TemporaryFile(TemporaryFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  explicit TemporaryFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// The folder itself, or the one that it would be made in.
fs::path nearest_folder(fs::path folder) {
  std::error_code error;
  folder = fs::absolute(folder, error);
  while (!fs::is_directory(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

core::Result<SyncTimes> measure_syncs(int file, const fs::path& folder) {
  std::array<char, kWriteBytes> block{};
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  while (times.size() < kMostSyncs && (times.empty() || std::chrono::steady_clock::now() - start < kSyncTime)) {
    const auto offset = static_cast<off_t>(times.size() * kWriteBytes);
    if (::pwrite(file, block.data(), block.size(), offset) != static_cast<ssize_t>(block.size())) {
      return std::unexpected(core::system_error("write in", folder, errno == 0 ? ENOSPC : errno));
    }
    const auto before = std::chrono::steady_clock::now();
    if (::fdatasync(file) != 0) return std::unexpected(core::system_error("sync in", folder, errno));
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
  }
  return sync_times(std::move(times));
}

bool is_in_memory(const fs::path& folder) {
  struct statfs facts{};
  return ::statfs(folder.c_str(), &facts) == 0 && static_cast<long>(facts.f_type) == kTmpfs;
}

Check check_sync(const core::Settings& settings, const fs::path& folder, bool quick) {
  const auto file = TemporaryFile::make(folder);
  if (!file) return failed("disk_sync", file.error(), "let this user write there, or name another folder with --data");
  if (quick) return skipped("disk_sync", folder.string() + " can be written; syncs are not measured (--quick)");
  const auto times = measure_syncs(file->get(), folder);
  if (!times) return failed("disk_sync", times.error(), "see to this disk: an event could not be kept");
  const auto deadline = std::chrono::milliseconds(settings.integer("event_deadline_ms"));
  return judge_sync(*times, deadline, is_in_memory(folder));
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

Check check_free(const core::Settings& settings, const fs::path& folder) {
  std::error_code error;
  const auto space = fs::space(folder, error);
  if (error) return failed("disk_free", fmt::format("{}: {}", folder.string(), error.message()), "see to this disk");
  const fs::path data = settings.text("data");
  DiskNeed need;
  const adapters::embedded::DataFolder generations(data);
  if (const auto current = generations.read_current()) {
    if (const auto manifest = adapters::embedded::read_manifest(generations.generation(*current))) {
      for (const auto& file : manifest->files) need.generation_bytes += file.size_bytes;
    }
  }
  if (settings.text("event_log") == "embedded") {
    need.events_bytes = static_cast<std::uint64_t>(settings.integer("event_retention_mb") +
                                                   settings.integer("impression_retention_mb")) * kMebibyte;
    for (const char* name
         : {"events.db", "events.db-wal", "impressions.db", "impressions.db-wal"}) need.kept_bytes += size_of(data / name);
  }
  return judge_free_disk(space.available, need);
}

}  // namespace

Checks check_disk(const core::Settings& settings, bool quick) {
  if (!settings.is_set("data")) return {skipped("disk_sync", "no --data given"), skipped("disk_free", "no --data given")};
  const fs::path folder = nearest_folder(settings.text("data"));
  return {check_sync(settings, folder, quick), check_free(settings, folder)};
}

}  // namespace scalestyle::app
