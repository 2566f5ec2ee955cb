#pragma once
// Matrix factorisation of who bought what by alternating least squares on implicit feedback (Hu, Koren & Volinsky 2008), solved
// by conjugate gradients (Takács, Pilászy & Tikk 2011): a peer that recommendations are compared with.
//
// Pure; the same purchases and seed give the same factors on every machine of the same floating-point rules. Thread safety:
// immutable once made.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::evaluation {

struct AlsOptions {
  std::size_t factors = 64;      // 1 … 512
  std::size_t iterations = 15;   // 1 … 100
  std::size_t solver_steps = 3;  // of conjugate gradients, from the solution before; 1 … 100
  double regularization = 0.05;  // ≥ 0
  double confidence = 10;        // of a bought article beside 1 for all others; > 0
  std::uint64_t seed = 1;

  [[nodiscard]] core::Status validate() const;  // kInvalidArgument with the setting as field
};

struct BoughtItem {
  std::uint32_t customer = 0;
  std::uint32_t item = 0;
  friend auto operator<=>(const BoughtItem&, const BoughtItem&) = default;
};

class ImplicitAls {
 public:
  // Repeated entries count once. Customers and items are below the bounds given (else kInvalidArgument).
  [[nodiscard]] static core::Result<ImplicitAls> fit(std::vector<BoughtItem> bought, std::size_t customers, std::size_t items,
                                                     const AlsOptions& options);

  // How much a customer of these (distinct) items is expected to like each item, by item; empty for no items.
  [[nodiscard]] std::vector<float> scores(std::span<const std::uint32_t> items) const;

  [[nodiscard]] std::size_t items() const { return item_count_; }

 private:
  ImplicitAls() = default;

  AlsOptions options_{};
  std::size_t item_count_ = 0;
  std::vector<float> item_factors_;  // row by row
  std::vector<float> item_gram_;     // itemsᵀ · items, with the regularization on its diagonal
};

}  // namespace scalestyle::evaluation
