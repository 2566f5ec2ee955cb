#pragma once
// Leaves a database file as a process does that dies in the middle of a transaction under a rollback journal.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace scalestyle::support {

// `changes` is what the dead process had written: SQL without BEGIN and COMMIT, on the file as it is.
inline void cut_off_transaction(const std::filesystem::path& path, const std::string& changes) {
  namespace fs = std::filesystem;
  const TemporaryFolder work;
  const fs::path database = work / "database.db";
  fs::copy_file(path, database);
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open_v2(database.c_str(), &connection, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  // One page of cache: changes go to the file, and what was there to the journal, long before the end.
  const std::string sql = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE; " + changes;
  char* problem = nullptr;
  sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, &problem);
  ASSERT_EQ(problem, nullptr) << problem;
  const fs::path journal = database.string() + "-journal";
  ASSERT_TRUE(fs::exists(journal));
  fs::copy_file(database, path, fs::copy_options::overwrite_existing);
  fs::copy_file(journal, path.string() + "-journal", fs::copy_options::overwrite_existing);
  sqlite3_close(connection);
}

}  // namespace scalestyle::support
