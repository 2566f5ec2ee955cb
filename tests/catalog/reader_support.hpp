#pragma once
// Input files of one test, and readers that collect what the sinks receive.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/duckdb_session.hpp"
#include "catalog/table_reader.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::catalog {

// A folder that files are put into.
class InputFolder : public support::TemporaryFolder {
 public:
  [[nodiscard]] std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path file = *this / name;
    std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    return file;
  }
  // Writes the rows of a DuckDB SELECT as Parquet.
  [[nodiscard]] std::filesystem::path write_parquet(const std::string& name, const std::string& select) const {
    const std::filesystem::path file = *this / name;
    auto session = DuckSession::open({}, 1);
    EXPECT_TRUE(session);
    auto query = session->query("COPY (" + select + ") TO " + sql_literal(file.string()) + " (FORMAT parquet)");
    EXPECT_TRUE(query) << query.error().message;
    while (query && query->next_chunk().value_or(false)) continue;
    return file;
  }
};

struct ReadArticles {
  core::Result<ArticlesSummary> summary;
  std::vector<ArticleRow> accepted;
  std::vector<RejectedRow> rejected;
};

inline ReadArticles read_all_articles(const std::filesystem::path& path, const ReaderOptions& options = {}) {
  ReadArticles all;
  all.summary = read_articles(path, options, [&](const ArticleChunk& chunk) -> core::Status {
    all.accepted.insert(all.accepted.end(), chunk.accepted.begin(), chunk.accepted.end());
    all.rejected.insert(all.rejected.end(), chunk.rejected.begin(), chunk.rejected.end());
    EXPECT_LE(chunk.accepted.size() + chunk.rejected.size(), options.chunk_rows);
    EXPECT_EQ(chunk.rows_read, all.accepted.size() + all.rejected.size());
    EXPECT_GT(chunk.fraction_read, 0);
    EXPECT_LE(chunk.fraction_read, 1);
    return {};
  });
  if (all.summary) {
    EXPECT_EQ(all.summary->accepted, all.accepted.size());
    EXPECT_EQ(all.summary->rejected, all.rejected.size());
    EXPECT_EQ(all.summary->rows_read, all.accepted.size() + all.rejected.size());
  }
  return all;
}

struct ReadTransactions {
  core::Result<TransactionsSummary> summary;
  std::vector<ArticlePurchases> articles;
};

inline ReadTransactions read_all_transactions(const std::filesystem::path& path, const ReaderOptions& options = {}) {
  ReadTransactions all;
  all.summary = read_transactions(path, options, [&](const ArticlePurchases& article) -> core::Status {
    all.articles.push_back(article);
    return {};
  });
  return all;
}

}  // namespace scalestyle::catalog
