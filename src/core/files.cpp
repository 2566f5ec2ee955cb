#include "core/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace scalestyle::core {

namespace {

// Closes at scope end; the descriptor of a finished step is closed explicitly where close() may report an error.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool ok() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

Status write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(system_error("write", path, errno));
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status sync_path(const std::filesystem::path& path, int flags) {
  const Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.ok()) return std::unexpected(system_error("open", path, errno));
  if (::fsync(file.get()) != 0) return std::unexpected(system_error("sync", path, errno));
  return {};
}

}  // namespace

Error system_error(std::string_view action, const std::filesystem::path& path, int error_number) {
  ErrorCode code = ErrorCode::kUnavailable;
  switch (error_number) {
    case ENOENT: case ENOTDIR: code = ErrorCode::kNotFound; break;
    case EACCES: case EPERM: case EROFS: code = ErrorCode::kPermissionDenied; break;
    case EEXIST: code = ErrorCode::kAlreadyExists; break;
    case ENOSPC: case EDQUOT: case EMFILE: case ENFILE: case EFBIG: case ENOMEM: code = ErrorCode::kResourceExhausted; break;
    case EISDIR: case ENAMETOOLONG: case EINVAL: code = ErrorCode::kInvalidArgument; break;
    default: break;
  }
  return Error{code, fmt::format("cannot {} {}: {}", action, path.string(), std::generic_category().message(error_number))};
}

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return std::unexpected(system_error("open", path, errno));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return std::unexpected(system_error("read", path, errno));
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not a regular file", path.string()));
  MappedFile mapped;
  mapped.size_ = static_cast<std::size_t>(info.st_size);
  if (mapped.size_ == 0) return mapped;
  void* address = ::mmap(nullptr, mapped.size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) {
    mapped.size_ = 0;
    return std::unexpected(system_error("map", path, errno));
  }
  mapped.data_ = static_cast<const std::byte*>(address);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release_pages() const {
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return std::unexpected(system_error("open", path, errno));
  std::string text;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(system_error("read", path, errno));
    }
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > max_bytes) {
      return fail(ErrorCode::kResourceExhausted, fmt::format("{} is larger than the limit of {} bytes", path.string(), max_bytes));
    }
  }
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::string temporary = path.string() + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.ok()) return std::unexpected(system_error("create", temporary, errno));
  auto status = write_all(file.get(), content, temporary);
  if (status && ::fchmod(file.get(), 0644) != 0) status = std::unexpected(system_error("set the mode of", temporary, errno));
  if (status && ::fsync(file.get()) != 0) status = std::unexpected(system_error("sync", temporary, errno));
  if (status && ::close(file.release()) != 0) status = std::unexpected(system_error("close", temporary, errno));
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) status = std::unexpected(system_error("replace", path, errno));
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

Status sync_file(const std::filesystem::path& path) { return sync_path(path, O_RDONLY); }
Status sync_folder(const std::filesystem::path& path) { return sync_path(path, O_RDONLY | O_DIRECTORY); }

Status make_folders(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return std::unexpected(system_error("create the folder", path, error.value()));
  return {};
}

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.ok()) return std::unexpected(system_error("open the lock file", path, errno));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(system_error("lock", path, errno));
    std::array<char, 32> holder{};
    const ssize_t count = ::pread(file.get(), holder.data(), holder.size() - 1, 0);
    return fail(ErrorCode::kFailedPrecondition,
                fmt::format("{} is locked by another process{}{}", path.string(), count > 0 ? " with id " : "",
                            count > 0 ? holder.data() : ""));
  }
  const std::string id = std::to_string(::getpid());
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), id.data(), id.size(), 0) < 0) {
    return std::unexpected(system_error("write", path, errno));
  }
  return FileLock(file.release());
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace scalestyle::core
