// Item-to-item neighbours: the time and memory that all of them take, on one thread.
//   neighbours_bench [--transactions FILE | --synthetic N] [--check ITEMS] [--days-half-life D] [--seed S] [--json]
// FILE is a transactions CSV or Parquet file, by default that below $SCALESTYLE_SHARED/data/hm (or ../shared); nothing is
// measured without it. --synthetic makes N purchases instead: one customer for 23 purchases, as many items as a large shop has
// (105,542, or a tenth of N where that is less), baskets of one to eight items on one day of two years, both customers and
// items by Zipf's law (exponents 0.6 and 0.8), a customer's items half from a section of a hundredth of the items.
// Reading and building are timed apart, the peak of resident memory is the process's. ITEMS items (100) drawn at random are
// compared with the definition, computed from a map of each customer's days. Exit status 1 when one differs.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench_support.hpp"
#include "catalog/purchase_reader.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::ranking {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchOptions {
  std::filesystem::path transactions;
  std::size_t synthetic = 0;  // purchases; 0: the file
  std::size_t check = 100;
  bool json = false;  // the figures once more, as the last line
  std::uint64_t seed = 1;
  NeighbourOptions neighbours{};
};

struct Input {
  std::vector<ItemPurchase> purchases;
  std::size_t customers = 0;
  std::size_t items = 0;
};

core::Result<BenchOptions> parse(int argc, char** argv) {
  const char* const shared = std::getenv("SCALESTYLE_SHARED");
  const std::filesystem::path folder = std::filesystem::path(shared != nullptr ? shared : "../shared") / "data" / "hm";
  BenchOptions options{.transactions = {}};
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--json") {
      options.json = true;
      --i;  // it has no value
      continue;
    }
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* const value = argv[i + 1];
    if (name == "--transactions") {
      options.transactions = value;
    } else if (name == "--synthetic") {
      options.synthetic = std::strtoull(value, nullptr, 10);
    } else if (name == "--check") {
      options.check = std::strtoull(value, nullptr, 10);
    } else if (name == "--days-half-life") {
      options.neighbours.half_life_days = std::strtod(value, nullptr);
    } else if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (options.synthetic == 0 && options.transactions.empty()) {
    for (const char* const file : {"transactions.parquet", "transactions.csv", "transactions_train.csv"}) {
      if (std::filesystem::exists(folder / file)) options.transactions = folder / file;
    }
    if (options.transactions.empty()) {
      fmt::print("nothing to measure: no transactions in {}\n", folder.string());
      std::exit(0);
    }
  }
  return options;
}

double seconds_since(SteadyClock::time_point begin) { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); }

std::size_t peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) >> 10;
}

// Draws 0 … size−1 with a probability that falls as rank^−exponent, by inverting the integral.
class Zipf {
 public:
  Zipf(std::size_t size, double exponent)
      : size_(static_cast<double>(size)), power_(1 - exponent), whole_(std::pow(size_ + 1, power_) - 1) {}
  std::uint32_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<double>(0, 1)(random) * whole_;
    return static_cast<std::uint32_t>(std::clamp(std::pow(at + 1, 1 / power_) - 1, 0.0, size_ - 1));
  }

 private:
  double size_;
  double power_;
  double whole_;
};

Input make_synthetic(std::size_t count, std::uint64_t seed) {
  Input input;
  input.customers = std::max<std::size_t>(1, count / 23);
  input.items = std::min<std::size_t>(105'542, std::max<std::size_t>(100, count / 10));
  const std::size_t section = input.items / 100;
  std::mt19937_64 random(seed);
  const Zipf customers(input.customers, 0.6);
  const Zipf items(input.items, 0.8);
  const Zipf in_section(section, 0.8);
  input.purchases.reserve(count);
  while (input.purchases.size() < count) {
    const std::uint32_t customer = customers(random);
    const auto day = static_cast<std::int32_t>(random() % 730);
    const std::size_t basket = std::min<std::size_t>(1 + std::min(random() % 8, random() % 8), count - input.purchases.size());
    const auto home = static_cast<std::uint32_t>(customer % 100 * section);
    for (std::size_t i = 0; i < basket; ++i) {
      const std::uint32_t item = random() % 2 == 0 ? items(random) : home + in_section(random);
      input.purchases.push_back({customer, item, day});
    }
  }
  return input;
}

core::Result<Input> read_file(const std::filesystem::path& path) {
  CORE_TRY(const auto read, catalog::read_purchases(path, {}, {}));
  Input input{.purchases = {}, .customers = read.customers.size(), .items = read.articles.size()};
  input.purchases.reserve(read.purchases.size());
  for (const auto& one : read.purchases) {
    input.purchases.push_back({one.customer, one.article, static_cast<std::int32_t>(one.day.time_since_epoch().count())});
  }
  return input;
}

// The definition for some items, from what their customers bought and how many customers each item has.
class Definition {
 public:
  using Days = std::map<std::uint32_t, std::set<std::int32_t>>;

  Definition(const std::vector<ItemPurchase>& purchases, std::set<std::uint32_t> wanted, const NeighbourOptions& options)
      : options_(options) {
    std::set<std::uint32_t> customers;
    for (const ItemPurchase& one : purchases) {
      if (wanted.contains(one.item)) customers.insert(one.customer);
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> all;  // of everybody: the total weight of an item needs them
    all.reserve(purchases.size());
    for (const ItemPurchase& one : purchases) {
      all.emplace_back(one.customer, one.item);
      if (customers.contains(one.customer)) bought_[one.customer][one.item].insert(one.day);
    }
    std::ranges::sort(all);
    const auto [first, last] = std::ranges::unique(all);
    all.erase(first, last);
    for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
      while (end < all.size() && all[end].first == all[begin].first) ++end;
      if (end - begin > options.max_customer_items) capped_.insert(all[begin].first);
      const double weight = weight_of(std::min(end - begin, options.max_customer_items));
      for (std::size_t i = begin; i < end; ++i) totals_[all[i].second] += weight;
    }
    correct_capped(purchases);
  }

  [[nodiscard]] std::map<std::uint32_t, double> of(std::uint32_t item) const {
    std::map<std::uint32_t, double> sums;
    for (const auto& [customer, days] : bought_) {
      const auto own = days.find(item);
      if (own == days.end()) continue;
      for (const auto& [other, others] : days) {
        if (other == item) continue;
        int nearest = 1 << 30;
        for (const int a : own->second) {
          for (const int b : others) nearest = std::min(nearest, std::abs(a - b));
        }
        sums[other] += weight_of(days.size()) * std::exp2(-nearest / options_.half_life_days);
      }
    }
    for (auto& [other, sum] : sums) sum /= std::sqrt(totals_.at(item) * totals_.at(other)) + options_.shrinkage;
    return sums;
  }

 private:
  static double weight_of(std::size_t items) { return 1 / (1 + std::log(static_cast<double>(items))); }

  // A customer's items beyond the newest do not count.
  void correct_capped(const std::vector<ItemPurchase>& purchases) {
    std::unordered_map<std::uint32_t, Days> days;
    for (const ItemPurchase& one : purchases) {
      if (capped_.contains(one.customer)) days[one.customer][one.item].insert(one.day);
    }
    for (const auto& [customer, items] : days) {
      std::vector<std::pair<int, std::uint32_t>> newest;
      for (const auto& [item, of_item] : items) newest.emplace_back(-*of_item.rbegin(), item);
      std::ranges::sort(newest);
      const auto seen = bought_.find(customer);
      for (std::size_t i = options_.max_customer_items; i < newest.size(); ++i) {
        totals_[newest[i].second] -= weight_of(options_.max_customer_items);
        if (seen != bought_.end()) seen->second.erase(newest[i].second);
      }
    }
  }

  NeighbourOptions options_;
  std::unordered_map<std::uint32_t, Days> bought_;
  std::set<std::uint32_t> capped_;
  std::unordered_map<std::uint32_t, double> totals_;
};

core::Status check(const ItemNeighbours& found, const Definition& definition, std::uint32_t item, const NeighbourOptions& options) {
  constexpr double kRounding = 2e-6;
  auto wanted = definition.of(item);
  const auto neighbours = found.of(item);
  const auto wrong = [item](std::uint32_t other, double is, double should) {
    return core::fail(core::ErrorCode::kInternal, fmt::format("item {}, neighbour {}: {} instead of {}", item, other, is, should));
  };
  for (const Neighbour& one : neighbours) {
    const double should = wanted.contains(one.item) ? wanted[one.item] : 0;
    if (std::abs(static_cast<double>(one.score) - should) > kRounding) return wrong(one.item, one.score, should);
    wanted.erase(one.item);
  }
  const bool full = neighbours.size() == options.per_item;
  const double least = full ? static_cast<double>(neighbours.back().score) : options.min_score;
  for (const auto& [other, score] : wanted) {
    if (score > least + kRounding) return wrong(other, 0, score);
  }
  return {};
}

core::Status run(const BenchOptions& options) {
  const auto started = SteadyClock::now();
  Input input;
  if (options.synthetic > 0) {
    input = make_synthetic(options.synthetic, options.seed);
  } else {
    CORE_TRY(input, read_file(options.transactions));
  }
  fmt::print("{} purchases of {} customers and {} items, {} in {:.2f} s, peak {} MB\n", input.purchases.size(), input.customers,
             input.items, options.synthetic > 0 ? "made" : "read", seconds_since(started), peak_megabytes());

  std::mt19937_64 random(options.seed + 1);
  std::set<std::uint32_t> sample;
  while (sample.size() < std::min(options.check, input.items)) sample.insert(static_cast<std::uint32_t>(random() % input.items));
  // Before the build, which uses the purchases up; but the peak of memory is the build's where nothing is checked.
  std::optional<Definition> definition;
  if (!sample.empty()) definition.emplace(input.purchases, sample, options.neighbours);

  const std::size_t purchases = input.purchases.size();
  const auto building = SteadyClock::now();
  CORE_TRY(const auto found, build_item_neighbours(std::move(input.purchases), input.items, options.neighbours));
  const double seconds = seconds_since(building);
  fmt::print("{} neighbours in {:.2f} s, {:.1f} MB; peak of the process {} MB{}\n", found.all().size(), seconds,
             static_cast<double>(found.memory_bytes()) / 1e6, peak_megabytes(), sample.empty() ? "" : ", the check included");
  if (options.json) {
    fmt::print(R"({{"purchases":{},"items":{},"neighbours":{},"build_s":{:.4f},"memory_mb":{:.3f},"peak_mb":{}}})"
               "\n",
               purchases, input.items, found.all().size(), seconds, static_cast<double>(found.memory_bytes()) / 1e6, peak_megabytes());
  }
  std::size_t compared = 0;
  for (const std::uint32_t item : sample) {
    CORE_CHECK(check(found, *definition, item, options.neighbours));
    compared += found.of(item).size();
  }
  if (!sample.empty()) fmt::print("{} items with {} neighbours are what the definition says\n", sample.size(), compared);
  return {};
}

}  // namespace
}  // namespace scalestyle::ranking

int main(int argc, char** argv) {
  return scalestyle::bench::run_program("neighbours_bench", scalestyle::ranking::parse(argc, argv), scalestyle::ranking::run);
}
