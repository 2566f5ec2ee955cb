#include "adapters/embedded/neighbour_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and read as it is");

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::string_view kMagic = "SSNEIGHB";

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t payload_crc32;  // of the bytes after the header
  std::uint64_t items;
  std::uint64_t neighbours;
  std::uint32_t header_crc32;  // of the header with this field 0
  std::uint32_t reserved;      // 0
};
static_assert(sizeof(Header) == 40);
static_assert(sizeof(ranking::Neighbour) == 8 && offsetof(ranking::Neighbour, score) == 4);

std::uint32_t crc32_of(const void* bytes, std::size_t size) {
  return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), static_cast<const Bytef*>(bytes), size));
}

std::uint32_t checksum_of(Header header) {
  header.header_crc32 = 0;
  return crc32_of(&header, sizeof header);
}

std::unexpected<core::Error> damaged(const std::filesystem::path& path, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{}: {}; the file is damaged, ingest again", path.string(), what));
}

template <class T>
void append(std::string& bytes, std::span<const T> values) {
  if (!values.empty()) bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

}  // namespace

core::Status write_neighbours(const std::filesystem::path& path, const ranking::ItemNeighbours& neighbours) {
  std::string bytes(sizeof(Header), '\0');
  bytes.reserve(sizeof(Header) + neighbours.begins().size_bytes() + neighbours.all().size_bytes());
  append(bytes, neighbours.begins());
  append(bytes, neighbours.all());
  Header header{};
  std::memcpy(header.magic, kMagic.data(), sizeof header.magic);
  header.version = kFormatVersion;
  header.payload_crc32 = crc32_of(bytes.data() + sizeof header, bytes.size() - sizeof header);
  header.items = neighbours.size();
  header.neighbours = neighbours.all().size();
  header.header_crc32 = checksum_of(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return core::write_file_atomically(path, bytes);
}

core::Result<ranking::ItemNeighbours> read_neighbours(const std::filesystem::path& path, std::size_t articles) {
  CORE_TRY(const auto file, core::MappedFile::open(path));
  const auto bytes = file.bytes();
  Header header{};
  if (bytes.size() < sizeof header) return damaged(path, "it is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != kMagic) return damaged(path, "it does not begin with SSNEIGHB");
  if (header.version != kFormatVersion) {
    return core::fail(core::ErrorCode::kUnsupported, fmt::format("{}: format version {}, this program reads version {}",
                                                                 path.string(), header.version, kFormatVersion));
  }
  if (checksum_of(header) != header.header_crc32) return damaged(path, "the header's checksum is wrong");
  const auto payload = bytes.subspan(sizeof header);
  const std::size_t begin_bytes = (articles + 1) * sizeof(std::uint32_t);
  const std::size_t room = payload.size() < begin_bytes ? 0 : payload.size() - begin_bytes;
  const bool fits = payload.size() >= begin_bytes && room % sizeof(ranking::Neighbour) == 0 &&
                    header.neighbours == room / sizeof(ranking::Neighbour);
  if (articles == 0 || header.items != articles || !fits) {
    return damaged(path, fmt::format("{} bytes after the header for {} neighbours of {} rows; the catalogue has {}",
                                     payload.size(), header.neighbours, header.items, articles));
  }
  if (crc32_of(payload.data(), payload.size()) != header.payload_crc32) {
    return damaged(path, "the checksum of the neighbours is wrong");
  }
  std::vector<std::uint32_t> begins(articles + 1);
  std::vector<ranking::Neighbour> neighbours(header.neighbours);
  std::memcpy(begins.data(), payload.data(), begin_bytes);
  if (room > 0) std::memcpy(neighbours.data(), payload.data() + begin_bytes, room);
  auto made = ranking::ItemNeighbours::make(std::move(begins), std::move(neighbours));
  if (!made) return damaged(path, made.error().message);
  return made;
}

}  // namespace scalestyle::adapters::embedded
