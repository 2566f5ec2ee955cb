#pragma once
// WorkFolder: DATA/.events-work/, where the tools over the events of a data folder put copies of features while they
// run. One tool at a time. What a tool that was killed left there is removed by the next, and by every erasure: the
// copies hold what is known of people.

#include <filesystem>
#include <utility>

#include "core/files.hpp"
#include "core/result.hpp"

namespace scalestyle::consumer {

class WorkFolder {
 public:
  // Makes the folder, empty. kFailedPrecondition when another tool is at work.
  [[nodiscard]] static core::Result<WorkFolder> open(const std::filesystem::path& data);
  WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  // Removes it with everything in it.
  ~WorkFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Removes what no tool that is running uses.
  [[nodiscard]] static core::Status remove_leftovers(const std::filesystem::path& data);

 private:
  WorkFolder(std::filesystem::path path, core::FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  core::FileLock lock_;
};

}  // namespace scalestyle::consumer
