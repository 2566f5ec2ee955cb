#pragma once
// The bytes of a JPEG, PNG or WebP file to pixels, under limits: whoever sends a picture decides nothing but the picture.
// libjpeg-turbo, libpng and libwebp do the work (docs/decisions/0019-picture-decoding.md).
//
// Errors are about the picture, never retryable: kInvalidArgument (damaged, truncated or empty), kUnsupported (another
// format, or a kind of these that is not read), kResourceExhausted (above a limit). The message says what was found.
// Memory: the picture's 3 bytes a pixel, and at most 5 x max_pixels bytes and some 100 KiB while it is decoded. One format
// can take more: the code tables of a lossless WebP made for it, some hundred MB whatever its size.
// Thread safety: free functions without state, on any number of threads.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::image {

struct DecodeLimits {
  std::size_t max_bytes = std::size_t{10} << 20U;  // of the file
  std::uint64_t max_pixels = 50'000'000;           // as the file states its size, also where it is decoded smaller
  std::uint32_t max_side = 16'384;                 // pixels
  std::chrono::milliseconds max_time{2000};        // looked at between rows, scans and parts of the file
};

enum class Format : std::uint8_t { kJpeg, kPng, kWebp };

struct Picture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> rgb;  // [height, width, 3]; alpha over white, turned upright by EXIF, colour profiles ignored
};

// By the first bytes; names and content types do not count. kInvalidArgument when there are none.
[[nodiscard]] core::Result<Format> detect(std::span<const std::byte> bytes);

// With wanted_short_side != 0 a JPEG may be decoded at a half, a quarter or an eighth of its size, as long as its short
// side is still at least that; other formats are not.
[[nodiscard]] core::Result<Picture> decode(std::span<const std::byte> bytes, const DecodeLimits& limits,
                                           std::uint32_t wanted_short_side = 0);

}  // namespace scalestyle::image
