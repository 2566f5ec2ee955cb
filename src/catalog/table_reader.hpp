#pragma once
// Reads the input files of a catalogue: Kaggle CSV or Parquet (one file, or a folder of *.parquet shards in name order).
// Columns are found by name in any order, without regard to case; others are ignored. CSV is UTF-8 (a BOM is allowed),
// comma-separated, RFC 4180 quoting, LF or CRLF; every value is text, so ids keep their zeros.
// Nothing is fetched or installed by the reader. All functions are blocking and may run on any thread; sinks are called
// on the calling thread, in the order of rows. A sink's error stops the reading and is returned unchanged.
// A file that cannot be used is one error: kNotFound; kInvalidArgument (wrong kind of file, or a required column is
// missing: named, with the columns found); kDataLoss (damaged or cut short).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article.hpp"
#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

struct ReaderOptions {
  std::uint64_t memory_limit_bytes = std::uint64_t{1} << 30;  // for DuckDB; it spills to temporary_dir beyond it
  unsigned threads = 2;                                       // for adding up transactions in Parquet
  std::filesystem::path temporary_dir{};                      // empty: no spilling, a clear error instead
  std::size_t chunk_rows = 2048;                              // rows handed to a sink at once, at most
};

// A row that was left out. row_number counts data rows from 1 (the header is none); line is the physical line where
// the row starts in a CSV file (the header is line 1), 0 for Parquet.
struct RejectedRow {
  std::uint64_t row_number = 0;
  std::uint64_t line = 0;
  std::string column;   // empty when the row as a whole is malformed
  std::string excerpt;  // at most 80 bytes of the value, other than visible ASCII escaped
  std::string cause;
};

struct TableInfo {
  enum class Kind : std::uint8_t { kCsv, kParquet };
  Kind kind = Kind::kCsv;
  std::vector<std::string> columns;           // as written in the file
  std::optional<std::uint64_t> row_count{};   // Parquet only
  std::uint64_t size_bytes = 0;
};

// Looks at the head of a table without reading it, for progress bars and messages.
[[nodiscard]] core::Result<TableInfo> inspect_table(const std::filesystem::path& path, const ReaderOptions& options = {});

// ---- Articles ----

struct ArticleRow {
  std::uint64_t row_number = 0;
  Article article;
};

struct ArticleChunk {
  std::span<ArticleRow> accepted;  // the sink may move articles out
  std::span<const RejectedRow> rejected;
  std::uint64_t rows_read = 0;     // so far, accepted and rejected
  double fraction_read = 0;        // of the file, 0…1
};

struct ArticlesSummary {
  std::uint64_t rows_read = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::vector<std::string> absent_columns;  // optional columns that the file lacks
};

inline constexpr std::size_t kMaxDescriptionBytes = 5000;
inline constexpr std::size_t kMaxFieldBytes = 500;

// Required columns: article_id, prod_name. A row is rejected for an empty or invalid id, an id seen before (the first
// stays), text that is not UTF-8 or has a NUL, a field above its limit, a price that is not a finite number ≥ 0, or
// (CSV) broken quoting or a wrong number of fields. Empty text and an empty price are fine.
[[nodiscard]] core::Result<ArticlesSummary> read_articles(const std::filesystem::path& path, const ReaderOptions& options,
                                                          const std::function<core::Status(const ArticleChunk&)>& sink);

// ---- Transactions ----

struct ArticlePurchases {
  ArticleId id;
  std::uint64_t purchase_count = 0;
  std::optional<double> mean_price{};  // over the rows that have a usable price
  std::string last_date;               // YYYY-MM-DD; empty when no row has a date
};

struct TransactionsSummary {
  std::uint64_t rows_read = 0;       // accepted and rejected
  std::uint64_t rejected = 0;        // malformed, or without a valid id: not counted anywhere
  std::uint64_t without_price = 0;   // counted as a purchase, left out of the mean: price missing, negative, not finite
  std::uint64_t articles = 0;
  std::string first_date{};          // of all purchases, YYYY-MM-DD; both empty when no row has a date
  std::string last_date{};
  std::vector<RejectedRow> examples; // at most 100 rejected rows; for Parquet one for each bad id, with row_number 0
};

// Required columns: article_id; price and t_dat are used when present. Calls `sink` once an article, in the order of
// ids. Sums are exact integers of 10⁻⁹, so the means do not depend on the number of threads.
[[nodiscard]] core::Result<TransactionsSummary> read_transactions(
    const std::filesystem::path& path, const ReaderOptions& options,
    const std::function<core::Status(const ArticlePurchases&)>& sink);

// ---- Pre-computed vectors ----

struct EmbeddingChunk {
  std::span<const ArticleId> ids;
  std::span<const float> values;  // ids.size() rows of `dimension`, row-major
  std::size_t dimension = 0;
  std::span<const RejectedRow> rejected;
  std::uint64_t rows_read = 0;
};

struct EmbeddingsSummary {
  std::uint64_t rows_read = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::size_t dimension = 0;
  std::string vector_column;
};

// Of texts or of photos: decides the first name looked for, `bge_embedding` or `image_embedding`.
enum class EmbeddingKind : std::uint8_t { kTexts, kPhotos };

// Parquet only. Columns: article_id and that of the kind, or else `embedding`: lists (or arrays) of float or double.
// `expected_dimension` 0 takes the first row's. A row is rejected for an invalid or repeated id, a missing vector,
// another length, or a value that is not finite. Norms are not judged here.
[[nodiscard]] core::Result<EmbeddingsSummary> read_embeddings(
    const std::filesystem::path& path, std::size_t expected_dimension, const ReaderOptions& options,
    const std::function<core::Status(const EmbeddingChunk&)>& sink, EmbeddingKind kind = EmbeddingKind::kTexts);

}  // namespace scalestyle::catalog
