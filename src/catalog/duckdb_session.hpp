#pragma once
// The part of DuckDB that the readers use: a private in-memory database that reads files, and the rows of one query,
// chunk by chunk. duckdb.h stays in the .cpp.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/table_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

// The answer of a query, streamed. Not thread-safe; must not outlive its session.
class DuckQuery {
 public:
  DuckQuery(DuckQuery&&) noexcept;
  DuckQuery& operator=(DuckQuery&&) noexcept;
  ~DuckQuery();

  // Loads the next rows; false at the end. kDataLoss with DuckDB's words when the data cannot be read.
  [[nodiscard]] core::Result<bool> next_chunk();
  [[nodiscard]] std::size_t rows() const;  // of the loaded chunk

  // Columns must be VARCHAR. Views last until the next chunk. Nothing for NULL.
  [[nodiscard]] std::optional<std::string_view> text(std::size_t column, std::size_t row) const;
  // Columns must be FLOAT[]. A NULL element shows as NaN. Nothing for a NULL list.
  [[nodiscard]] std::optional<std::span<const float>> floats(std::size_t column, std::size_t row) const;

 private:
  friend class DuckSession;
  struct State;
  explicit DuckQuery(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class DuckSession {
 public:
  // Extensions are neither installed nor loaded. kInternal when DuckDB does not start.
  [[nodiscard]] static core::Result<DuckSession> open(const ReaderOptions& options, unsigned threads);
  DuckSession(DuckSession&&) noexcept;
  DuckSession& operator=(DuckSession&&) noexcept;
  ~DuckSession();

  // kDataLoss with DuckDB's words when the query fails.
  [[nodiscard]] core::Result<DuckQuery> query(const std::string& sql);

 private:
  struct State;
  explicit DuckSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// SQL text for values that come from outside.
[[nodiscard]] std::string sql_literal(std::string_view text);
[[nodiscard]] std::string sql_identifier(std::string_view name);
// read_parquet([...]) and read_csv take patterns: this literal names the file itself, whatever is in its name.
[[nodiscard]] std::string sql_path(const std::filesystem::path& path);

}  // namespace scalestyle::catalog
