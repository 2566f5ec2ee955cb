#pragma once
// Files as the product uses them: mapped for reading, replaced atomically, locked by one process a role.
// Every error names the path and the system's reason.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::core {

// A read-only mapping of a whole regular file. Movable. Concurrent readers are safe; the file must not shrink while
// mapped (files of a generation are immutable). An empty file gives an empty span.
class MappedFile {
 public:
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  void release_pages() const;  // give resident pages back; they are read again when touched

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// The whole file as text; kResourceExhausted above max_bytes.
[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

// Writes a temporary file beside `path`, syncs it, renames it over `path`, syncs the folder: readers see the old or
// the new content, also after a power cut.
[[nodiscard]] Status write_file_atomically(const std::filesystem::path& path, std::string_view content);

[[nodiscard]] Status sync_file(const std::filesystem::path& path);
[[nodiscard]] Status sync_folder(const std::filesystem::path& path);
[[nodiscard]] Status make_folders(const std::filesystem::path& path);

// An exclusive advisory lock (flock) held while the object lives; freed by the kernel when the process dies.
class FileLock {
 public:
  // kFailedPrecondition, naming the holder's process id where known, when another process holds it.
  [[nodiscard]] static Result<FileLock> acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// "cannot <action> <path>: <reason of errno>" with the code that fits errno.
[[nodiscard]] Error system_error(std::string_view action, const std::filesystem::path& path, int error_number);

}  // namespace scalestyle::core
