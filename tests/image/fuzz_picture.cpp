// What must hold of any bytes at all. libFuzzer's entry point, and what mutation_test.cpp calls.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "image/clip_preprocessing.hpp"
#include "support/picture_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace scalestyle::image {
namespace {

constexpr std::uint32_t kCrop = 32;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const std::string& file, std::uint32_t wanted_short_side) {
  const DecodeLimits limits{.max_bytes = 1U << 20U, .max_pixels = 250'000, .max_side = 4096, .max_time = std::chrono::hours(1)};
  const auto picture = decode(std::as_bytes(std::span(file)), limits, wanted_short_side);
  if (!picture) {
    const core::ErrorCode code = picture.error().code;
    require(code == core::ErrorCode::kInvalidArgument || code == core::ErrorCode::kUnsupported ||
            code == core::ErrorCode::kResourceExhausted);
    require(!picture.error().message.empty() && !picture.error().retryable);
    return;
  }
  require(picture->width > 0 && picture->height > 0);
  require(std::uint64_t{picture->width} * picture->height <= limits.max_pixels);
  require(picture->rgb.size() == std::size_t{picture->width} * picture->height * 3);
  std::vector<float> out(3UL * kCrop * kCrop);
  require(preprocess(*picture, {.resize_short_side = kCrop, .crop = kCrop}, out).has_value());
}

}  // namespace
}  // namespace scalestyle::image

// The last byte chooses the size that is wanted. A PNG is tried with right checksums too, or nothing would get past them.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  const std::uint32_t wanted = size == 0 ? 0 : data[size - 1] % 4 * 16;
  scalestyle::image::check(file, wanted);
  if (file.starts_with("\x89PNG")) {
    scalestyle::support::repair_png_checksums(file);
    scalestyle::image::check(file, wanted);
  }
  return 0;
}
