#include "image/png_chunks.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "image/codec.hpp"

namespace scalestyle::image {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kHeaderBytes = 13;
constexpr std::size_t kAroundContent = 12;  // length, type, checksum

std::uint32_t big_endian(std::span<const std::byte> file, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | std::to_integer<std::uint32_t>(file[offset + i]);
  return value;
}

struct Chunk {
  std::size_t offset = 0;
  std::string_view type;
  std::span<const std::byte> content;
  std::span<const std::byte> checked;  // type and content
  std::uint32_t checksum = 0;
  [[nodiscard]] std::size_t end() const { return offset + content.size() + kAroundContent; }
};

core::Result<Chunk> chunk_at(std::span<const std::byte> file, std::size_t offset) {
  if (file.size() - offset < kAroundContent) return damaged("the PNG ends before its IEND chunk");
  const std::size_t length = big_endian(file, offset);
  const std::string_view type(reinterpret_cast<const char*>(file.data()) + offset + 4, 4);
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  if (!std::all_of(type.begin(), type.end(), is_letter)) {
    return damaged(fmt::format("the PNG has no chunk at byte {}, where one should begin", offset));
  }
  if (length > file.size() - offset - kAroundContent) {
    return damaged(fmt::format("the PNG ends inside its {} chunk at byte {}", type, offset));
  }
  return Chunk{offset, type, file.subspan(offset + 8, length), file.subspan(offset + 4, length + 4),
               big_endian(file, offset + 8 + length)};
}

core::Status check_checksum(const Chunk& chunk) {
  const auto found = crc32_z(0, reinterpret_cast<const Bytef*>(chunk.checked.data()), chunk.checked.size());
  if (found == chunk.checksum) return {};
  return damaged(fmt::format("the PNG's {} chunk at byte {} has the wrong checksum", chunk.type, chunk.offset));
}

// No more than 258 bytes come of two bits, so a short file cannot hold a large picture.
core::Status check_data_size(const PngHeader& header, unsigned depth, unsigned colour_type) {
  constexpr std::uint64_t kMostPerByte = 1032;
  constexpr std::array<unsigned, 7> kChannels = {1, 1, 3, 1, 2, 1, 4};
  const std::uint64_t bits = std::uint64_t{header.width} * header.height * depth * kChannels[std::min(colour_type, 6U)];
  if (bits / 8 <= (header.data_bytes + 1) * kMostPerByte) return {};
  return damaged(fmt::format("the PNG ends before its last row: {} compressed bytes cannot hold {} x {} pixels",
                             header.data_bytes, header.width, header.height));
}

}  // namespace

core::Result<PngHeader> read_png_chunks(std::span<const std::byte> file, const DecodeLimits& limits) {
  CORE_TRY(const Chunk first, chunk_at(file, kSignatureBytes));
  if (first.type != "IHDR" || first.content.size() != kHeaderBytes) {
    return damaged("the PNG does not begin with an IHDR chunk of 13 bytes");
  }
  PngHeader header{big_endian(first.content, 0), big_endian(first.content, 4), 0};
  CORE_CHECK(check_size("PNG", header.width, header.height, limits));
  Chunk chunk = first;
  for (;;) {
    CORE_CHECK(check_checksum(chunk));
    if (chunk.type == "IDAT") header.data_bytes += chunk.content.size();
    if (chunk.type == "IEND") break;
    CORE_TRY(chunk, chunk_at(file, chunk.end()));
  }
  const auto depth = std::to_integer<unsigned>(first.content[8]);
  CORE_CHECK(check_data_size(header, depth, std::to_integer<unsigned>(first.content[9])));
  return header;
}

}  // namespace scalestyle::image
