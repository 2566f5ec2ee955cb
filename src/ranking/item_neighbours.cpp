#include "ranking/item_neighbours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

namespace scalestyle::ranking {

namespace {

// Weights are added as whole multiples of 2⁻³²: whole numbers add up to the same in any order, so neither the order of the
// purchases nor how customers are numbered can show in a score. Each is at most 1, of at most 2³²−1 customers: no sum overflows.
constexpr double kUnit = 4294967296.0;

constexpr std::size_t kMaxPerItem = 1'000;
constexpr double kMaxShrinkage = 1e6;
constexpr double kMaxHalfLifeDays = 36'500;
constexpr std::size_t kMaxCustomerItems = 10'000;

bool before(const ItemPurchase& a, const ItemPurchase& b) {
  if (a.customer != b.customer) return a.customer < b.customer;
  return a.item != b.item ? a.item < b.item : a.day < b.day;
}

bool is_better(const Neighbour& a, const Neighbour& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; }

// The distance of two days; days of any 32 bits.
std::uint32_t distance(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint32_t>(std::abs(static_cast<std::int64_t>(a) - b));
}

// The purchases that count: by customer, item and day, none twice, customers numbered from 0 without gaps.
struct Baskets {
  std::vector<ItemPurchase> purchases;
  std::vector<std::uint32_t> begins;  // of each customer's purchases, and their end
  std::vector<std::uint16_t> items;   // distinct items of each customer, at most kMaxCustomerItems
  std::int32_t first_day = 0;
  std::int32_t last_day = 0;
};

class BasketMaker {
 public:
  BasketMaker(std::vector<ItemPurchase> purchases, std::size_t max_items)
      : max_items_(max_items) { made_.purchases = std::move(purchases); }

  Baskets make() {
    auto& all = made_.purchases;
    std::ranges::sort(all, before);  // in place: another array of 30 million would be the peak
    std::size_t kept = 0;
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t end = begin;
      while (end < all.size() && all[end].customer == all[begin].customer) ++end;
      kept = keep_customer(begin, end, kept);
      begin = end;
    }
    all.resize(kept);
    made_.begins.push_back(static_cast<std::uint32_t>(kept));
    if (kept > 0) {
      const auto [first, last] = std::ranges::minmax(all, {}, &ItemPurchase::day);
      made_.first_day = first.day;
      made_.last_day = last.day;
    }
    return std::move(made_);
  }

 private:
  struct Last {
    std::int32_t day = 0;
    std::uint32_t item = 0;
  };

  // Moves what counts of the customer's purchases [begin, end) to `to`; returns where it ends.
  std::size_t keep_customer(std::size_t begin, std::size_t end, std::size_t to) {
    auto& all = made_.purchases;
    lasts_.clear();
    for (std::size_t i = begin; i < end; ++i) {
      if (lasts_.empty() || lasts_.back().item != all[i].item) lasts_.push_back({all[i].day, all[i].item});
      lasts_.back().day = all[i].day;  // days rise
    }
    if (lasts_.size() > max_items_) {
      const auto newer = [](const Last& a, const Last& b) { return a.day != b.day ? a.day > b.day : a.item < b.item; };
      std::ranges::nth_element(lasts_, lasts_.begin() + static_cast<std::ptrdiff_t>(max_items_), newer);
      lasts_.resize(max_items_);
      std::ranges::sort(lasts_, {}, &Last::item);
    }
    const auto customer = static_cast<std::uint32_t>(made_.begins.size());
    made_.begins.push_back(static_cast<std::uint32_t>(to));
    made_.items.push_back(static_cast<std::uint16_t>(lasts_.size()));
    const std::size_t first = to;
    auto counts = lasts_.begin();
    for (std::size_t i = begin; i < end; ++i) {
      const ItemPurchase bought = all[i];
      while (counts != lasts_.end() && counts->item < bought.item) ++counts;
      if (counts == lasts_.end() || counts->item != bought.item) continue;
      if (to > first && all[to - 1].item == bought.item && all[to - 1].day == bought.day) continue;
      all[to++] = {customer, bought.item, bought.day};
    }
    return to;
  }

  const std::size_t max_items_;
  Baskets made_;
  std::vector<Last> lasts_;
};

// For each item where the purchases of its customers begin: begins[item] … begins[item + 1] of `runs`, which are places in
// Baskets::purchases.
struct Buyers {
  std::vector<std::uint32_t> begins;
  std::vector<std::uint32_t> runs;
};

bool begins_run(const std::vector<ItemPurchase>& purchases, std::size_t i) {
  return i == 0 || purchases[i - 1].customer != purchases[i].customer || purchases[i - 1].item != purchases[i].item;
}

Buyers count_buyers(const Baskets& baskets, std::size_t items) {
  Buyers buyers;
  buyers.begins.assign(items + 1, 0);
  const auto& all = baskets.purchases;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (begins_run(all, i)) ++buyers.begins[all[i].item + 1];
  }
  for (std::size_t item = 0; item < items; ++item) buyers.begins[item + 1] += buyers.begins[item];
  buyers.runs.resize(buyers.begins[items]);
  std::vector<std::uint32_t> next(buyers.begins.begin(), buyers.begins.end() - 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (begins_run(all, i)) buyers.runs[next[all[i].item]++] = static_cast<std::uint32_t>(i);
  }
  return buyers;
}

class NeighbourFinder {
 public:
  NeighbourFinder(const Baskets& baskets, std::size_t items, const NeighbourOptions& options)
      : baskets_(baskets), options_(options), buyers_(count_buyers(baskets, items)), sums_(items), totals_(items) {
    weights_.push_back(0);  // no customer has no item
    for (std::size_t count = 1; count <= options.max_customer_items; ++count) {
      weights_.push_back(kUnit / (1 + std::log(static_cast<double>(count))));
    }
    // What lies farther apart adds nothing: less than half a unit.
    const double reach = std::ceil(34 * options.half_life_days);
    const double days = std::min(static_cast<double>(distance(baskets.first_day, baskets.last_day)), reach);
    for (std::uint32_t apart = 0; apart <= static_cast<std::uint32_t>(days); ++apart) {
      decay_.push_back(std::exp2(-static_cast<double>(apart) / options.half_life_days));
    }
    for (std::uint32_t item = 0; item < items; ++item) {
      for (const std::uint32_t run : runs_of(item)) totals_[item] += units(weight_at(run));
    }
  }

  // Of one item, best first; valid until the next call.
  std::span<const Neighbour> find(std::uint32_t item) {
    for (const std::uint32_t run : runs_of(item)) add_customer(run);
    found_.clear();
    for (const std::uint32_t other : touched_) {
      const float score = score_of(item, other);
      sums_[other] = 0;
      if (other != item && score > 0 && static_cast<double>(score) >= options_.min_score) found_.push_back({other, score});
    }
    touched_.clear();
    const std::size_t count = std::min(found_.size(), options_.per_item);
    std::ranges::partial_sort(found_, found_.begin() + static_cast<std::ptrdiff_t>(count), is_better);
    return std::span(found_).first(count);
  }

 private:
  static std::uint64_t units(double weight) { return static_cast<std::uint64_t>(weight + 0.5); }

  [[nodiscard]] std::span<const std::uint32_t> runs_of(std::uint32_t item) const {
    return std::span(buyers_.runs).subspan(buyers_.begins[item], buyers_.begins[item + 1] - buyers_.begins[item]);
  }
  [[nodiscard]] double weight_at(std::uint32_t run) const {
    return weights_[baskets_.items[baskets_.purchases[run].customer]];
  }

  // Adds all items of the customer whose purchases of the wanted item begin at `run`.
  void add_customer(std::uint32_t run) {
    const auto& all = baskets_.purchases;
    const ItemPurchase& own = all[run];
    const std::uint32_t end = baskets_.begins[own.customer + 1];
    std::uint32_t own_end = run + 1;
    while (own_end < end && all[own_end].item == own.item) ++own_end;
    const double weight = weight_at(run);
    for (std::uint32_t i = baskets_.begins[own.customer]; i < end;) {
      const std::uint32_t other = all[i].item;
      std::uint32_t nearest = std::numeric_limits<std::uint32_t>::max();
      for (; i < end && all[i].item == other; ++i) {
        for (std::uint32_t mine = run; mine < own_end; ++mine) nearest = std::min(nearest, distance(all[i].day, all[mine].day));
      }
      if (nearest >= decay_.size()) continue;
      const std::uint64_t added = units(weight * decay_[nearest]);
      if (added == 0) continue;
      if (sums_[other] == 0) touched_.push_back(other);
      sums_[other] += added;
    }
  }

  [[nodiscard]] float score_of(std::uint32_t item, std::uint32_t other) const {
    const double norm = std::sqrt(static_cast<double>(totals_[item]) / kUnit * (static_cast<double>(totals_[other]) / kUnit));
    const double score = static_cast<double>(sums_[other]) / kUnit / (norm + options_.shrinkage);
    return static_cast<float>(std::min(score, 1.0));
  }

  const Baskets& baskets_;
  const NeighbourOptions& options_;
  const Buyers buyers_;
  std::vector<double> weights_;        // by the number of a customer's items, in units
  std::vector<double> decay_;          // by the days between two purchases
  std::vector<std::uint64_t> sums_;    // of the item looked at, by other item; all 0 between calls
  std::vector<std::uint64_t> totals_;  // n of each item, in units
  std::vector<std::uint32_t> touched_;
  std::vector<Neighbour> found_;
};

std::unexpected<core::Error> refuse(std::string message, std::string field = {}) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

}  // namespace

core::Status NeighbourOptions::validate() const {
  if (per_item < 1 || per_item > kMaxPerItem) {
    return refuse(fmt::format("the neighbours an item must be from 1 to {}", kMaxPerItem), "per_item");
  }
  if (!(shrinkage >= 0 && shrinkage <= kMaxShrinkage)) {
    return refuse(fmt::format("the shrinkage must be from 0 to {}", kMaxShrinkage), "shrinkage");
  }
  if (!(half_life_days > 0 && half_life_days <= kMaxHalfLifeDays)) {
    return refuse(fmt::format("the half-life must be above 0 and at most {} days", kMaxHalfLifeDays), "half_life_days");
  }
  if (max_customer_items < 2 || max_customer_items > kMaxCustomerItems) {
    return refuse(fmt::format("a customer's items must be from 2 to {}", kMaxCustomerItems), "max_customer_items");
  }
  if (!(min_score >= 0 && min_score <= 1)) return refuse("the least score must be from 0 to 1", "min_score");
  return {};
}

core::Result<ItemNeighbours> ItemNeighbours::make(std::vector<std::uint32_t> begins, std::vector<Neighbour> neighbours) {
  const bool is_empty = begins.empty() && neighbours.empty();
  if (!is_empty && (begins.empty() || begins.front() != 0 || begins.back() != neighbours.size())) {
    return refuse("the items' neighbours do not begin at 0 and end with the last one");
  }
  const std::size_t items = is_empty ? 0 : begins.size() - 1;
  std::vector<std::uint32_t> seen_for(items, std::numeric_limits<std::uint32_t>::max());
  for (std::uint32_t item = 0; item < items; ++item) {
    if (begins[item + 1] < begins[item] || begins[item + 1] > neighbours.size()) {
      return refuse(fmt::format("the neighbours of item {} end before they begin, or past the last one", item));
    }
    for (std::uint32_t i = begins[item]; i < begins[item + 1]; ++i) {
      const Neighbour& one = neighbours[i];
      if (one.item >= items || one.item == item || seen_for[one.item] == item) {
        return refuse(fmt::format("item {} has the neighbour {}, which is itself, there twice or no item", item, one.item));
      }
      seen_for[one.item] = item;
      if (!(one.score > 0 && one.score <= 1)) {
        return refuse(fmt::format("item {} has the neighbour {} with the score {}", item, one.item, one.score));
      }
      if (i > begins[item] && !is_better(neighbours[i - 1], one)) {
        return refuse(fmt::format("the neighbours of item {} are not by score, then item", item));
      }
    }
  }
  ItemNeighbours made;
  made.begins_ = std::move(begins);
  made.neighbours_ = std::move(neighbours);
  return made;
}

std::size_t ItemNeighbours::memory_bytes() const {
  return begins_.capacity() * sizeof(std::uint32_t) + neighbours_.capacity() * sizeof(Neighbour);
}

core::Result<ItemNeighbours> build_item_neighbours(std::vector<ItemPurchase> purchases, std::size_t items,
                                                   const NeighbourOptions& options) {
  CORE_CHECK(options.validate());
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (items >= kMost) return refuse(fmt::format("{} items; there may be at most {}", items, kMost - 1));
  if (purchases.size() > kMost) return refuse(fmt::format("{} purchases; there may be at most {}", purchases.size(), kMost));
  for (const ItemPurchase& purchase : purchases) {
    if (purchase.item >= items) return refuse(fmt::format("a purchase of item {}; there are {} items", purchase.item, items));
  }
  std::vector<std::uint32_t> begins{0};
  begins.reserve(items + 1);
  std::vector<Neighbour> neighbours;
  {
    const Baskets baskets = BasketMaker(std::move(purchases), options.max_customer_items).make();
    NeighbourFinder finder(baskets, items, options);
    for (std::uint32_t item = 0; item < items; ++item) {
      const auto found = finder.find(item);
      if (neighbours.size() + found.size() > kMost) {
        return core::fail(core::ErrorCode::kResourceExhausted,
                          fmt::format("more than {} neighbours; ask for fewer an item", kMost));
      }
      neighbours.insert(neighbours.end(), found.begin(), found.end());
      begins.push_back(static_cast<std::uint32_t>(neighbours.size()));
    }
  }
  neighbours.shrink_to_fit();
  return ItemNeighbours::make(std::move(begins), std::move(neighbours));
}

core::Result<ItemNeighbours> renumbered(const ItemNeighbours& neighbours, std::span<const std::uint32_t> numbers,
                                        std::size_t items) {
  if (numbers.size() != neighbours.size()) {
    return refuse(fmt::format("{} new numbers for {} items", numbers.size(), neighbours.size()));
  }
  std::vector<std::uint32_t> old_of(items, kNoItem);
  for (std::uint32_t old = 0; old < numbers.size(); ++old) {
    if (numbers[old] == kNoItem) continue;
    if (numbers[old] >= items || old_of[numbers[old]] != kNoItem) {
      return refuse(fmt::format("item {} gets the number {}, which another has or is not below {}", old, numbers[old], items));
    }
    old_of[numbers[old]] = old;
  }
  std::vector<std::uint32_t> begins{0};
  begins.reserve(items + 1);
  std::vector<Neighbour> moved;
  moved.reserve(neighbours.all().size());
  for (const std::uint32_t old : old_of) {
    const auto first = static_cast<std::ptrdiff_t>(moved.size());
    if (old != kNoItem) {
      for (const Neighbour& one : neighbours.of(old)) {
        if (numbers[one.item] != kNoItem) moved.push_back({numbers[one.item], one.score});
      }
    }
    const auto added = std::ranges::subrange(moved.begin() + first, moved.end());
    if (!std::ranges::is_sorted(added, is_better)) std::ranges::sort(added, is_better);
    begins.push_back(static_cast<std::uint32_t>(moved.size()));
  }
  return ItemNeighbours::make(std::move(begins), std::move(moved));
}

}  // namespace scalestyle::ranking
