#include "ingest/models/zip_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::size_t kLocalHeaderBytes = 30;
constexpr std::size_t kCentralHeaderBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kMaxCommentBytes = 0xffff;
constexpr std::uint16_t kFlagEncrypted = 0x1;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
// Deflate cannot expand by more than about 1,032 to 1: a header that claims more lies.
constexpr std::uint64_t kMaxDeflateRatio = 1040;

// The caller has checked that `offset + sizeof(T)` is inside `bytes`.
template <class T>
T little_endian(std::span<const std::byte> bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(std::to_integer<T>(bytes[offset + i]) << (8 * i)));
  }
  return value;
}

std::optional<std::size_t> find_end_record(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const std::size_t last = bytes.size() - kEndBytes;
  const std::size_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
  for (std::size_t offset = last + 1; offset-- > first;) {
    if (little_endian<std::uint32_t>(bytes, offset) != kEndSignature) continue;
    // The comment must end where the file ends, or the signature is part of a comment.
    if (offset + kEndBytes + little_endian<std::uint16_t>(bytes, offset + 20) == bytes.size()) return offset;
  }
  return std::nullopt;
}

core::Result<std::vector<std::byte>> inflate_raw(std::span<const std::byte> packed, std::uint64_t size_bytes) {
  if (packed.size() > std::numeric_limits<uInt>::max() || size_bytes > std::numeric_limits<uInt>::max()) {
    return fail(ErrorCode::kUnsupported, "larger than 4 GiB");
  }
  std::vector<std::byte> out(size_bytes);
  std::byte scratch{};  // zlib needs a valid output pointer for an empty entry
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return fail(ErrorCode::kInternal, "zlib refused to start");
  // zlib's interface takes non-const input that it does not write.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.empty() ? &scratch : out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = inflate(&stream, Z_FINISH);
  const bool complete = outcome == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!complete) return fail(ErrorCode::kDataLoss, "the compressed data does not yield the size in the directory");
  return out;
}

}  // namespace

core::Result<ZipReader> ZipReader::open(std::span<const std::byte> bytes, std::string label) {
  ZipReader reader(bytes, std::move(label));
  CORE_CHECK(reader.read_directory());
  return reader;
}

core::Status ZipReader::read_directory() {
  const auto end = find_end_record(bytes_);
  if (!end) return fail(ErrorCode::kDataLoss, fmt::format("{}: not a zip archive, or truncated", label_));
  const auto disk = little_endian<std::uint16_t>(bytes_, *end + 4);
  const auto directory_disk = little_endian<std::uint16_t>(bytes_, *end + 6);
  const auto count_here = little_endian<std::uint16_t>(bytes_, *end + 8);
  const auto count = little_endian<std::uint16_t>(bytes_, *end + 10);
  const std::uint64_t size = little_endian<std::uint32_t>(bytes_, *end + 12);
  const std::uint64_t start = little_endian<std::uint32_t>(bytes_, *end + 16);
  if (count == 0xffff || size == 0xffffffff || start == 0xffffffff) {
    return fail(ErrorCode::kUnsupported, fmt::format("{}: zip64 archives are not supported", label_));
  }
  if (disk != 0 || directory_disk != 0 || count_here != count) {
    return fail(ErrorCode::kUnsupported, fmt::format("{}: archives of several parts are not supported", label_));
  }
  if (start + size > *end) {
    return fail(ErrorCode::kDataLoss, fmt::format("{}: the directory lies outside the archive", label_));
  }
  const auto directory = bytes_.subspan(start, size);
  std::size_t at = 0;
  for (std::uint32_t index = 0; index < count; ++index) {
    if (directory.size() - at < kCentralHeaderBytes ||
        little_endian<std::uint32_t>(directory, at) != kCentralSignature) {
      return fail(ErrorCode::kDataLoss, fmt::format("{}: directory entry {} is damaged", label_, index));
    }
    const std::size_t name_bytes = little_endian<std::uint16_t>(directory, at + 28);
    const std::size_t variable_bytes = name_bytes + little_endian<std::uint16_t>(directory, at + 30) +
                                       little_endian<std::uint16_t>(directory, at + 32);
    if (directory.size() - at - kCentralHeaderBytes < variable_bytes) {
      return fail(ErrorCode::kDataLoss, fmt::format("{}: directory entry {} is truncated", label_, index));
    }
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(directory.data() + at + kCentralHeaderBytes), name_bytes);
    entry.method = little_endian<std::uint16_t>(directory, at + 10);
    entry.crc32 = little_endian<std::uint32_t>(directory, at + 16);
    entry.compressed_size_bytes = little_endian<std::uint32_t>(directory, at + 20);
    entry.size_bytes = little_endian<std::uint32_t>(directory, at + 24);
    entry.local_header_offset = little_endian<std::uint32_t>(directory, at + 42);
    if ((little_endian<std::uint16_t>(directory, at + 8) & kFlagEncrypted) != 0) {
      return fail(ErrorCode::kUnsupported, fmt::format("{}: entry '{}' is encrypted", label_, entry.name));
    }
    entries_.push_back(std::move(entry));
    at += kCentralHeaderBytes + variable_bytes;
  }
  return {};
}

core::Result<std::span<const std::byte>> ZipReader::packed_bytes(const ZipEntry& entry) const {
  const auto damaged = [&] {
    return fail(ErrorCode::kDataLoss, fmt::format("{}: entry '{}' lies outside the archive", label_, entry.name));
  };
  if (entry.local_header_offset > bytes_.size() || bytes_.size() - entry.local_header_offset < kLocalHeaderBytes) {
    return damaged();
  }
  const auto local = bytes_.subspan(entry.local_header_offset);
  if (little_endian<std::uint32_t>(local, 0) != kLocalSignature) return damaged();
  const std::size_t data_offset = kLocalHeaderBytes + little_endian<std::uint16_t>(local, 26) +
                                  little_endian<std::uint16_t>(local, 28);
  if (data_offset > local.size() || local.size() - data_offset < entry.compressed_size_bytes) return damaged();
  return local.subspan(data_offset, entry.compressed_size_bytes);
}

core::Result<std::vector<std::byte>> ZipReader::read(std::string_view name, std::uint64_t max_bytes) const {
  const auto found = std::ranges::find(entries_, name, &ZipEntry::name);
  if (found == entries_.end()) return fail(ErrorCode::kNotFound, fmt::format("{}: no entry '{}'", label_, name));
  const ZipEntry& entry = *found;
  if (entry.method != kStored && entry.method != kDeflated) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("{}: entry '{}' uses compression method {}", label_, name, entry.method));
  }
  if (entry.size_bytes > max_bytes) {
    return fail(ErrorCode::kResourceExhausted, fmt::format("{}: entry '{}' is {} bytes, more than the {} allowed",
                                                           label_, name, entry.size_bytes, max_bytes));
  }
  CORE_TRY(const auto packed, packed_bytes(entry));
  const bool impossible = entry.method == kStored
                              ? entry.size_bytes != packed.size()
                              : entry.size_bytes > kMaxDeflateRatio * packed.size();
  if (impossible) {
    return fail(ErrorCode::kDataLoss, fmt::format("{}: entry '{}' claims an impossible size", label_, name));
  }
  std::vector<std::byte> out;
  if (entry.method == kStored) {
    out.assign(packed.begin(), packed.end());
  } else {
    auto inflated = inflate_raw(packed, entry.size_bytes);
    if (!inflated) {
      return fail(inflated.error().code, fmt::format("{}: entry '{}': {}", label_, name, inflated.error().message));
    }
    out = std::move(*inflated);
  }
  const auto crc = crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(out.data()), out.size());
  if (!out.empty() && crc != entry.crc32) {
    return fail(ErrorCode::kDataLoss, fmt::format("{}: entry '{}' fails its checksum", label_, name));
  }
  return out;
}

}  // namespace scalestyle::ingest::models
