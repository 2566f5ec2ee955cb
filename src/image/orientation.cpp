#include "image/orientation.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace scalestyle::image {
namespace {

constexpr unsigned kAsItIs = 1;
constexpr std::string_view kExifName("Exif\0\0", 6);

// Bytes that are read at any offset; nullopt beyond the end.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::optional<std::uint64_t> number(std::size_t offset, std::size_t width, bool little_endian) const {
    if (width > size() || offset > size() - width) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t at = offset + (little_endian ? width - 1 - i : i);
      value = value << 8U | std::to_integer<std::uint64_t>(bytes_[at]);
    }
    return value;
  }
  [[nodiscard]] bool has(std::size_t offset, std::string_view text) const {
    return text.size() <= size() && offset <= size() - text.size() &&
           std::memcmp(bytes_.data() + offset, text.data(), text.size()) == 0;
  }
  // As much of it as there is.
  [[nodiscard]] std::span<const std::byte> part(std::size_t offset, std::uint64_t length) const {
    if (offset >= size()) return {};
    return bytes_.subspan(offset, static_cast<std::size_t>(std::min<std::uint64_t>(length, size() - offset)));
  }

 private:
  std::span<const std::byte> bytes_;
};

// Segments before the first scan: FF, marker, length (with itself), content.
std::span<const std::byte> exif_of_jpeg(const Bytes& file) {
  for (std::size_t at = 2; at + 4 <= file.size();) {
    if (file.number(at, 1, false) != 0xFFU) return {};
    const std::uint64_t marker = *file.number(at + 1, 1, false);
    if (marker == 0xFF || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {  // filling, or a marker alone
      at += marker == 0xFF ? 1 : 2;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) return {};
    const std::uint64_t length = *file.number(at + 2, 2, false);
    if (length < 2) return {};
    if (marker == 0xE1 && file.has(at + 4, kExifName)) return file.part(at + 4, length - 2);
    at += 2 + static_cast<std::size_t>(length);
  }
  return {};
}

// Length, type, content, checksum.
std::span<const std::byte> exif_of_png(const Bytes& file) {
  for (std::uint64_t at = 8; at + 12 <= file.size();) {
    const auto offset = static_cast<std::size_t>(at);
    const std::uint64_t length = *file.number(offset, 4, false);
    if (file.has(offset + 4, "eXIf")) return file.part(offset + 8, length);
    at += 12 + length;
  }
  return {};
}

// Type, length, content, filled up to an even number.
std::span<const std::byte> exif_of_webp(const Bytes& file) {
  for (std::uint64_t at = 12; at + 8 <= file.size();) {
    const auto offset = static_cast<std::size_t>(at);
    const std::uint64_t length = *file.number(offset + 4, 4, true);
    if (file.has(offset, "EXIF")) return file.part(offset + 8, length);
    at += 8 + length + length % 2;
  }
  return {};
}

// A TIFF file: byte order, 42, offset of the first directory; a directory is a count and so many entries of 12 bytes
// (tag, type, count, value). Only the first directory is read, so there is no chain to run in circles.
unsigned orientation_in(const Bytes& tiff) {
  constexpr unsigned kTag = 0x0112;
  constexpr unsigned kShort = 3;
  const bool little_endian = tiff.has(0, "II");
  if (!little_endian && !tiff.has(0, "MM")) return kAsItIs;
  const auto directory = tiff.number(4, 4, little_endian);
  if (tiff.number(2, 2, little_endian) != 42U || !directory) return kAsItIs;
  const auto start = static_cast<std::size_t>(*directory);
  const auto count = tiff.number(start, 2, little_endian);
  for (std::size_t i = 0; count && i < *count; ++i) {
    const std::size_t entry = start + 2 + 12 * i;
    const auto tag = tiff.number(entry, 2, little_endian);
    if (!tag) break;
    if (*tag != kTag) continue;
    const auto value = tiff.number(entry + 8, 2, little_endian);
    const bool right = tiff.number(entry + 2, 2, little_endian) == kShort && tiff.number(entry + 4, 4, little_endian) == 1U;
    return right && value && *value >= 1 && *value <= 8 ? static_cast<unsigned>(*value) : kAsItIs;
  }
  return kAsItIs;
}

}  // namespace

unsigned orientation(Format format, std::span<const std::byte> bytes) {
  const Bytes file(bytes);
  std::span<const std::byte> exif;
  switch (format) {
    case Format::kJpeg: exif = exif_of_jpeg(file); break;
    case Format::kPng: exif = exif_of_png(file); break;
    case Format::kWebp: exif = exif_of_webp(file); break;
  }
  if (Bytes(exif).has(0, kExifName)) exif = exif.subspan(kExifName.size());
  return orientation_in(Bytes(exif));
}

void turn_upright(Picture& picture, unsigned orientation) {
  if (orientation < 2 || orientation > 8) return;
  const auto width = static_cast<std::ptrdiff_t>(picture.width);
  const auto height = static_cast<std::ptrdiff_t>(picture.height);
  // Where the upright picture's first pixel lies in the stored one, and the steps to the next in its row and column.
  std::ptrdiff_t first = 0;
  std::ptrdiff_t along = 1;
  std::ptrdiff_t down = width;
  switch (orientation) {
    case 2: first = width - 1, along = -1, down = width; break;
    case 3: first = width * height - 1, along = -1, down = -width; break;
    case 4: first = width * (height - 1), along = 1, down = -width; break;
    case 5: first = 0, along = width, down = 1; break;
    case 6: first = width * (height - 1), along = -width, down = 1; break;
    case 7: first = width * height - 1, along = -width, down = -1; break;
    default: first = width - 1, along = width, down = -1; break;
  }
  if (orientation >= 5) std::swap(picture.width, picture.height);
  std::vector<std::uint8_t> upright(picture.rgb.size());
  std::uint8_t* out = upright.data();
  for (std::uint32_t y = 0; y < picture.height; ++y) {
    std::ptrdiff_t from = first + static_cast<std::ptrdiff_t>(y) * down;
    for (std::uint32_t x = 0; x < picture.width; ++x, from += along, out += 3) {
      std::memcpy(out, picture.rgb.data() + 3 * from, 3);
    }
  }
  picture.rgb = std::move(upright);
}

}  // namespace scalestyle::image
