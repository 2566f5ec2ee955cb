#include "adapters/embedded/page_gaps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kFileHeaderBytes = 100;  // at the beginning of page 1
constexpr std::uint8_t kTableLeaf = 0x0d;
constexpr std::size_t kLeafHeaderBytes = 8;
constexpr std::size_t kChunkBytes = 1 << 20;

std::size_t two_bytes(std::span<const std::uint8_t> page, std::size_t at) {
  return static_cast<std::size_t>(page[at]) << 8U | page[at + 1];
}

bool has_content(std::span<const std::uint8_t> page, const PageGap& gap) {
  return std::any_of(page.begin() + static_cast<std::ptrdiff_t>(gap.begin), page.begin() + static_cast<std::ptrdiff_t>(gap.end),
                     [](std::uint8_t byte) { return byte != 0; });
}

core::Result<std::size_t> page_bytes_of(SqliteDatabase& database) {
  std::vector<std::uint8_t> header(kFileHeaderBytes);
  CORE_CHECK(database.read_file(0, header));
  const std::size_t stored = two_bytes(header, 16);
  const std::size_t bytes = stored == 1 ? 65'536 : stored;
  const bool is_power = bytes >= 512 && (bytes & (bytes - 1)) == 0;
  if (!is_power) return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: no page has {} bytes", database.path(), bytes));
  return bytes;
}

}  // namespace

std::optional<PageGap> table_leaf_gap(std::span<const std::uint8_t> page, std::uint32_t number) {
  const std::size_t header = number == 1 ? kFileHeaderBytes : 0;
  if (page.size() < header + kLeafHeaderBytes || page[header] != kTableLeaf) return std::nullopt;
  const std::size_t cells = two_bytes(page, header + 3);
  const std::size_t stored = two_bytes(page, header + 5);
  const PageGap gap{header + kLeafHeaderBytes + 2 * cells, stored == 0 ? 65'536 : stored};
  if (gap.begin > gap.end || gap.end > page.size()) return std::nullopt;
  // A page of another kind that happens to begin like one does not hold together so far.
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::size_t at = two_bytes(page, header + kLeafHeaderBytes + 2 * cell);
    if (at < gap.end || at >= page.size()) return std::nullopt;
  }
  return gap;
}

core::Result<std::vector<std::uint32_t>> pages_with_full_gaps(SqliteDatabase& database) {
  CORE_TRY(const std::size_t page_bytes, page_bytes_of(database));
  CORE_TRY(const std::int64_t file_bytes, database.file_bytes());
  const auto pages = static_cast<std::uint64_t>(file_bytes) / page_bytes;
  std::vector<std::uint32_t> found;
  std::vector<std::uint8_t> chunk(std::max(kChunkBytes, page_bytes));
  const std::uint64_t pages_a_chunk = chunk.size() / page_bytes;
  for (std::uint64_t first = 0; first < pages; first += pages_a_chunk) {
    const auto bytes = std::span(chunk).first(std::min(pages_a_chunk, pages - first) * page_bytes);
    CORE_CHECK(database.read_file(static_cast<std::int64_t>(first * page_bytes), bytes));
    for (std::size_t at = 0; at < bytes.size(); at += page_bytes) {
      const auto page = std::span<const std::uint8_t>(bytes).subspan(at, page_bytes);
      const auto number = static_cast<std::uint32_t>(first + at / page_bytes + 1);
      const auto gap = table_leaf_gap(page, number);
      if (gap && has_content(page, *gap)) found.push_back(number);
    }
  }
  return found;
}

core::Status clear_gaps(SqliteDatabase& database, std::span<const std::uint32_t> pages) {
  CORE_TRY(const std::size_t page_bytes, page_bytes_of(database));
  std::vector<std::uint8_t> page(page_bytes);
  for (const std::uint32_t number : pages) {
    const auto begin = static_cast<std::int64_t>((std::uint64_t{number} - 1) * page_bytes);
    CORE_CHECK(database.read_file(begin, page));
    const auto gap = table_leaf_gap(page, number);
    if (!gap || !has_content(page, *gap)) continue;
    std::fill(page.begin() + static_cast<std::ptrdiff_t>(gap->begin), page.begin() + static_cast<std::ptrdiff_t>(gap->end), std::uint8_t{0});
    CORE_CHECK(database.write_file(begin, page));
  }
  return database.sync_file();
}

}  // namespace scalestyle::adapters::embedded
