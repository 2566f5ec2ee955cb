#pragma once
// Purchases split by day: what a recommender may know, and what its lists are judged by.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/purchase_reader.hpp"
#include "core/result.hpp"
#include "evaluation/query_set.hpp"

namespace scalestyle::evaluation {

struct HistoryItem {
  const catalog::ArticleId* article = nullptr;  // not null; lives as long as the split
  std::chrono::sys_days day{};
};

// A customer who bought in the days of the test; of baskets, one of the customer's baskets.
struct Buyer {
  std::string_view customer;
  std::span<const HistoryItem> history;  // purchases known before the test, oldest first; empty for a stranger
  Grades bought;                         // distinct articles that are to be found, grade 1
};

// Immutable. What buyers() and the others give lives as long as this object, also when it is moved.
class HeldOutPurchases {
 public:
  // Purchases up to `last_known` are known, those after it and up to `last_day` (nothing: to the end) are the test.
  // kInvalidArgument when either part has no purchase.
  [[nodiscard]] static core::Result<HeldOutPurchases> split(catalog::Purchases purchases, std::chrono::sys_days last_known,
                                                            std::optional<std::chrono::sys_days> last_day = {});

  // The same from two files; every purchase of `tested` must be of a later day than those of `known` (else kInvalidArgument).
  [[nodiscard]] static core::Result<HeldOutPurchases> join(catalog::Purchases known, catalog::Purchases tested);

  // The last day of each customer who bought on two days or more is the test, all else is known: also what other customers
  // bought afterwards. kInvalidArgument when nobody did.
  [[nodiscard]] static core::Result<HeldOutPurchases> hide_last_days(catalog::Purchases purchases);

  // What was bought on one day by one customer is a basket. Of each of the test's baskets of two articles or more, one article
  // is to be found, which the seed and the customer choose; the other articles are the history, and nothing else is known of the
  // customer. kInvalidArgument when there is no such basket.
  [[nodiscard]] core::Result<HeldOutPurchases> hide_one_of_each_basket(std::uint64_t seed) &&;

  HeldOutPurchases(HeldOutPurchases&&) = default;
  HeldOutPurchases& operator=(HeldOutPurchases&&) = default;
  HeldOutPurchases(const HeldOutPurchases&) = delete;
  HeldOutPurchases& operator=(const HeldOutPurchases&) = delete;

  [[nodiscard]] std::chrono::sys_days last_known() const { return last_known_; }
  [[nodiscard]] std::span<const Buyer> buyers() const { return buyers_; }  // by customer
  // What is known, by day, of all customers.
  [[nodiscard]] std::span<const catalog::Purchase> known() const { return std::span(all_.purchases).first(known_); }
  [[nodiscard]] std::size_t tested() const { return tested_; }  // purchases
  [[nodiscard]] const std::vector<catalog::ArticleId>& articles() const { return all_.articles; }
  [[nodiscard]] std::size_t customers() const { return all_.customers.size(); }  // what Purchase::customer is below
  [[nodiscard]] std::size_t known_articles() const { return known_articles_; }  // distinct, among known()

 private:
  HeldOutPurchases() = default;
  void collect_buyers();

  catalog::Purchases all_{};
  std::vector<HistoryItem> history_;  // of each buyer, by day
  std::vector<Buyer> buyers_;
  std::chrono::sys_days last_known_{};
  std::size_t known_ = 0;
  std::size_t tested_ = 0;
  std::size_t known_articles_ = 0;
};

}  // namespace scalestyle::evaluation
