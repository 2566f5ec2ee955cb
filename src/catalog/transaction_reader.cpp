// read_transactions. Parquet is added up by DuckDB; CSV by our own reader, which knows the row of every fault.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "catalog/csv_reader.hpp"
#include "catalog/date.hpp"
#include "catalog/duckdb_session.hpp"
#include "catalog/table_file.hpp"
#include "catalog/table_reader.hpp"
#include "core/files.hpp"

namespace scalestyle::catalog {
namespace {

__extension__ using Uint128 = unsigned __int128;  // 10⁹ rows of the highest price do not fit in 64 bits

constexpr double kUnitsPerPrice = 1e9;
constexpr double kMaxPrice = 1e9;
constexpr std::size_t kMaxExamples = 100;
constexpr std::size_t kDateBytes = 10;
constexpr std::uint64_t kRowsBetweenReleases = std::uint64_t{1} << 19;

struct Sums {
  std::uint64_t purchases = 0;
  std::uint64_t priced = 0;
  Uint128 price_units = 0;
  std::string first_date{};  // both empty when no row has a date
  std::string last_date{};

  void add(const Sums& other) {
    purchases += other.purchases;
    priced += other.priced;
    price_units += other.price_units;
    add_days(other.first_date, other.last_date);
  }
  void add_days(const std::string& first, const std::string& last) {
    if (!first.empty() && (first_date.empty() || first < first_date)) first_date = first;
    last_date = std::max(last_date, last);
  }
};

using SumsById = std::map<ArticleId, Sums>;

struct Columns {
  std::size_t id = 0;
  std::optional<std::size_t> price;
  std::optional<std::size_t> date;
};

core::Result<Columns> find_columns(const TableInfo& info) {
  Columns columns;
  CORE_TRY(columns.id, require_column(info, "article_id"));
  CORE_TRY(columns.price, find_column(info, "price"));
  CORE_TRY(columns.date, find_column(info, "t_dat"));
  return columns;
}

void reject(TransactionsSummary& summary, RejectedRow row, std::uint64_t rows = 1) {
  summary.rejected += rows;
  if (summary.examples.size() < kMaxExamples) summary.examples.push_back(std::move(row));
}

// ---- Parquet ----

// A price counts when it is between 0 and 10⁹ (NaN is above every number for DuckDB), in exact units of 10⁻⁹.
std::string aggregation(const TableFile& table, const Columns& columns) {
  const auto name = [&](std::optional<std::size_t> column) -> std::string {
    return column ? sql_identifier(table.info.columns[*column]) : "CAST(NULL AS VARCHAR)";
  };
  return fmt::format(
      "SELECT CAST(id AS VARCHAR), CAST(count(*) AS VARCHAR), CAST(count(units) AS VARCHAR), CAST(sum(units) AS VARCHAR), "
      "CAST(min(day) AS VARCHAR), CAST(max(day) AS VARCHAR) FROM (SELECT id, "
      "CASE WHEN day BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN day END AS day, CASE WHEN price >= 0 AND price <= 1e9 "
      "THEN CAST(round(price * 1e9) AS BIGINT) END AS units FROM (SELECT {} AS id, TRY_CAST({} AS DOUBLE) AS price, "
      "TRY_CAST({} AS DATE) AS day FROM {})) GROUP BY id ORDER BY id",
      name(columns.id), name(columns.price), name(columns.date), parquet_source(table));
}

template <class Integer>
Integer parse_count(std::optional<std::string_view> digits) {
  Integer value = 0;
  for (const char c : digits.value_or("")) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

core::Result<SumsById> add_up_parquet(const TableFile& table, const Columns& columns, const ReaderOptions& options,
                                      TransactionsSummary& summary) {
  SumsById articles;
  CORE_TRY(DuckSession session, DuckSession::open(options, std::max(options.threads, 1U)));
  CORE_TRY(DuckQuery query, session.query(aggregation(table, columns)));
  for (;;) {
    CORE_TRY(const bool more, query.next_chunk());
    if (!more) return articles;
    for (std::size_t row = 0; row < query.rows(); ++row) {
      const Sums sums{parse_count<std::uint64_t>(query.text(1, row)), parse_count<std::uint64_t>(query.text(2, row)),
                      parse_count<Uint128>(query.text(3, row)), std::string(query.text(4, row).value_or("")),
                      std::string(query.text(5, row).value_or(""))};
      summary.rows_read += sums.purchases;
      const std::string_view text = query.text(0, row).value_or("");
      if (const auto id = ArticleId::parse(text)) {
        articles[*id].add(sums);
      } else {
        reject(summary, {0, 0, "article_id", excerpt(text), fmt::format("{} ({} rows)", id.error().message, sums.purchases)},
               sums.purchases);
      }
    }
  }
}

// ---- CSV ----

void add_price(std::string_view text, Sums& sums) {
  double price = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), price);
  if (error != std::errc() || end != text.data() + text.size() || !(price >= 0 && price <= kMaxPrice)) return;
  ++sums.priced;
  sums.price_units += static_cast<std::uint64_t>(std::round(price * kUnitsPerPrice));
}

// Widens the days from first to last; what does not begin with a date is none.
void add_date(std::string_view text, Sums& sums) {
  const std::string_view day = text.substr(0, kDateBytes);
  const bool inside = !sums.first_date.empty() && sums.first_date <= day && day <= sums.last_date;
  if (inside || !parse_date(day)) return;
  if (sums.first_date.empty() || day < sums.first_date) sums.first_date = day;
  if (day > sums.last_date) sums.last_date = day;
}

core::Result<SumsById> add_up_csv(const TableFile& table, const Columns& columns, TransactionsSummary& summary) {
  CORE_TRY(const core::MappedFile file, core::MappedFile::open(table.parts.front()));
  std::unordered_map<std::string, Sums> by_text;  // by the id as written, so that it is parsed once
  CsvReader reader(file.text());
  CsvRecord record;
  const std::size_t width = table.info.columns.size();
  for (bool more = reader.next(record); more && reader.next(record);) {  // the first record is the header
    const std::uint64_t row = ++summary.rows_read;
    if (row % kRowsBetweenReleases == 0) file.release_pages();  // a file of gigabytes must not stay resident
    if (record.error.empty() && record.fields.size() != width) {
      record.error = fmt::format("{} fields; the header has {}", record.fields.size(), width);
    }
    if (!record.error.empty()) {
      reject(summary, {row, record.line, "", "", record.error});
      continue;
    }
    const std::string& text = record.fields[columns.id];
    auto found = by_text.find(text);
    if (found == by_text.end()) {
      if (const auto id = ArticleId::parse(text); !id) {
        reject(summary, {row, record.line, "article_id", excerpt(text), id.error().message});
        continue;
      }
      found = by_text.emplace(text, Sums{}).first;
    }
    ++found->second.purchases;
    if (columns.price) add_price(record.fields[*columns.price], found->second);
    if (columns.date) add_date(record.fields[*columns.date], found->second);
  }
  SumsById articles;
  for (const auto& [text, sums] : by_text) articles[ArticleId::parse(text).value()].add(sums);
  return articles;
}

}  // namespace

core::Result<TransactionsSummary> read_transactions(const std::filesystem::path& path, const ReaderOptions& options,
                                                    const std::function<core::Status(const ArticlePurchases&)>& sink) {
  CORE_TRY(const TableFile table, open_table(path, options));
  const auto columns = find_columns(table.info);
  if (!columns) return fail_in(path, columns.error());
  TransactionsSummary summary;
  const bool csv = table.info.kind == TableInfo::Kind::kCsv;
  const auto articles = csv ? add_up_csv(table, *columns, summary) : add_up_parquet(table, *columns, options, summary);
  if (!articles) return fail_in(path, articles.error());
  Sums all;
  for (const auto& [id, sums] : *articles) {
    all.add_days(sums.first_date, sums.last_date);
    ArticlePurchases purchases{.id = id, .purchase_count = sums.purchases, .last_date = sums.last_date};
    if (sums.priced > 0) {
      purchases.mean_price = static_cast<double>(sums.price_units) / static_cast<double>(sums.priced) / kUnitsPerPrice;
    }
    summary.without_price += sums.purchases - sums.priced;
    CORE_CHECK(sink(purchases));
  }
  summary.articles = articles->size();
  summary.first_date = std::move(all.first_date);
  summary.last_date = std::move(all.last_date);
  return summary;
}

}  // namespace scalestyle::catalog
