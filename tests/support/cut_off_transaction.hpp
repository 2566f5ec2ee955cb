#pragma once
// Leaves a database file as a process does that dies in the middle of a transaction under a rollback journal.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "adapters/embedded/sqlite_database.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {

// `changes` is what the dead process had written: SQL without BEGIN and COMMIT, on the file as it is.
inline void cut_off_transaction(const std::filesystem::path& path, const std::string& changes) {
  namespace fs = std::filesystem;
  using adapters::embedded::SqliteDatabase;
  using adapters::embedded::SqliteMode;
  const TemporaryFolder work;
  const fs::path database = work / "database.db";
  const fs::path journal = database.string() + "-journal";
  fs::copy_file(path, database);
  auto connection = SqliteDatabase::open(database, SqliteMode::kReadWrite).value();
  // One page of cache: changes go to the file, and what was there to the journal, long before the end.
  ASSERT_TRUE(connection.execute("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE; " + changes));
  ASSERT_TRUE(fs::exists(journal));
  fs::copy_file(database, path, fs::copy_options::overwrite_existing);
  fs::copy_file(journal, path.string() + "-journal", fs::copy_options::overwrite_existing);
}

}  // namespace scalestyle::support
