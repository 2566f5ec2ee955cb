#include "catalog/purchase_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "catalog/csv_reader.hpp"
#include "catalog/date.hpp"
#include "catalog/duckdb_session.hpp"
#include "catalog/table_file.hpp"
#include "core/files.hpp"
#include "text/unicode.hpp"

namespace scalestyle::catalog {
namespace {

constexpr std::size_t kMaxExamples = 100;
constexpr std::size_t kDateBytes = 10;
constexpr std::uint64_t kRowsBetweenReleases = std::uint64_t{1} << 19;
constexpr std::array<std::string_view, 3> kColumns{"t_dat", "customer_id", "article_id"};

using Fields = std::array<std::string_view, kColumns.size()>;

// The number of a text, given in the order of first sight.
class Numbers {
 public:
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) const {
    const auto found = numbers_.find(text);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
  }
  void set(std::string text, std::uint32_t number) { numbers_.emplace(std::move(text), number); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
};

class PurchaseRows {
 public:
  explicit PurchaseRows(const PurchaseDays& days) : days_(days) {}

  core::Status add(const Fields& fields, std::uint64_t line) {
    ++read_.rows_read;
    const auto day = parse_date(fields[0].substr(0, kDateBytes));
    if (!day) return reject(line, 0, fields, "not a date of the form YYYY-MM-DD");
    if ((days_.from && *day < *days_.from) || (days_.to && *day > *days_.to)) return {};
    const auto customer = customers_.find(fields[1]);
    if (!customer && (fields[1].empty() || fields[1].size() > kMaxCustomerBytes || !text::is_valid_utf8(fields[1]))) {
      return reject(line, 1, fields, fmt::format("not a text of 1 to {} bytes of UTF-8", kMaxCustomerBytes));
    }
    auto article = articles_.find(fields[2]);
    if (!article) {
      auto id = ArticleId::parse(fields[2]);
      if (!id) return reject(line, 2, fields, id.error().message);
      article = number_of(std::move(*id), std::string(fields[2]));
    }
    if (read_.purchases.size() == kMaxPurchases) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("more than {} purchases; ask for fewer days", kMaxPurchases));
    }
    read_.purchases.push_back({customer ? *customer : number_of(std::string(fields[1])), *article, *day});
    return {};
  }

  void reject_malformed(std::uint64_t line, std::string cause) {
    ++read_.rows_read;
    note({read_.rows_read, line, "", "", std::move(cause)});
  }

  core::Result<Purchases> finish() {
    if (read_.purchases.empty()) {
      const bool bounded = days_.from || days_.to;
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("no usable purchase among {} rows ({} rejected){}", read_.rows_read, read_.rejected,
                                    bounded ? " within the days asked for" : ""));
    }
    std::ranges::stable_sort(read_.purchases, {}, &Purchase::day);
    return std::move(read_);
  }

 private:
  core::Status reject(std::uint64_t line, std::size_t column, const Fields& fields, std::string cause) {
    note({read_.rows_read, line, std::string(kColumns[column]), excerpt(fields[column]), std::move(cause)});
    return {};
  }
  void note(RejectedRow row) {
    ++read_.rejected;
    if (read_.examples.size() < kMaxExamples) read_.examples.push_back(std::move(row));
  }

  // A new one's.
  std::uint32_t number_of(std::string customer) {
    const auto number = static_cast<std::uint32_t>(read_.customers.size());
    read_.customers.push_back(customer);
    customers_.set(std::move(customer), number);
    return number;
  }
  // Two spellings of an id are one article.
  std::uint32_t number_of(ArticleId id, std::string spelling) {
    auto number = articles_.find(id.text());
    if (!number) {
      number = static_cast<std::uint32_t>(read_.articles.size());
      articles_.set(id.text(), *number);
      read_.articles.push_back(std::move(id));
    }
    articles_.set(std::move(spelling), *number);
    return *number;
  }

  PurchaseDays days_;
  Purchases read_{};
  Numbers customers_;
  Numbers articles_;
};

using Places = std::array<std::size_t, kColumns.size()>;

core::Status read_parquet(const TableFile& table, const Places& places, const ReaderOptions& options, PurchaseRows& rows) {
  const auto column = [&](std::size_t i) {
    return fmt::format("CAST({} AS VARCHAR)", sql_identifier(table.info.columns[places[i]]));
  };
  // One thread, so that rows come in the file's order.
  CORE_TRY(DuckSession session, DuckSession::open(options, 1));
  CORE_TRY(DuckQuery query, session.query(fmt::format("SELECT {}, {}, {} FROM {}", column(0), column(1), column(2),
                                                      parquet_source(table))));
  for (;;) {
    CORE_TRY(const bool more, query.next_chunk());
    if (!more) return {};
    for (std::size_t row = 0; row < query.rows(); ++row) {
      const auto text = [&](std::size_t i) { return query.text(i, row).value_or(std::string_view()); };
      CORE_CHECK(rows.add({text(0), text(1), text(2)}, 0));
    }
  }
}

core::Status read_csv(const TableFile& table, const Places& places, PurchaseRows& rows) {
  CORE_TRY(const core::MappedFile file, core::MappedFile::open(table.parts.front()));
  CsvReader reader(file.text());
  CsvRecord record;
  const std::size_t width = table.info.columns.size();
  std::uint64_t count = 0;
  for (bool more = reader.next(record); more && reader.next(record);) {  // the first record is the header
    if (++count % kRowsBetweenReleases == 0) file.release_pages();  // a file of gigabytes must not stay resident
    if (record.error.empty() && record.fields.size() != width) {
      record.error = fmt::format("{} fields; the header has {}", record.fields.size(), width);
    }
    if (!record.error.empty()) {
      rows.reject_malformed(record.line, record.error);
      continue;
    }
    CORE_CHECK(rows.add({record.fields[places[0]], record.fields[places[1]], record.fields[places[2]]}, record.line));
  }
  return {};
}

core::Result<Purchases> read(const TableFile& table, const PurchaseDays& days, const ReaderOptions& options) {
  Places places{};
  for (std::size_t i = 0; i < places.size(); ++i) {
    CORE_TRY(places[i], require_column(table.info, kColumns[i]));
  }
  PurchaseRows rows(days);
  CORE_CHECK(table.info.kind == TableInfo::Kind::kCsv ? read_csv(table, places, rows)
                                                      : read_parquet(table, places, options, rows));
  return rows.finish();
}

}  // namespace

core::Result<Purchases> read_purchases(const std::filesystem::path& path, const PurchaseDays& days,
                                       const ReaderOptions& options) {
  CORE_TRY(const TableFile table, open_table(path, options));
  auto purchases = read(table, days, options);
  if (!purchases) return fail_in(path, purchases.error());
  return purchases;
}

}  // namespace scalestyle::catalog
