#pragma once
// Erases what SQLite leaves of rows in the gaps of a database's pages.
//
// Where rows are moved between pages (a row that grew, rows that were removed beside it), a page keeps the bytes that it
// had before between its list of cells and the first cell: nothing reads them, and secure_delete does not reach them. So a
// row that is deleted later may leave an old copy of itself. Only leaves of tables are looked at: rows are in no others
// whole. Format: https://www.sqlite.org/fileformat2.html, section 1.6.
//
// Thread safety: as SqliteDatabase.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "adapters/embedded/sqlite_database.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::embedded {

// Bytes [begin, end) of a page that mean nothing.
struct PageGap {
  std::size_t begin = 0;
  std::size_t end = 0;
};
// Of a whole page; `number` from 1. Absent for what is not a leaf of a table.
[[nodiscard]] std::optional<PageGap> table_leaf_gap(std::span<const std::uint8_t> page, std::uint32_t number);

// Numbers of the pages of the database file with anything but zeros in their gap, ascending. The write-ahead file is not
// looked at. May run while others write: then a page may be among them, or not, as it was before. Errors: kUnavailable,
// kDataLoss (not a database).
[[nodiscard]] core::Result<std::vector<std::uint32_t>> pages_with_full_gaps(SqliteDatabase& database);

// Fills the gaps of the pages with zeros and syncs the file. Only while the write-ahead file is empty and nobody writes;
// afterwards a connection that writes must drop_cache(). A process that dies meanwhile leaves a sound database.
[[nodiscard]] core::Status clear_gaps(SqliteDatabase& database, std::span<const std::uint32_t> pages);

}  // namespace scalestyle::adapters::embedded
