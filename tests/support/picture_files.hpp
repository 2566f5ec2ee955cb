#pragma once
// Pictures to test with, and files of them in every kind that the libraries write. Deterministic.

#include <cstdint>
#include <string>
#include <string_view>

#include "image/decode.hpp"

namespace scalestyle::support {

// Red, green / blue, yellow: a turn, a flip or a swapped channel shows. The left and upper parts round up.
[[nodiscard]] image::Picture quadrants(std::uint32_t width, std::uint32_t height);
// The same in 0, 85 / 170, 255, which every depth from 2 bits on holds exactly.
[[nodiscard]] image::Picture grey_quadrants(std::uint32_t width, std::uint32_t height);
[[nodiscard]] image::Picture plain(std::uint32_t width, std::uint32_t height, std::uint32_t rgb);
// The same everywhere, but looking random.
[[nodiscard]] image::Picture noise(std::uint32_t width, std::uint32_t height, std::uint32_t seed);
// The lower half (rounded down) seen through `alpha` on white.
[[nodiscard]] image::Picture faded(image::Picture picture, unsigned alpha);
// As it must be stored so that a reader that obeys the EXIF orientation shows `picture`.
[[nodiscard]] image::Picture stored_for(const image::Picture& picture, unsigned orientation);

enum class JpegColour : std::uint8_t { k420, k422, k440, k444, kGrey, kRgb, kCmyk, kYcck };
struct JpegStyle {
  JpegColour colour = JpegColour::k420;
  int quality = 90;
  bool progressive = false;
  bool arithmetic = false;
  bool scan_a_component = false;  // sequential, not interleaved
  int restart_rows = 0;
};
[[nodiscard]] std::string encode_jpeg(const image::Picture& picture, const JpegStyle& style = {});

enum class PngColour : std::uint8_t { kGrey, kRgb, kPalette, kGreyAlpha, kRgba };
struct PngStyle {
  PngColour colour = PngColour::kRgb;
  int depth = 8;
  bool interlaced = false;
  unsigned alpha = 255;           // of the lower half, where there is an alpha channel
  bool transparent_first = false;  // tRNS: the first pixel's colour is transparent
  int compression = 6;
};
[[nodiscard]] std::string encode_png(const image::Picture& picture, const PngStyle& style = {});

struct WebpStyle {
  bool lossless = false;
  bool alpha_channel = false;
  unsigned alpha = 255;  // of the lower half
  float quality = 90;
};
[[nodiscard]] std::string encode_webp(const image::Picture& picture, const WebpStyle& style = {});

// ---- the outer forms

[[nodiscard]] std::string big_endian_32(std::uint32_t value);
[[nodiscard]] std::string little_endian_32(std::uint32_t value);
// A TIFF block with one entry, the orientation.
[[nodiscard]] std::string exif_block(unsigned orientation, bool little_endian);
// `content` in a segment right after the start.
[[nodiscard]] std::string with_jpeg_segment(const std::string& jpeg, unsigned marker, std::string_view content);
// Where the marker FF `marker` begins; std::string::npos where there is none.
[[nodiscard]] std::size_t find_jpeg_marker(const std::string& jpeg, unsigned marker, std::size_t from = 2);
[[nodiscard]] std::string png_chunk(std::string_view type, std::string_view content);
// `chunk` right after IHDR.
[[nodiscard]] std::string with_png_chunk(const std::string& png, std::string_view chunk);
// Gives each chunk that lies within the file the right checksum.
void repair_png_checksums(std::string& png);
[[nodiscard]] std::string deflate(std::string_view content);
[[nodiscard]] std::string riff_chunk(std::string_view type, std::string_view content);
[[nodiscard]] std::string webp_of(std::string_view chunks);
// The extended form: VP8X with `flags` and a canvas, `before`, the chunks of `webp`, `after`.
struct WebpExtension {
  unsigned flags = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::string before{};
  std::string after{};
};
[[nodiscard]] std::string extended_webp(const std::string& webp, const WebpExtension& extension);

}  // namespace scalestyle::support
