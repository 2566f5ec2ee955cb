#pragma once
// One row of each pass of a resize: whole numbers, so that every instruction set gives the same. Inside this folder only.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace scalestyle::image {

constexpr int kFractionBits = 32 - 8 - 2;  // of a weight: 8 bits of the pixel, 2 for what the negative weights add
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

[[nodiscard]] inline std::uint8_t to_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

struct Range {
  std::uint32_t from = 0;
  std::uint32_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - from; }
};

// Which source pixels make each wanted one, at least one, and by how much.
struct Taps {
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> count;
  std::vector<std::int32_t> weights;  // [wanted, stride]
  std::size_t stride = 0;
  [[nodiscard]] std::span<const std::int32_t> of(std::size_t i) const { return {weights.data() + i * stride, count[i]}; }
  [[nodiscard]] Range source() const { return {first.front(), first.back() + count.back()}; }
};

struct RowKernels {
  // Every wanted pixel of a row. `row` begins with the pixel at `left`; nothing beyond the last tap is read.
  void (*across)(const std::uint8_t* row, std::uint32_t left, const Taps& taps, std::uint8_t* out);
  // sums[i] += row[i] * weight
  void (*add)(const std::uint8_t* row, std::int32_t weight, std::span<std::int32_t> sums);
};

[[nodiscard]] RowKernels portable_row_kernels();
[[nodiscard]] RowKernels fastest_row_kernels();  // of this processor

}  // namespace scalestyle::image
