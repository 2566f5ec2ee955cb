#include "catalog/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "catalog/article_rows.hpp"
#include "catalog/csv_reader.hpp"
#include "catalog/duckdb_session.hpp"
#include "catalog/table_file.hpp"
#include "core/files.hpp"

namespace scalestyle::catalog {
namespace {

core::Status read_csv_articles(const TableFile& table, const ArticleColumns& columns, ArticleRows& rows) {
  CORE_TRY(const core::MappedFile file, core::MappedFile::open(table.parts.front()));
  const std::string_view text = file.text();
  CsvReader reader(text);
  CsvRecord record;
  if (!reader.next(record)) return {};  // the header
  const std::size_t width = table.info.columns.size();
  while (reader.next(record)) {
    const double fraction_read = static_cast<double>(reader.position()) / static_cast<double>(text.size());
    if (!record.error.empty()) {
      CORE_CHECK(rows.reject_malformed(record.error, record.line, fraction_read));
      continue;
    }
    if (record.fields.size() != width) {
      CORE_CHECK(rows.reject_malformed(fmt::format("{} fields; the header has {}", record.fields.size(), width),
                                       record.line, fraction_read));
      continue;
    }
    ArticleFields fields{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (columns[i]) fields[i] = record.fields[*columns[i]];
    }
    CORE_CHECK(rows.add(fields, record.line, fraction_read));
  }
  return {};
}

std::string select_articles(const TableFile& table, const ArticleColumns& columns) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += columns[i] ? fmt::format("CAST({} AS VARCHAR)", sql_identifier(table.info.columns[*columns[i]]))
                      : "CAST(NULL AS VARCHAR)";
  }
  return sql + " FROM " + parquet_source(table);
}

core::Status read_parquet_articles(const TableFile& table, const ArticleColumns& columns, const ReaderOptions& options,
                                   ArticleRows& rows) {
  const std::filesystem::path& path = table.parts.front();
  // One thread, so that rows come in the order of the file and their numbers are right.
  CORE_TRY(DuckSession session, DuckSession::open(options, 1));
  auto query = session.query(select_articles(table, columns));
  if (!query) return fail_in(path, query.error());
  const double total = static_cast<double>(std::max<std::uint64_t>(table.info.row_count.value_or(1), 1));
  std::uint64_t rows_read = 0;
  for (;;) {
    const auto more = query->next_chunk();
    if (!more) return fail_in(path, more.error());
    if (!*more) return {};
    for (std::size_t row = 0; row < query->rows(); ++row) {
      ArticleFields fields{};
      for (std::size_t i = 0; i < fields.size(); ++i) fields[i] = query->text(i, row).value_or("");
      ++rows_read;
      CORE_CHECK(rows.add(fields, 0, std::min(1.0, static_cast<double>(rows_read) / total)));
    }
  }
}

}  // namespace

core::Result<ArticlesSummary> read_articles(const std::filesystem::path& path, const ReaderOptions& options,
                                            const std::function<core::Status(const ArticleChunk&)>& sink) {
  CORE_TRY(const TableFile table, open_table(path, options));
  const auto columns = find_article_columns(table.info);
  if (!columns) return fail_in(path, columns.error());
  ArticleRows rows(sink, std::max<std::size_t>(options.chunk_rows, 1));
  if (table.info.kind == TableInfo::Kind::kCsv) {
    CORE_CHECK(read_csv_articles(table, *columns, rows));
  } else {
    CORE_CHECK(read_parquet_articles(table, *columns, options, rows));
  }
  CORE_TRY(ArticlesSummary summary, rows.finish());
  for (std::size_t i = 0; i < columns->size(); ++i) {
    if (!(*columns)[i]) summary.absent_columns.emplace_back(article_column_name(i));
  }
  return summary;
}

}  // namespace scalestyle::catalog
