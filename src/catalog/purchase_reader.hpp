#pragma once
// Purchases one by one, of customers and days: what recommendations learn from and are judged by. (How often and at what
// price an article sold is read_transactions() in table_reader.hpp.)

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/table_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

// Customers and articles are numbered in the order in which the file names them first.
struct Purchase {
  std::uint32_t customer = 0;  // in Purchases::customers
  std::uint32_t article = 0;   // in Purchases::articles
  std::chrono::sys_days day{};
};

struct Purchases {
  std::vector<std::string> customers;
  std::vector<ArticleId> articles;
  std::vector<Purchase> purchases;    // by day, in the file's order within a day
  std::uint64_t rows_read = 0;        // accepted, rejected and outside the days asked for
  std::uint64_t rejected = 0;         // without a valid article id, customer or date, or malformed
  std::vector<RejectedRow> examples;  // at most 100 rejected rows; line 0 for Parquet
};

struct PurchaseDays {
  std::optional<std::chrono::sys_days> from{};  // both are included; nothing: no bound
  std::optional<std::chrono::sys_days> to{};
};

inline constexpr std::size_t kMaxPurchases = 100'000'000;
inline constexpr std::size_t kMaxCustomerBytes = 200;

// Required columns: t_dat (or a text that begins with the day, YYYY-MM-DD), customer_id, article_id. About 12 bytes a
// purchase and 100 a customer stay in memory. Errors: those of table_reader.hpp; kInvalidArgument when no purchase lies in
// the days or there are more than kMaxPurchases (ask for fewer days).
[[nodiscard]] core::Result<Purchases> read_purchases(const std::filesystem::path& path, const PurchaseDays& days,
                                                     const ReaderOptions& options);

}  // namespace scalestyle::catalog
