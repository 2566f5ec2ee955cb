// What a connection meets in a file that a dead process left.

#include "adapters/embedded/sqlite_database.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "support/cut_off_transaction.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 2'000;

class CutOffTransactionTest : public testing::Test {
 protected:
  CutOffTransactionTest() {
    {
      auto database = SqliteDatabase::open(path_, SqliteMode::kReadWrite).value();
      EXPECT_TRUE(database.execute("CREATE TABLE numbers(number INTEGER, text TEXT); BEGIN;"));
      for (int i = 0; i < kRows; ++i) {
        EXPECT_TRUE(database.execute(fmt::format("INSERT INTO numbers VALUES(1, '{}')", std::string(100, 'x'))));
      }
      EXPECT_TRUE(database.execute("COMMIT"));
    }
    support::cut_off_transaction(path_, "UPDATE numbers SET number = 2, text = text || 'y'");
  }

  support::TemporaryFolder folder_;
  fs::path path_ = folder_ / "numbers.db";
};

TEST_F(CutOffTransactionTest, IsRolledBackByWhoeverOnlyReads) {
  auto database = SqliteDatabase::open(path_, SqliteMode::kReadOnly);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(database->integer("SELECT sum(number) FROM numbers").value(), kRows);
  EXPECT_EQ(database->integer("SELECT count(*) FROM numbers WHERE length(text) = 100").value(), kRows);
  EXPECT_FALSE(fs::exists(path_.string() + "-journal"));
  EXPECT_EQ(database->execute("DELETE FROM numbers").error().code, core::ErrorCode::kPermissionDenied);
}

TEST_F(CutOffTransactionTest, IsRolledBackOnceByManyReaders) {
  std::vector<std::jthread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([this] {
      auto database = SqliteDatabase::open(path_, SqliteMode::kReadOnly);
      ASSERT_TRUE(database) << database.error().message;
      ASSERT_TRUE(database->execute("PRAGMA busy_timeout = 5000"));
      EXPECT_EQ(database->integer("SELECT sum(number) FROM numbers").value(), kRows);
    });
  }
}

TEST(ReadOnlyDatabase, WhileAnotherWritesNothingIsRolledBack) {
  const support::TemporaryFolder folder;
  const fs::path path = folder / "numbers.db";
  auto writer = SqliteDatabase::open(path, SqliteMode::kReadWrite).value();
  ASSERT_TRUE(writer.execute("CREATE TABLE numbers(number INTEGER); INSERT INTO numbers VALUES(1); BEGIN IMMEDIATE; "
                             "INSERT INTO numbers VALUES(2)"));
  ASSERT_TRUE(fs::exists(path.string() + "-journal"));
  auto reader = SqliteDatabase::open(path, SqliteMode::kReadOnly).value();
  EXPECT_EQ(reader.integer("SELECT sum(number) FROM numbers").value(), 1);
  ASSERT_TRUE(writer.execute("COMMIT"));
  EXPECT_EQ(reader.integer("SELECT sum(number) FROM numbers").value(), 3);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
