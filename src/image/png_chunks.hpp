#pragma once
// The outer form of a PNG file (W3C PNG, 3rd edition, section 5): chunks with lengths and checksums.

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/result.hpp"
#include "image/decode.hpp"

namespace scalestyle::image {

struct PngHeader {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint64_t data_bytes = 0;  // compressed, of all IDAT chunks together
};

// Walks the whole file: after this every chunk lies within it and has the right checksum, the first is IHDR and one is
// IEND; what follows IEND does not count. The size is checked against the limits first, so that a claim costs nothing.
// Errors: kInvalidArgument naming the chunk and where it lies; kResourceExhausted.
[[nodiscard]] core::Result<PngHeader> read_png_chunks(std::span<const std::byte> file, const DecodeLimits& limits);

}  // namespace scalestyle::image
