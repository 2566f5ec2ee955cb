#pragma once
// Reads an article's picture from the image folder, and never anything else.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::http {

struct ImageFile {
  std::string content;
  std::string_view content_type;  // by the file's first bytes, whatever its name says
  std::string etag;               // quoted; changes with the file's size or time
};

// `relative_path` is what the catalogue says; it is refused when absolute or when a part of it is "..", and no symbolic
// link below `folder` is followed. Blocking, bounded by max_bytes: for a worker, not the I/O thread.
// kNotFound when it is missing, refused, not a regular file, larger than max_bytes, or no JPEG, PNG, WebP or GIF;
// kUnavailable when reading fails.
[[nodiscard]] core::Result<ImageFile> read_image_file(const std::string& folder, std::string_view relative_path,
                                                      std::size_t max_bytes);

// "image/jpeg", "image/png", "image/webp", "image/gif", or empty.
[[nodiscard]] std::string_view image_type(std::string_view first_bytes);

// Whether an If-None-Match header names `etag`.
[[nodiscard]] bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace scalestyle::http
