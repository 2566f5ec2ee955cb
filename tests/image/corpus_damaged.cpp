#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "image/corpus.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {

using namespace support;  // NOLINT: every name here is one of its
using core::ErrorCode;
using namespace std::string_literals;

namespace {

struct Base {
  std::string_view name;
  std::string file;
  std::size_t start;  // bytes by which the format is known
  std::size_t spare;  // bytes at the end that a picture does not need
};

// Noise, so that no byte of the compressed data is without consequence.
std::vector<Base> bases() {
  const Picture picture = noise(48, 40, 7);
  std::vector<Base> out;
  out.push_back({"jpeg", encode_jpeg(picture), 3, 2});
  out.push_back({"jpeg grey with restarts", encode_jpeg(picture, {.colour = JpegColour::kGrey, .restart_rows = 1}), 3, 2});
  out.push_back({"jpeg progressive", encode_jpeg(picture, {.progressive = true}), 3, 0});
  out.push_back({"jpeg arithmetic", encode_jpeg(picture, {.arithmetic = true}), 3, 0});
  out.push_back({"jpeg CMYK", encode_jpeg(picture, {.colour = JpegColour::kCmyk}), 3, 2});
  out.push_back({"png", encode_png(picture), 8, 0});
  out.push_back({"png interlaced RGBA", encode_png(picture, {.colour = PngColour::kRgba, .interlaced = true}), 8, 0});
  out.push_back({"webp lossy", encode_webp(picture), 12, 1});
  out.push_back({"webp lossless", encode_webp(picture, {.lossless = true}), 12, 0});
  out.push_back({"webp lossy with alpha", encode_webp(picture, {.alpha_channel = true, .alpha = 99}), 12, 1});
  return out;
}

}  // namespace

std::vector<Specimen> other_formats() {
  const std::array<std::pair<std::string_view, std::string>, 16> files = {{
      {"GIF", "GIF89a\x01\0\x01\0\0\0\0;"s},
      {"BMP", "BM"s + std::string(60, '\0')},
      {"TIFF", "II*\0"s + std::string(60, '\0')},
      {"TIFF", "MM\0*"s + std::string(60, '\0')},
      {"PDF", "%PDF-1.7\n"},
      {"HEIC", "\0\0\0\x18"s + "ftypheic" + std::string(20, '\0')},
      {"HTML", "<!DOCTYPE html><html>not found</html>"},
      {"HTML", "  \r\n<html>"},
      {"SVG", "\xef\xbb\xbf<svg xmlns=\"http://www.w3.org/2000/svg\"/>"},
      {"gzip", "\x1f\x8b\x08"s + std::string(40, '\0')},
      {"not a JPEG", "PK\x03\x04"},
      {"not a JPEG", "plain text"},
      {"not a JPEG", "RIFF\x10\0\0\0WAVEfmt "s},
      {"not a JPEG", "\xff\xd8"},
      {"not a JPEG", "\x89PNG\r\n\x1a"},
      {"not a JPEG", std::string(100000, '\0')},
  }};
  std::vector<Specimen> out;
  for (const auto& [message, file] : files) {
    out.push_back({fmt::format("other {}: {}", out.size(), message), file, {}, 0, ErrorCode::kUnsupported, std::string(message)});
  }
  out.push_back({"no bytes", "", {}, 0, ErrorCode::kInvalidArgument, "no bytes"});
  out.push_back({"jpeg start", "\xff\xd8\xff", {}, 0, ErrorCode::kInvalidArgument, "JPEG"});
  out.push_back({"jpeg start and end", "\xff\xd8\xff\xd9", {}, 0, ErrorCode::kInvalidArgument, "JPEG"});
  out.push_back({"png start", "\x89PNG\r\n\x1a\n", {}, 0, ErrorCode::kInvalidArgument, "PNG ends"});
  out.push_back({"webp start", "RIFF\x04\0\0\0WEBP"s, {}, 0, ErrorCode::kInvalidArgument, "WebP"});
  out.push_back({"jpeg start and text", "\xff\xd8\xff\xe0<html>", {}, 0, ErrorCode::kInvalidArgument, "JPEG"});
  return out;
}

std::vector<Specimen> truncated_files() {
  std::vector<Specimen> out;
  for (const Base& base : bases()) {
    constexpr std::size_t kPlaces = 16;
    const std::size_t last = base.file.size() - base.spare - 1;
    for (std::size_t i = 0; i <= kPlaces; ++i) {
      const std::size_t size = base.start + (last - base.start) * i / kPlaces;
      // The last bits of an entropy-coded scan may be filling.
      const bool maybe_whole = base.spare > 0 && size + 2 >= last;
      Specimen specimen{fmt::format("{}, {} of {} bytes", base.name, size, base.file.size()), base.file.substr(0, size)};
      if (!maybe_whole) specimen.error = ErrorCode::kInvalidArgument;
      if (!maybe_whole && size > base.start + 200) specimen.message = "ends";
      out.push_back(std::move(specimen));
    }
  }
  return out;
}

std::vector<Specimen> flipped_bits() {
  std::vector<Specimen> out;
  for (const Base& base : bases()) {
    constexpr std::size_t kPlaces = 24;
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const std::size_t at = base.start + (base.file.size() - base.start - 1) * i / (kPlaces - 1);
      Specimen specimen{fmt::format("{}, a bit of byte {} flipped", base.name, at), base.file};
      specimen.file[at] = static_cast<char>(static_cast<std::uint8_t>(specimen.file[at]) ^ 1U << (i % 8));
      if (base.name.starts_with("png")) specimen.error = ErrorCode::kInvalidArgument;
      out.push_back(std::move(specimen));
    }
  }
  return out;
}

}  // namespace scalestyle::image
