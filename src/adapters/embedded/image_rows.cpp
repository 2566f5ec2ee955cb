#include "adapters/embedded/image_rows.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and read as it is");

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::string_view kMagic = "SSIMROWS";

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t payload_crc32;  // of the bytes after the header
  std::uint64_t rows;
  std::uint32_t header_crc32;  // of the header with this field 0
  std::uint32_t reserved;      // 0
};
static_assert(sizeof(Header) == 32);

struct Entry {
  std::uint32_t row;
  std::uint32_t source;
  std::uint8_t hash[16];
};
static_assert(sizeof(Entry) == 24);

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

}  // namespace

core::Status write_image_rows(const std::filesystem::path& path, std::span<const ImageRow> rows) {
  std::vector<Entry> entries(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    entries[i].row = rows[i].row.value;
    entries[i].source = static_cast<std::uint32_t>(rows[i].origin.source);
    std::memcpy(entries[i].hash, rows[i].origin.text_hash.bytes.data(), sizeof entries[i].hash);
  }
  const std::size_t payload_bytes = entries.size() * sizeof(Entry);
  Header header{};
  std::memcpy(header.magic, kMagic.data(), sizeof header.magic);
  header.version = kFormatVersion;
  header.payload_crc32 = crc32_of(entries.data(), payload_bytes);
  header.rows = rows.size();
  header.header_crc32 = checksum_of(header);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(entries.data()), payload_bytes);
  return core::write_file_atomically(path, bytes);
}

core::Result<std::vector<ImageRow>> read_image_rows(const std::filesystem::path& path, std::size_t articles) {
  CORE_TRY(const auto file, core::MappedFile::open(path));
  const auto bytes = file.bytes();
  Header header{};
  if (bytes.size() < sizeof header) return damaged(path, "it is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != kMagic) return damaged(path, "it does not begin with SSIMROWS");
  if (header.version != kFormatVersion) {
    return core::fail(core::ErrorCode::kUnsupported, fmt::format("{}: format version {}, this program reads version {}",
                                                                 path.string(), header.version, kFormatVersion));
  }
  if (checksum_of(header) != header.header_crc32) return damaged(path, "the header's checksum is wrong");
  const auto payload = bytes.subspan(sizeof header);
  if (header.rows > articles || payload.size() != header.rows * sizeof(Entry)) {
    return damaged(path, fmt::format("{} bytes after the header for {} rows of {} articles", payload.size(), header.rows,
                                     articles));
  }
  if (crc32_of(payload.data(), payload.size()) != header.payload_crc32) return damaged(path, "the checksum of the rows is wrong");
  std::vector<ImageRow> rows(header.rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Entry entry{};
    std::memcpy(&entry, payload.data() + i * sizeof(Entry), sizeof entry);
    const bool ascends = i == 0 || entry.row > rows[i - 1].row.value;
    if (!ascends || entry.row >= articles) {
      return damaged(path, fmt::format("row {} is not after the one before, or no article", i));
    }
    if (entry.source > static_cast<std::uint32_t>(VectorSource::kSupplied)) {
      return damaged(path, fmt::format("row {} has the source {}", i, entry.source));
    }
    rows[i].row = {entry.row};
    rows[i].origin.source = static_cast<VectorSource>(entry.source);
    std::memcpy(rows[i].origin.text_hash.bytes.data(), entry.hash, sizeof entry.hash);
  }
  return rows;
}

}  // namespace scalestyle::adapters::embedded
