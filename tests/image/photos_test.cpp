// Real photos: all are read, and DCT scaling hardly changes what a model is given.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <vector>

#include "core/files.hpp"
#include "image/clip_preprocessing.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::image {
namespace {

using Clock = std::chrono::steady_clock;

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double product = 0;
  double of_a = 0;
  double of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    of_a += static_cast<double>(a[i]) * a[i];
    of_b += static_cast<double>(b[i]) * b[i];
  }
  return product / std::sqrt(of_a * of_b);
}

struct Prepared {
  std::vector<float> pixels;
  std::uint64_t decoded = 0;  // pixels
  double milliseconds = 0;
};

Prepared prepare(std::span<const std::byte> file, std::uint32_t wanted_short_side) {
  const ClipPreprocessing how;
  Prepared out;
  out.pixels.resize(3UL * how.crop * how.crop);
  const auto start = Clock::now();
  const auto picture = decode(file, {.max_time = std::chrono::hours(1)}, wanted_short_side);
  EXPECT_TRUE(picture) << picture.error().message;
  if (!picture) return out;
  EXPECT_TRUE(preprocess(*picture, how, out.pixels));
  out.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  out.decoded = std::uint64_t{picture->width} * picture->height;
  return out;
}

TEST(Photos, DecodeAndHardlyDependOnDctScaling) {
  const auto folder = support::shared_dir() / "data" / "hm" / "images";
  SCALESTYLE_NEED(folder);
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  ASSERT_GE(paths.size(), 100U);
  double worst_cosine = 1;
  double mean_difference = 0;
  double milliseconds = 0;
  double pixels = 0;
  std::size_t compared = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    SCOPED_TRACE(paths[i].string());
    const auto file = core::MappedFile::open(paths[i]);
    ASSERT_TRUE(file) << file.error().message;
    const Prepared scaled = prepare(file->bytes(), short_side_to_decode(ClipPreprocessing{}));
    milliseconds += scaled.milliseconds;
    if (i % 4 != 0) continue;  // whole, they take most of the time
    const Prepared whole = prepare(file->bytes(), 0);
    EXPECT_LT(scaled.decoded * 3, whole.decoded);
    pixels += static_cast<double>(whole.decoded);
    worst_cosine = std::min(worst_cosine, cosine(scaled.pixels, whole.pixels));
    double difference = 0;
    for (std::size_t k = 0; k < whole.pixels.size(); ++k) difference += std::abs(scaled.pixels[k] - whole.pixels[k]);
    mean_difference += difference / static_cast<double>(whole.pixels.size());
    ++compared;
  }
  mean_difference *= 0.27 * 255 / static_cast<double>(compared);  // in 1/255 of the range; 0.27: the deviations
  EXPECT_GT(worst_cosine, 0.999);
  EXPECT_LT(mean_difference, 1.5);
  std::cout << paths.size() << " photos of " << pixels / static_cast<double>(compared) / 1e6 << " megapixels: "
            << milliseconds / static_cast<double>(paths.size()) << " ms each; scaled against whole: cosine at least "
            << worst_cosine << ", mean difference " << mean_difference << "/255\n";
}

}  // namespace
}  // namespace scalestyle::image
