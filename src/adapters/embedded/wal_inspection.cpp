#include "adapters/embedded/wal_inspection.hpp"

#include <cstddef>
#include <span>
#include <system_error>

#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the lowest bit tells the byte order of the check sums

using Bytes = std::span<const std::byte>;

std::uint32_t big_endian(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

std::uint32_t little_endian(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

struct CheckSum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;

  void add(Bytes bytes, bool big) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += (big ? big_endian(bytes, at) : little_endian(bytes, at)) + second;
      second += (big ? big_endian(bytes, at + 4) : little_endian(bytes, at + 4)) + first;
    }
  }
  friend bool operator==(const CheckSum&, const CheckSum&) = default;
};

struct Wal {
  Bytes bytes;
  std::size_t page_bytes = 0;
  std::uint32_t salts[2] = {0, 0};
  bool big = false;

  [[nodiscard]] std::size_t frames() const { return (bytes.size() - kHeaderBytes) / frame_bytes(); }
  [[nodiscard]] std::size_t frame_bytes() const { return kFrameHeaderBytes + page_bytes; }
  [[nodiscard]] std::size_t at(std::size_t frame) const { return kHeaderBytes + frame * frame_bytes(); }
  [[nodiscard]] bool of_this_log(std::size_t frame) const {
    return big_endian(bytes, at(frame) + 8) == salts[0] && big_endian(bytes, at(frame) + 12) == salts[1];
  }
  [[nodiscard]] bool commits(std::size_t frame) const { return big_endian(bytes, at(frame) + 4) != 0; }
  [[nodiscard]] CheckSum stored(std::size_t frame) const {
    return {big_endian(bytes, at(frame) + 16), big_endian(bytes, at(frame) + 20)};
  }
  [[nodiscard]] CheckSum computed(std::size_t frame, CheckSum before) const {
    before.add(bytes.subspan(at(frame), 8), big);
    before.add(bytes.subspan(at(frame) + kFrameHeaderBytes, page_bytes), big);
    return before;
  }
};

// nullopt-like: page_bytes 0 when the header is not one.
Wal read_header(Bytes bytes, CheckSum& sum) {
  Wal wal{.bytes = bytes};
  const std::uint32_t magic = big_endian(bytes, 0);
  if ((magic & ~1U) != kMagic) return wal;
  wal.big = (magic & 1U) != 0;
  sum.add(bytes.first(24), wal.big);
  const std::uint32_t page = big_endian(bytes, 8);
  const bool sound = sum == CheckSum{big_endian(bytes, 24), big_endian(bytes, 28)} && page >= 512 && page <= 65'536 &&
                     (page & (page - 1)) == 0;
  if (!sound) return wal;
  wal.page_bytes = page;
  wal.salts[0] = big_endian(bytes, 16);
  wal.salts[1] = big_endian(bytes, 20);
  return wal;
}

}  // namespace

core::Result<WalInspection> inspect_wal(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) || error) return WalInspection{};
  CORE_TRY(const core::MappedFile file, core::MappedFile::open(path));
  const Bytes bytes = file.bytes();
  if (bytes.size() < kHeaderBytes) return WalInspection{};
  CheckSum sum;
  const Wal wal = read_header(bytes, sum);
  WalInspection found;
  if (wal.page_bytes == 0) {
    found.header_damaged = bytes.size() > kHeaderBytes;
    return found;
  }
  std::size_t frame = 0;
  for (; frame < wal.frames() && wal.of_this_log(frame); ++frame) {
    sum = wal.computed(frame, sum);
    if (sum != wal.stored(frame)) break;
    if (!wal.commits(frame)) continue;
    found.frames = frame + 1;
    ++found.commits;
  }
  // A frame behind the damage is whole when its check sum follows from the one that its predecessor carries.
  for (std::size_t later = frame + 1; later < wal.frames(); ++later) {
    if (!wal.of_this_log(later) || !wal.of_this_log(later - 1) || !wal.commits(later)) continue;
    if (wal.computed(later, wal.stored(later - 1)) == wal.stored(later)) ++found.lost_commits;
  }
  if (found.lost_commits > 0) found.damaged_at_byte = wal.at(frame);
  return found;
}

}  // namespace scalestyle::adapters::embedded
