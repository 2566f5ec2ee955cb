#pragma once
// A change of an article as a row of changes.db, and the file's tables (docs/formats/changes.md).

#include <cstdint>
#include <filesystem>
#include <string>

#include "adapters/embedded/sqlite_database.hpp"
#include "core/result.hpp"
#include "ports/catalog_changes.hpp"

namespace scalestyle::adapters::embedded {

inline constexpr const char* kChangesFile = "changes.db";

// Makes the tables where there are none. Errors: kFailedPrecondition (not such a file, or of another version).
[[nodiscard]] core::Status prepare_changes_file(SqliteDatabase& database);
// The same without making them.
[[nodiscard]] core::Status check_changes_file(SqliteDatabase& database);

// Columns of a row behind its sequence and time.
inline constexpr const char* kChangeColumns = "kind, article_id, columns, price, available, texts";

// Binds them from parameter `first` on. `texts` holds the text columns until the statement is reset.
void bind_change(SqliteStatement& statement, int first, const catalog::ArticleChange& change, std::string& texts);
[[nodiscard]] std::string change_texts(const catalog::ArticleChange& change);  // JSON

// A row of sequence, time_ms and kChangeColumns. kDataLoss, naming the row, for what cannot have been written.
[[nodiscard]] core::Result<ports::LoggedChange> read_change(const SqliteStatement& row, const std::string& path);

// Which encoder made a vector: all that decides its bits.
[[nodiscard]] std::string encoder_key(const ports::EncoderInfo& encoder);

}  // namespace scalestyle::adapters::embedded
