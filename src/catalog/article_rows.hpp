#pragma once
// From the text of a row's columns to an accepted article or a rejected row, handed to the sink in chunks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "catalog/table_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

// The columns that make an article: article_id, product_code, prod_name, detail_desc, price, then every Attribute.
inline constexpr std::size_t kArticleColumnCount = 5 + kAttributeCount;
[[nodiscard]] std::string_view article_column_name(std::size_t column);

using ArticleFields = std::array<std::string_view, kArticleColumnCount>;  // empty where there is none
using ArticleColumns = std::array<std::optional<std::size_t>, kArticleColumnCount>;  // positions in the file

// kInvalidArgument when article_id or prod_name is missing, or a column occurs twice.
[[nodiscard]] core::Result<ArticleColumns> find_article_columns(const TableInfo& info);

class ArticleRows {
 public:
  using Sink = std::function<core::Status(const ArticleChunk&)>;
  ArticleRows(const Sink& sink, std::size_t chunk_rows) : sink_(sink), chunk_rows_(chunk_rows) {}

  // Both return the sink's error. `line` is 0 where there are no lines.
  [[nodiscard]] core::Status add(const ArticleFields& fields, std::uint64_t line, double fraction_read);
  [[nodiscard]] core::Status reject_malformed(std::string cause, std::uint64_t line, double fraction_read);

  // Hands over what is left.
  [[nodiscard]] core::Result<ArticlesSummary> finish();

 private:
  [[nodiscard]] core::Status end_row(double fraction_read);
  [[nodiscard]] core::Status flush(double fraction_read);
  void reject(std::uint64_t line, std::string_view column, std::string_view value, std::string cause);

  const Sink& sink_;
  std::size_t chunk_rows_;
  std::vector<ArticleRow> accepted_;
  std::vector<RejectedRow> rejected_;
  std::unordered_set<ArticleId> seen_;
  ArticlesSummary summary_;
};

}  // namespace scalestyle::catalog
