#pragma once
// SynonymFile: the synonyms of a file, followed while the server runs.
//
// A file that cannot be read or has a wrong line leaves the synonyms as they were; what is wrong is logged once.
// Thread safety: current() from any thread; follow() by one at a time.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "core/result.hpp"
#include "retrieval/synonyms.hpp"

namespace scalestyle::search {

class SynonymFile {
 public:
  // Reads the file. Errors: those of SynonymTable::read.
  [[nodiscard]] static core::Result<std::unique_ptr<SynonymFile>> open(std::filesystem::path path);

  // Never null; a request keeps it to its end.
  [[nodiscard]] std::shared_ptr<const retrieval::SynonymTable> current() const;

  // Another number for every change of current(). Read it before current(): what is newer than it says does no harm.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Reads the file again when its size or time is another one: true when other synonyms are in force now.
  [[nodiscard]] core::Result<bool> follow();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  // What tells one version of the file from the next.
  struct Stamp {
    std::filesystem::file_time_type time{};
    std::uintmax_t bytes = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  explicit SynonymFile(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] core::Result<Stamp> stamp() const;
  [[nodiscard]] core::Status read();

  const std::filesystem::path path_;
  Stamp seen_;  // of the version that was read last, whether or not it could be used
  std::atomic<std::uint64_t> version_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const retrieval::SynonymTable> table_;  // guarded by mutex_
};

}  // namespace scalestyle::search
