#include "consumer/work_folder.hpp"

#include <system_error>

namespace scalestyle::consumer {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFolder = ".events-work";
constexpr const char* kLock = "lock";

core::Status remove_files(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename() == kLock) continue;
    fs::remove_all(entry->path(), error);
    if (error) break;
  }
  if (error) return std::unexpected(core::system_error("clean", folder, error.value()));
  return {};
}

}  // namespace

core::Result<WorkFolder> WorkFolder::open(const fs::path& data) {
  std::error_code error;
  if (!fs::is_directory(data, error)) {
    return core::fail(core::ErrorCode::kNotFound, "there is no folder " + data.string(), "data");
  }
  const fs::path path = data / kFolder;
  CORE_CHECK(core::make_folders(path));
  CORE_TRY(auto lock, core::FileLock::acquire(path / kLock));
  CORE_CHECK(remove_files(path));
  return WorkFolder(path, std::move(lock));
}

WorkFolder::~WorkFolder() {
  if (path_.empty()) return;
  // The lock's file stays: removing it would let a second tool lock another file of the same name.
  [[maybe_unused]] const auto removed = remove_files(path_);
}

core::Status WorkFolder::remove_leftovers(const fs::path& data) {
  std::error_code error;
  if (!fs::exists(data / kFolder, error)) return {};
  auto work = open(data);
  if (!work && work.error().code == core::ErrorCode::kFailedPrecondition) return {};  // in use, and cleaned at its end
  if (!work) return std::unexpected(std::move(work).error());
  return {};
}

}  // namespace scalestyle::consumer
