// read_embeddings: pre-computed vectors from Parquet.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "catalog/duckdb_session.hpp"
#include "catalog/table_file.hpp"
#include "catalog/table_reader.hpp"

namespace scalestyle::catalog {
namespace {

constexpr std::size_t kMaxDimension = 65536;

class EmbeddingRows {
 public:
  using Sink = std::function<core::Status(const EmbeddingChunk&)>;
  EmbeddingRows(const Sink& sink, std::size_t chunk_rows, EmbeddingsSummary& summary)
      : sink_(sink), chunk_rows_(chunk_rows), summary_(summary) {}

  core::Status add(std::string_view id_text, std::optional<std::span<const float>> vector) {
    ++summary_.rows_read;
    if (std::optional<RejectedRow> fault = find_fault(id_text, vector)) {
      fault->row_number = summary_.rows_read;
      rejected_.push_back(std::move(*fault));
      ++summary_.rejected;
    } else {
      values_.insert(values_.end(), vector->begin(), vector->end());
      ++summary_.accepted;
    }
    return ids_.size() + rejected_.size() < chunk_rows_ ? core::Status() : flush();
  }

  core::Status flush() {
    if (ids_.empty() && rejected_.empty()) return {};
    const core::Status status = sink_(EmbeddingChunk{ids_, values_, summary_.dimension, rejected_, summary_.rows_read});
    ids_.clear();
    values_.clear();
    rejected_.clear();
    return status;
  }

 private:
  // Keeps the id of a row without fault.
  std::optional<RejectedRow> find_fault(std::string_view id_text, std::optional<std::span<const float>> vector) {
    auto id = ArticleId::parse(id_text);
    if (!id) return RejectedRow{0, 0, "article_id", excerpt(id_text), id.error().message};
    const auto bad_vector = [&](std::string cause) {
      return RejectedRow{0, 0, summary_.vector_column, excerpt(id->text()), std::move(cause)};
    };
    if (!vector || vector->empty()) return bad_vector("the vector is missing");
    if (summary_.dimension == 0) {
      if (vector->size() > kMaxDimension) return bad_vector(fmt::format("{} numbers; at most {}", vector->size(), kMaxDimension));
      summary_.dimension = vector->size();
    }
    if (vector->size() != summary_.dimension) {
      return bad_vector(fmt::format("{} numbers instead of {}", vector->size(), summary_.dimension));
    }
    if (!std::all_of(vector->begin(), vector->end(), [](float value) { return std::isfinite(value); })) {
      return bad_vector("a number is missing or not finite");
    }
    if (!seen_.insert(*id).second) {
      return RejectedRow{0, 0, "article_id", excerpt(id_text), "the id occurred before; the first row stays"};
    }
    ids_.push_back(std::move(*id));
    return std::nullopt;
  }

  const Sink& sink_;
  std::size_t chunk_rows_;
  EmbeddingsSummary& summary_;
  std::vector<ArticleId> ids_;
  std::vector<float> values_;
  std::vector<RejectedRow> rejected_;
  std::unordered_set<ArticleId> seen_;
};

core::Result<std::size_t> find_vector_column(const TableInfo& info, EmbeddingKind kind) {
  const std::string_view name = kind == EmbeddingKind::kTexts ? "bge_embedding" : "image_embedding";
  CORE_TRY(const std::optional<std::size_t> column, find_column(info, name));
  if (column) return *column;
  auto other = require_column(info, "embedding");
  if (!other) {
    std::string& message = other.error().message;
    message.replace(0, message.find(" is missing"), fmt::format("the column {} (or embedding)", name));
  }
  return other;
}

}  // namespace

core::Result<EmbeddingsSummary> read_embeddings(const std::filesystem::path& path, std::size_t expected_dimension,
                                                const ReaderOptions& options,
                                                const std::function<core::Status(const EmbeddingChunk&)>& sink,
                                                EmbeddingKind kind) {
  CORE_TRY(const TableFile table, open_table(path, options));
  if (table.info.kind != TableInfo::Kind::kParquet) {
    return core::fail(core::ErrorCode::kInvalidArgument, path.string() + ": vectors are read from Parquet only");
  }
  const auto id_column = require_column(table.info, "article_id");
  if (!id_column) return fail_in(path, id_column.error());
  const auto vector_column = find_vector_column(table.info, kind);
  if (!vector_column) return fail_in(path, vector_column.error());

  EmbeddingsSummary summary{.dimension = expected_dimension, .vector_column = table.info.columns[*vector_column]};
  CORE_TRY(DuckSession session, DuckSession::open(options, 1));
  auto query = session.query(fmt::format("SELECT CAST({} AS VARCHAR), CAST({} AS FLOAT[]) FROM {}",
                                         sql_identifier(table.info.columns[*id_column]),
                                         sql_identifier(summary.vector_column), parquet_source(table)));
  if (!query) return fail_in(path, query.error());
  EmbeddingRows rows(sink, std::max<std::size_t>(options.chunk_rows, 1), summary);
  for (;;) {
    const auto more = query->next_chunk();
    if (!more) return fail_in(path, more.error());
    if (!*more) break;
    for (std::size_t row = 0; row < query->rows(); ++row) {
      CORE_CHECK(rows.add(query->text(0, row).value_or(""), query->floats(1, row)));
    }
  }
  CORE_CHECK(rows.flush());
  return summary;
}

}  // namespace scalestyle::catalog
