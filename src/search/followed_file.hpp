#pragma once
// FollowedFile: the content of a file, followed while the server runs.
//
// A file that cannot be read, or not be used, leaves the content as it was; what is wrong with it is told by follow() and
// by last_error() until it is right.
// Thread safety: current() and last_error() from any thread; follow() by one at a time.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include "core/files.hpp"
#include "core/result.hpp"

namespace scalestyle::search {

template <class Content>
class FollowedFile {
 public:
  using Read = core::Result<Content> (*)(const std::filesystem::path&);

  FollowedFile(const FollowedFile&) = delete;
  FollowedFile& operator=(const FollowedFile&) = delete;

  // Never null; a request keeps it to its end.
  [[nodiscard]] std::shared_ptr<const Content> current() const {
    const std::lock_guard lock(mutex_);
    return content_;
  }
  // Another number for every change of current(). Read it before current(): what is newer than it says does no harm.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Why the file as it is now is not in force; empty when it is.
  [[nodiscard]] std::string last_error() const {
    const std::lock_guard lock(mutex_);
    return last_error_;
  }

  // Reads the file again when its size or time is another one: true when another content is in force now. Errors: those
  // of reading; the same file is not tried again.
  [[nodiscard]] core::Result<bool> follow() {
    const auto now = stamp();
    if (!now) return std::unexpected(noted(now.error()));
    if (*now == seen_) {
      const std::lock_guard lock(mutex_);
      if (seen_ == in_force_) last_error_.clear();  // it was away, and is back
      return false;
    }
    if (auto read = read_now(); !read) return std::unexpected(noted(read.error()));
    return true;
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 protected:
  FollowedFile(std::filesystem::path path, Read read) : path_(std::move(path)), read_(read) {}
  ~FollowedFile() = default;

  [[nodiscard]] core::Status read_now() {
    CORE_TRY(seen_, stamp());  // before reading: what is written meanwhile is read the next time
    CORE_TRY(auto content, read_(path_));
    auto next = std::make_shared<const Content>(std::move(content));
    const std::lock_guard lock(mutex_);
    content_.swap(next);
    in_force_ = seen_;
    last_error_.clear();
    version_.fetch_add(1, std::memory_order_acq_rel);
    return {};
  }

 private:
  // What tells one version of the file from the next.
  struct Stamp {
    std::filesystem::file_time_type time{};
    std::uintmax_t bytes = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  [[nodiscard]] core::Result<Stamp> stamp() const {
    std::error_code error;
    Stamp now;
    now.time = std::filesystem::last_write_time(path_, error);
    if (!error) now.bytes = std::filesystem::file_size(path_, error);
    if (error) return std::unexpected(core::system_error("look at", path_, error.value()));
    return now;
  }

  [[nodiscard]] core::Error noted(core::Error error) {
    const std::lock_guard lock(mutex_);
    last_error_ = error.message;
    return error;
  }

  const std::filesystem::path path_;
  const Read read_;
  Stamp seen_;      // of the version that was read last, whether or not it could be used
  Stamp in_force_;  // of the content
  std::atomic<std::uint64_t> version_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const Content> content_;  // guarded by mutex_, as is the next
  std::string last_error_;
};

}  // namespace scalestyle::search
