#pragma once
// What the known purchases say of a catalogue's articles, and what they bring to ranking/for_you.hpp: the same inputs that
// serving brings, made of purchases instead of events.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "evaluation/held_out_purchases.hpp"
#include "ranking/for_you.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::evaluation {

struct PurchaseModelOptions {
  double popularity_half_life_days = 1.5;  // > 0
  ranking::NeighbourOptions neighbours{};
  catalog::Attribute section = catalog::Attribute::kSection;
  std::size_t popular_rows = 1'000;    // 1 … 100,000
  std::size_t sections = 3;            // of one customer, heaviest first
  std::size_t rows_per_section = 100;
  double section_half_life_days = 3;   // of the customer's purchases; > 0
  bool ages_from_newest = false;       // purchases age from the customer's newest one, not from the day after the last known

  [[nodiscard]] core::Status validate() const;  // kInvalidArgument with the setting as field
};

// The articles of the purchases alone, when there is no catalogue: each is a product of its own, of no section.
[[nodiscard]] core::Result<catalog::Catalog> catalog_of_purchases(const HeldOutPurchases& purchases);

// Immutable. Lives no longer than the purchases it was made of.
class PurchaseModels {
 public:
  // Purchases of articles that the catalogue lacks are left out. Errors: options; kInvalidArgument when none is left.
  [[nodiscard]] static core::Result<std::shared_ptr<const PurchaseModels>> make(const HeldOutPurchases& purchases,
                                                                                std::shared_ptr<const catalog::Catalog> articles,
                                                                                const PurchaseModelOptions& options);

  // A customer's articles: newest first, ties by row; at most 100.
  [[nodiscard]] std::vector<ranking::SubjectItem> items_of(std::span<const HistoryItem> history) const;
  // Popular rows of the sections of these items.
  [[nodiscard]] std::vector<ranking::ScoredRow> sections_of(std::span<const ranking::SubjectItem> items) const;
  // Both spans must live while the inputs are used. No lists of content, pictures and new articles.
  [[nodiscard]] ranking::ForYouInputs inputs_of(std::span<const ranking::SubjectItem> items,
                                                std::span<const ranking::ScoredRow> sections) const;

  [[nodiscard]] std::span<const ranking::ScoredRow> popular() const { return popular_; }  // decayed, best first
  [[nodiscard]] double popularity(catalog::RowIndex row) const { return popularity_[row.value]; }
  [[nodiscard]] const ranking::ItemNeighbours& neighbours() const { return neighbours_; }
  [[nodiscard]] const catalog::Catalog& articles() const { return *articles_; }
  [[nodiscard]] std::vector<catalog::ArticleId> ids_of(std::span<const catalog::RowIndex> rows) const;
  // The known purchases that have a row.
  [[nodiscard]] std::span<const ranking::ItemPurchase> known() const { return known_; }
  [[nodiscard]] std::size_t customers() const { return customers_; }

 private:
  PurchaseModels() = default;
  void rank_sections();

  PurchaseModelOptions options_{};
  std::shared_ptr<const catalog::Catalog> articles_;
  const catalog::ArticleId* first_article_ = nullptr;  // of the purchases' articles
  std::vector<std::uint32_t> row_of_;                  // by their number; kNoRow
  std::chrono::sys_days today_{};
  std::vector<ranking::ItemPurchase> known_;
  std::size_t customers_ = 0;
  std::vector<double> popularity_;  // by row
  std::vector<ranking::ScoredRow> popular_;
  std::vector<std::vector<ranking::ScoredRow>> of_section_;  // by the section's code, best first
  ranking::ItemNeighbours neighbours_;
};

}  // namespace scalestyle::evaluation
