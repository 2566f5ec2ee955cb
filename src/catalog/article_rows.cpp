#include "catalog/article_rows.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "catalog/table_file.hpp"
#include "text/unicode.hpp"

namespace scalestyle::catalog {
namespace {

enum Column : std::size_t { kId, kProductCode, kName, kDescription, kPrice, kFirstAttribute };

struct Fault {
  std::size_t column = 0;
  std::string cause;
};

std::optional<Fault> find_text_fault(const ArticleFields& fields) {
  for (std::size_t column = 0; column < fields.size(); ++column) {
    const std::string_view field = fields[column];
    const std::size_t limit = column == kDescription ? kMaxDescriptionBytes : kMaxFieldBytes;
    if (field.size() > limit) return Fault{column, fmt::format("{} bytes; at most {} are allowed", field.size(), limit)};
    if (!text::is_valid_utf8(field)) return Fault{column, "not valid UTF-8"};
    if (field.find('\0') != std::string_view::npos) return Fault{column, "has a zero byte"};
  }
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Sets `price`, to nothing for an empty field; false when the field is no finite number of at least 0.
bool parse_price(std::string_view field, std::optional<double>& price) {
  const std::string_view digits = trim(field);
  price.reset();
  if (digits.empty()) return true;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  if (!std::isfinite(value) || value < 0) return false;
  price = value + 0.0;  // -0 becomes 0
  return true;
}

}  // namespace

std::string_view article_column_name(std::size_t column) {
  constexpr std::array<std::string_view, kFirstAttribute> kNames = {"article_id", "product_code", "prod_name",
                                                                    "detail_desc", "price"};
  return column < kFirstAttribute ? kNames[column] : column_name(all_attributes()[column - kFirstAttribute]);
}

core::Result<ArticleColumns> find_article_columns(const TableInfo& info) {
  ArticleColumns columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i == kId || i == kName) {
      CORE_TRY(columns[i], require_column(info, article_column_name(i)));
    } else {
      CORE_TRY(columns[i], find_column(info, article_column_name(i)));
    }
  }
  return columns;
}

core::Status ArticleRows::add(const ArticleFields& fields, std::uint64_t line, double fraction_read) {
  ++summary_.rows_read;
  if (const auto fault = find_text_fault(fields)) {
    reject(line, article_column_name(fault->column), fields[fault->column], fault->cause);
    return end_row(fraction_read);
  }
  auto id = ArticleId::parse(fields[kId]);
  if (!id) {
    reject(line, article_column_name(kId), fields[kId], id.error().message);
    return end_row(fraction_read);
  }
  std::optional<double> price;
  if (!parse_price(fields[kPrice], price)) {
    reject(line, article_column_name(kPrice), fields[kPrice], "not a finite number of at least 0");
    return end_row(fraction_read);
  }
  if (!seen_.insert(*id).second) {
    reject(line, article_column_name(kId), fields[kId], "the id occurred before; the first row stays");
    return end_row(fraction_read);
  }
  const std::string_view product_code = trim(fields[kProductCode]);
  Article article{.id = *id,
                  .product_code = product_code.empty() ? id->text() : std::string(product_code),
                  .name = std::string(fields[kName]),
                  .description = std::string(fields[kDescription])};
  for (std::size_t i = 0; i < kAttributeCount; ++i) article.attributes[i] = fields[kFirstAttribute + i];
  article.price = price;
  accepted_.push_back({summary_.rows_read, std::move(article)});
  ++summary_.accepted;
  return end_row(fraction_read);
}

core::Status ArticleRows::reject_malformed(std::string cause, std::uint64_t line, double fraction_read) {
  ++summary_.rows_read;
  reject(line, {}, {}, std::move(cause));
  return end_row(fraction_read);
}

void ArticleRows::reject(std::uint64_t line, std::string_view column, std::string_view value, std::string cause) {
  ++summary_.rejected;
  rejected_.push_back({summary_.rows_read, line, std::string(column), excerpt(value), std::move(cause)});
}

core::Status ArticleRows::end_row(double fraction_read) {
  if (accepted_.size() + rejected_.size() < chunk_rows_) return {};
  return flush(fraction_read);
}

core::Status ArticleRows::flush(double fraction_read) {
  const core::Status status = sink_(ArticleChunk{accepted_, rejected_, summary_.rows_read, fraction_read});
  accepted_.clear();
  rejected_.clear();
  return status;
}

core::Result<ArticlesSummary> ArticleRows::finish() {
  if (!accepted_.empty() || !rejected_.empty()) CORE_CHECK(flush(1.0));
  return std::move(summary_);
}

}  // namespace scalestyle::catalog
