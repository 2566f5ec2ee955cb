// Pictures: refused with a reason, or decoded within the limits.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fuzz/target.hpp"
#include "image/clip_preprocessing.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {
namespace {

constexpr std::uint32_t kCrop = 32;

using fuzz::require;

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

namespace scalestyle::fuzz {

std::vector<std::string> seeds() {
  using namespace support;  // NOLINT: every name here is one of its
  const image::Picture picture = quadrants(40, 28);
  const image::Picture busy = noise(24, 24, 5);
  const std::string exif = exif_block(6, true);
  const std::string jpeg = encode_jpeg(picture);
  const std::string webp = encode_webp(busy, {.lossless = true});
  return {jpeg,
          with_jpeg_segment(jpeg, 0xE1, std::string("Exif\0\0", 6) + exif),
          encode_jpeg(busy, {.progressive = true}),
          encode_jpeg(busy, {.colour = JpegColour::kYcck, .restart_rows = 1}),
          encode_jpeg(picture, {.colour = JpegColour::kGrey, .arithmetic = true}),
          encode_jpeg(picture, {.colour = JpegColour::k422, .scan_a_component = true}),
          encode_png(busy),
          encode_png(picture, {.colour = PngColour::kPalette, .depth = 2, .interlaced = true, .transparent_first = true}),
          encode_png(picture, {.colour = PngColour::kRgba, .depth = 16, .interlaced = true, .alpha = 50}),
          encode_png(grey_quadrants(30, 20), {.colour = PngColour::kGrey, .depth = 4, .transparent_first = true}),
          webp,
          encode_webp(picture),
          encode_webp(picture, {.alpha_channel = true, .alpha = 80}),
          extended_webp(webp, {.flags = 8, .width = 24, .height = 24, .after = riff_chunk("EXIF", exif)})};
}

std::vector<std::string> words() {
  using namespace std::string_literals;
  return {"\xFF\xD8", "\xFF\xE1", "\xFF\xC0", "\xFF\xC2", "\xFF\xDA", "\xFF\xD9", "Exif\0\0"s, "\x89PNG\r\n\x1A\n", "IHDR",
          "IDAT", "IEND", "PLTE", "tRNS",
          "RIFF", "WEBP", "VP8 ", "VP8L", "VP8X", "ALPH", "GIF89a", "BM"};
}

}  // namespace scalestyle::fuzz

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
