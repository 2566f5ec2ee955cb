#pragma once
// ItemNeighbours: for each item, the items that the same customers bought, nearest first. Cosine over customers with
// shrinkage, where purchases that lie days apart count less:
//   s(a, b) = Σ_c w(c) · 2^(−|day_ca − day_cb| / half_life) / (sqrt(n_a · n_b) + shrinkage)
// n_x: Σ_c w(c) over the customers of x; w(c): 1 / (1 + ln(items of c)), so that one who buys everything says little. A customer's
// repeated purchases of an item count once (the pair of days that lie nearest). Scores are in (0, 1]. Weights are rounded to 2⁻³²,
// so that they add up to the same in any order. "Customers of x" and "items of c" are those that max_customer_items leaves.
//
// Items are numbers below a bound that the caller chooses: rows of a catalogue, or of a list of articles.
// Pure: the result depends on the set of purchases only, not on their order nor on how customers are numbered. Thread safety:
// immutable; free functions.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ranking {

struct Neighbour {
  std::uint32_t item = 0;
  float score = 0;  // (0, 1]
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

struct ItemPurchase {
  std::uint32_t customer = 0;
  std::uint32_t item = 0;
  std::int32_t day = 0;  // days of any epoch
};

struct NeighbourOptions {
  std::size_t per_item = 50;            // 1 … 1,000
  double shrinkage = 30;                // 0 … 1e6
  double half_life_days = 7;            // of the distance in time between two purchases; > 0, ≤ 36,500
  std::size_t max_customer_items = 200; // of a customer only the newest distinct items count (then by item); 2 … 10,000
  double min_score = 1e-4;              // weaker neighbours are left out; 0 … 1

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

class ItemNeighbours {
 public:
  ItemNeighbours() = default;
  // `begins` has one entry an item and one more, rising, from 0 to neighbours.size(); each item's neighbours are distinct, other
  // items below the bound, by score descending, then item ascending. kInvalidArgument naming the item where they are not.
  [[nodiscard]] static core::Result<ItemNeighbours> make(std::vector<std::uint32_t> begins, std::vector<Neighbour> neighbours);

  [[nodiscard]] std::size_t size() const { return begins_.empty() ? 0 : begins_.size() - 1; }  // items
  // `item` must be below size(). Best first, then item ascending.
  [[nodiscard]] std::span<const Neighbour> of(std::uint32_t item) const {
    return std::span(neighbours_).subspan(begins_[item], begins_[item + 1] - begins_[item]);
  }
  [[nodiscard]] std::span<const std::uint32_t> begins() const { return begins_; }
  [[nodiscard]] std::span<const Neighbour> all() const { return neighbours_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  std::vector<std::uint32_t> begins_;
  std::vector<Neighbour> neighbours_;
};

// Uses `purchases` up; needs 4 bytes a purchase, 6 a customer and 20 an item besides (docs/scale.md). Errors: options;
// kInvalidArgument for an item at or above `items`, or 2³² of anything; kResourceExhausted beyond 2³²−1 neighbours.
[[nodiscard]] core::Result<ItemNeighbours> build_item_neighbours(std::vector<ItemPurchase> purchases, std::size_t items,
                                                                 const NeighbourOptions& options);

inline constexpr std::uint32_t kNoItem = 0xffffffff;

// The same neighbours where item i has the number numbers[i] below `items`, or kNoItem: such items go; items that are new have
// none. kInvalidArgument where two items get one number.
[[nodiscard]] core::Result<ItemNeighbours> renumbered(const ItemNeighbours& neighbours, std::span<const std::uint32_t> numbers,
                                                      std::size_t items);

}  // namespace scalestyle::ranking
