#include "image/resize.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <utility>

#include "image/resize_rows.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {
namespace {

// A window is a part of the whole, bit for bit.
TEST(ResizeBicubic, WindowEqualsTheWhole) {
  for (const auto& [width, height] : {std::pair{57U, 41U}, {20U, 90U}, {33U, 33U}, {40U, 300U}}) {
    const Picture picture = support::noise(width, height, width);
    for (const auto& [to_width, to_height] : {std::pair{33U, 90U}, {57U, 20U}, {120U, 11U}, {33U, 33U}}) {
      const auto whole = resize_bicubic(picture, {to_width, to_height, 0, 0, to_width, to_height});
      ASSERT_EQ(whole.size(), std::size_t{to_width} * to_height * 3);
      const ResizeWindow window{to_width, to_height, 5, 3, to_width - 9, to_height - 8};
      const auto part = resize_bicubic(picture, window);
      for (std::size_t y = 0; y < window.height; ++y) {
        const std::size_t from = ((y + window.top) * to_width + window.left) * 3;
        const std::size_t row = std::size_t{window.width} * 3;
        EXPECT_EQ(std::memcmp(whole.data() + from, part.data() + y * row, row), 0);
      }
    }
  }
}

TEST(ResizeBicubic, PlainStaysPlain) {
  const Picture picture = support::plain(91, 37, 0x0180FF);
  for (const std::uint32_t side : {1U, 7U, 37U, 91U, 200U}) {
    EXPECT_EQ(resize_bicubic(picture, {side, side, 0, 0, side, side}), support::plain(side, side, 0x0180FF).rgb);
  }
}

// The sums are whole numbers, so the order in which a kernel adds does not show.
TEST(RowKernels, FastestEqualsPortable) {
  const RowKernels portable = portable_row_kernels();
  const RowKernels fastest = fastest_row_kernels();
  for (std::uint32_t taps_each = 1; taps_each <= 40; ++taps_each) {
    Taps taps;
    taps.stride = taps_each;
    for (std::uint32_t i = 0; i < 9; ++i) {
      taps.first.push_back(100 + i);
      taps.count.push_back(taps_each - (i == 4 && taps_each > 1 ? 1 : 0));
      for (std::uint32_t k = 0; k < taps_each; ++k) {
        const auto share = static_cast<std::int32_t>((1U << 22U) / taps_each);
        taps.weights.push_back(k % 5 == 4 ? -share : share + static_cast<std::int32_t>(k * 1001));
      }
    }
    const std::size_t pixels = 8 + taps_each;  // exactly what is read, in a block of its own
    const Picture row = support::noise(static_cast<std::uint32_t>(pixels), 1, taps_each);
    std::vector<std::uint8_t> a(27);
    std::vector<std::uint8_t> b(27);
    portable.across(row.rgb.data(), 100, taps, a.data());
    fastest.across(row.rgb.data(), 100, taps, b.data());
    EXPECT_EQ(a, b) << taps_each;
    std::vector<std::int32_t> sums_a(row.rgb.size(), 5);
    std::vector<std::int32_t> sums_b = sums_a;
    portable.add(row.rgb.data(), -1234567, sums_a);
    fastest.add(row.rgb.data(), -1234567, sums_b);
    EXPECT_EQ(sums_a, sums_b);
  }
}

}  // namespace
}  // namespace scalestyle::image
