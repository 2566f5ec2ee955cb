#pragma once
// Bicubic resampling with antialiasing, bit for bit as Pillow's Image.resize(size, BICUBIC) on 8-bit pictures (its
// src/libImaging/Resample.c): a = -0.5, the support grows with the reduction, weights of 22 fractional bits, rounded to 8
// bits between the passes, no pass along a side that keeps its length, Pillow 13's order of passes.

#include <cstdint>
#include <vector>

#include "image/decode.hpp"

namespace scalestyle::image {

// The part [left, left + width) x [top, top + height) of the whole picture resized to full_width x full_height.
struct ResizeWindow {
  std::uint32_t full_width = 0;
  std::uint32_t full_height = 0;
  std::uint32_t left = 0;
  std::uint32_t top = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

// Only what the window needs is computed: [height, width, 3]. The picture and the window are not empty, the window lies
// within the full size. Equal on every processor. Thread safety: a free function without state.
[[nodiscard]] std::vector<std::uint8_t> resize_bicubic(const Picture& picture, const ResizeWindow& window);

}  // namespace scalestyle::image
