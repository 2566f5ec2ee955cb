#pragma once
// What the readers share: telling files apart, finding columns, describing rejected values.

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/duckdb_session.hpp"
#include "catalog/table_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

struct TableFile {
  TableInfo info;
  std::vector<std::filesystem::path> parts;  // the file, or a folder's shards in name order
};

// Opens nothing for long: looks at the kind and the columns. Errors as in table_reader.hpp.
[[nodiscard]] core::Result<TableFile> open_table(const std::filesystem::path& path, const ReaderOptions& options);

// "read_parquet([...], union_by_name = true)" over the parts.
[[nodiscard]] std::string parquet_source(const TableFile& table);

// Position of the column named `name`, without regard to ASCII case. kInvalidArgument when it occurs twice.
[[nodiscard]] core::Result<std::optional<std::size_t>> find_column(const TableInfo& info, std::string_view name);

// The same for a column that must be there: kInvalidArgument naming it and the columns found.
[[nodiscard]] core::Result<std::size_t> require_column(const TableInfo& info, std::string_view name);

// At most 80 bytes of `value`, with every byte but visible ASCII and the blank as \xNN.
[[nodiscard]] std::string excerpt(std::string_view value);

// The error with the file's path in front.
[[nodiscard]] std::unexpected<core::Error> fail_in(const std::filesystem::path& path, core::Error error);

}  // namespace scalestyle::catalog
