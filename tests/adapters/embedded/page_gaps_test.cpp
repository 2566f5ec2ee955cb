#include "adapters/embedded/page_gaps.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::uint8_t> leaf(std::size_t bytes, std::vector<std::size_t> cells, std::size_t content, std::size_t header = 0) {
  std::vector<std::uint8_t> page(bytes, 0xee);
  const auto put = [&](std::size_t at, std::size_t value) {
    page[at] = static_cast<std::uint8_t>(value >> 8U);
    page[at + 1] = static_cast<std::uint8_t>(value & 0xffU);
  };
  page[header] = 0x0d;
  put(header + 3, cells.size());
  put(header + 5, content);
  for (std::size_t i = 0; i < cells.size(); ++i) put(header + 8 + 2 * i, cells[i]);
  return page;
}

TEST(PageGaps, OfAPage) {
  const auto gap = table_leaf_gap(leaf(512, {500, 480}, 480), 7);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->begin, 12U);
  EXPECT_EQ(gap->end, 480U);
  const auto first = table_leaf_gap(leaf(512, {500}, 490, 100), 1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->begin, 110U);
  EXPECT_TRUE(table_leaf_gap(leaf(65'536, {}, 0), 2));  // 0 stands for 65,536
}

TEST(PageGaps, OnlyOfWhatHoldsTogetherAsALeafOfATable) {
  auto interior = leaf(512, {500}, 490);
  interior[0] = 0x05;
  EXPECT_FALSE(table_leaf_gap(interior, 2));
  EXPECT_FALSE(table_leaf_gap(leaf(512, {500}, 513), 2));       // content behind the end
  EXPECT_FALSE(table_leaf_gap(leaf(512, {470}, 480), 2));       // a cell in the gap
  EXPECT_FALSE(table_leaf_gap(leaf(512, {512}, 480), 2));       // a cell behind the end
  auto many = leaf(512, {500}, 490);
  many[3] = 0xff;                                               // more cells than fit
  EXPECT_FALSE(table_leaf_gap(many, 2));
  EXPECT_FALSE(table_leaf_gap(std::vector<std::uint8_t>(4, 0x0d), 2));
  EXPECT_FALSE(table_leaf_gap(leaf(512, {500}, 490), 1));       // page 1 begins with the file's header
}

// Rows of all sizes come, grow and go in random places: what is deleted may not be found, what is kept is as it was.
TEST(PageGaps, NothingDeletedIsLeftAndTheDatabaseIsSound) {
  const support::TemporaryFolder folder;
  const fs::path path = folder / "rows.db";
  auto writer = SqliteDatabase::open(path, SqliteMode::kReadWrite).value();
  ASSERT_TRUE(writer.execute("PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0; "
                             "CREATE TABLE rows(id INTEGER PRIMARY KEY, text TEXT); BEGIN"));
  for (int i = 0; i < 3'000; ++i) {
    const char* who = i % 2 == 0 ? "goes" : "stays";
    ASSERT_TRUE(writer.execute(fmt::format("INSERT INTO rows VALUES({}, '{}-{}-{}')", (i * 7919) % 3'001, who, i, std::string(static_cast<std::size_t>(i % 90), '.'))));
  }
  ASSERT_TRUE(writer.execute("COMMIT; UPDATE rows SET text = text || '----------------------------' WHERE id % 5 = 0; "
                             "DELETE FROM rows WHERE text LIKE 'goes%'"));
  ASSERT_TRUE(writer.checkpoint(SqliteCheckpoint::kTruncate).value().complete);
  EXPECT_NE(bytes_of(path).find("goes-"), std::string::npos);  // what this is for
  const auto kept = writer.integer("SELECT sum(length(text)) FROM rows").value();

  const auto pages = pages_with_full_gaps(writer).value();
  EXPECT_FALSE(pages.empty());
  ASSERT_TRUE(clear_gaps(writer, pages));
  writer.drop_cache();
  EXPECT_EQ(bytes_of(path).find("goes-"), std::string::npos);
  EXPECT_TRUE(pages_with_full_gaps(writer).value().empty());
  EXPECT_EQ(writer.integer("SELECT sum(length(text)) FROM rows").value(), kept);

  ASSERT_TRUE(writer.execute("UPDATE rows SET text = text || '!'"));  // pages are used on
  ASSERT_TRUE(writer.checkpoint(SqliteCheckpoint::kTruncate).value().complete);
  EXPECT_EQ(bytes_of(path).find("goes-"), std::string::npos);
  EXPECT_EQ(writer.integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'").value(), 1);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
