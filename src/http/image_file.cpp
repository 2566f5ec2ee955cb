#include "http/image_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace scalestyle::http {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool valid() const { return value_ >= 0; }

 private:
  int value_;
};

std::unexpected<core::Error> missing(std::string_view why) {
  return core::fail(core::ErrorCode::kNotFound, fmt::format("this article's picture cannot be shown: {}", why));
}

// Opens one part after another, so that neither ".." nor a link can lead out of the folder.
core::Result<Descriptor> open_below(const std::string& folder, std::string_view path) {
  if (path.empty() || path.starts_with('/')) return missing("its path is not inside the image folder");
  Descriptor current(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!current.valid()) return missing("the image folder cannot be opened");
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string part(path.substr(0, slash));
    if (part == ".." || part.find('\0') != std::string::npos) return missing("its path is not inside the image folder");
    const bool last = slash == std::string_view::npos;
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    if (!part.empty() && part != ".") {
      Descriptor next(::openat(current.get(), part.c_str(), flags));
      if (!next.valid()) return missing(errno == ENOENT || errno == ENOTDIR ? "there is no such file" : "its file cannot be opened");
      current = std::move(next);
    }
    if (last) return current;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string_view image_type(std::string_view first_bytes) {
  using namespace std::string_view_literals;
  if (first_bytes.starts_with("\xFF\xD8\xFF"sv)) return "image/jpeg";
  if (first_bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return "image/png";
  if (first_bytes.starts_with("GIF87a"sv) || first_bytes.starts_with("GIF89a"sv)) return "image/gif";
  if (first_bytes.starts_with("RIFF"sv) && first_bytes.size() >= 12 && first_bytes.substr(8, 4) == "WEBP"sv) return "image/webp";
  return {};
}

core::Result<ImageFile> read_image_file(const std::string& folder, std::string_view relative_path, std::size_t max_bytes) {
  CORE_TRY(const Descriptor file, open_below(folder, relative_path));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return missing("it is not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) return missing(fmt::format("its file is larger than {} bytes", max_bytes));

  ImageFile image;
  image.content.resize(size);
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t bytes = ::read(file.get(), image.content.data() + filled, size - filled);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return core::fail(core::ErrorCode::kUnavailable, "the picture's file could not be read to its end");
    filled += static_cast<std::size_t>(bytes);
  }
  image.content_type = image_type(image.content);
  if (image.content_type.empty()) return missing("its file is not a JPEG, PNG, WebP or GIF");
  image.etag = fmt::format("\"{:x}-{:x}-{:x}\"", size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  return image;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const std::size_t comma = std::min(if_none_match.find(','), if_none_match.size());
    std::string_view candidate = if_none_match.substr(0, comma);
    if_none_match.remove_prefix(std::min(comma + 1, if_none_match.size()));
    while (candidate.starts_with(' ') || candidate.starts_with('\t')) candidate.remove_prefix(1);
    while (candidate.ends_with(' ') || candidate.ends_with('\t')) candidate.remove_suffix(1);
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate == etag || candidate == "*") return true;
  }
  return false;
}

}  // namespace scalestyle::http
