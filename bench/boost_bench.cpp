// BehaviorBoost and the popularity board: what a request pays for them. Every answer is checked first, against the formula
// or a sort of everything; exit status 1 when one differs.
//   boost_bench [Google Benchmark's options]
// Take the least of several repetitions on a busy machine: --benchmark_repetitions=10 --benchmark_report_aggregates_only

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "ranking/behavior_boost.hpp"
#include "recommend/popularity_board.hpp"

namespace scalestyle {
namespace {

constexpr std::size_t kArticles = 105'542;
constexpr events::EpochMs kNowMs = 1'772'366'400'000;

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "boost_bench: {}\n", what);
  std::exit(1);
}

void require(bool holds, const std::string& what) {
  if (!holds) give_up(what);
}

std::string article_id(std::size_t number) { return fmt::format("{:010}", 1'000 + number); }

// A served catalogue in which `active` articles had events in every window.
struct Served {
  std::unique_ptr<recommend::PopularityBoard> board;
  ports::PopularityChanges changes;
};

Served make_served(std::size_t active) {
  catalog::CatalogBuilder builder;
  std::mt19937_64 random(5);
  for (std::size_t i = 0; i < kArticles; ++i) {
    catalog::Article article{catalog::ArticleId::parse(article_id(i)).value(), article_id(i).substr(0, 7), "name"};
    article.purchase_count = random() % 1'000;
    if (!builder.add(article)) give_up("an article was refused");
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  Served served{std::make_unique<recommend::PopularityBoard>(std::move(snapshot), recommend::PopularityBoardOptions{}), {}};
  served.changes.complete = true;
  served.changes.version = 1;
  std::vector<std::size_t> numbers(kArticles);
  for (std::size_t i = 0; i < kArticles; ++i) numbers[i] = i;
  std::ranges::shuffle(numbers, random);
  for (std::size_t i = 0; i < active; ++i) {
    events::ItemPopularity item{.item_id = article_id(numbers[i])};
    item.windows = {static_cast<double>(random() % 50), static_cast<double>(random() % 200), 1 + static_cast<double>(random() % 900)};
    item.global = {.value = static_cast<double>(1 + random() % 500), .time_ms = kNowMs - static_cast<events::EpochMs>(random() % 200'000'000)};
    served.changes.items.push_back(std::move(item));
  }
  require(served.board->take(served.changes, 0, kNowMs), "the board did not take a complete answer");
  return served;
}

// A pool as a request has it: rows in the order of their base scores.
struct Pool {
  std::vector<catalog::RowIndex> rows;
  std::vector<double> base_scores;
  std::vector<std::uint8_t> recent_clicks;
  std::vector<double> affinities;
  recommend::WindowLogs logs;

  Pool(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> unit(0.5, 1);
    for (std::size_t i = 0; i < size; ++i) {
      rows.push_back({static_cast<std::uint32_t>(random() % kArticles)});
      base_scores.push_back(unit(random));
      recent_clicks.push_back(random() % 20 == 0 ? 1 : 0);
      affinities.push_back(random() % 3 == 0 ? 8 * (unit(random) - 0.5) : 0);
    }
    std::ranges::sort(base_scores, std::greater{});
  }
  [[nodiscard]] ranking::BoostCandidates candidates() const {
    return {.rows = rows, .base_scores = base_scores, .recent_clicks = recent_clicks, .affinities = affinities, .window_logs = logs.spans()};
  }
};

void check(const Pool& pool, const recommend::PopularityBoard& board, const ranking::BoostedList& list) {
  std::array<double, 3> greatest{50, 50, 50};
  const auto sum = [&](std::size_t i, std::size_t w) { return board.window_sum(static_cast<events::Window>(w), pool.rows[i]); };
  for (std::size_t i = 0; i < pool.rows.size(); ++i) {
    for (std::size_t w = 0; w < 3; ++w) greatest[w] = std::max(greatest[w], sum(i, w));
  }
  constexpr std::array<double, 3> kWeights{0.20, 0.10, 0.05};
  for (std::size_t i = 0; i < pool.rows.size(); ++i) {
    double popularity = 1;
    for (std::size_t w = 0; w < 3; ++w) popularity += kWeights[w] * std::log(1 + sum(i, w)) / std::log(1 + greatest[w]);
    const double category = 1 + 0.2 * pool.affinities[i] / (pool.affinities[i] + 1);
    const double expected = pool.base_scores[i] * std::min(3.0, (pool.recent_clicks[i] != 0 ? 1.5 : 1.0) * category * popularity);
    require(std::abs(expected - list.scores[i]) < 1e-12, fmt::format("candidate {}: {} instead of {}", i, list.scores[i], expected));
  }
  for (std::size_t i = 1; i < list.order.size(); ++i) {
    require(list.scores[list.order[i - 1]] >= list.scores[list.order[i]], "the order is wrong");
  }
}

const Served& busy_shop() {
  static const Served served = make_served(20'000);
  return served;
}
const Served& everything_hot() {
  static const Served served = make_served(kArticles);
  return served;
}

// A request meets a pool that the last one did not have: sixteen take turns, or the processor would learn the sort.
std::vector<Pool> different_pools(std::size_t size) {
  std::vector<Pool> pools;
  for (std::uint64_t seed = 0; seed < 16; ++seed) pools.emplace_back(size, seed);
  return pools;
}

// Gather the window sums of the pool, boost, order: all that happens to a list once the shopper's features are known.
void gather_and_boost(benchmark::State& state) {
  const auto& board = *busy_shop().board;
  auto pools = different_pools(static_cast<std::size_t>(state.range(0)));
  const ranking::BehaviorBoost boost({});
  ranking::BoostedList list;
  const auto run = [&](Pool& pool) {
    board.gather(pool.rows, pool.logs);
    boost.apply(pool.candidates(), list);
    benchmark::DoNotOptimize(list.order.data());
  };
  for (Pool& pool : pools) {
    run(pool);
    check(pool, board, list);
  }
  std::size_t turn = 0;
  for (auto _ : state) run(pools[turn++ % pools.size()]);
}
BENCHMARK(gather_and_boost)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);

void order_alone(benchmark::State& state) {
  auto pools = different_pools(static_cast<std::size_t>(state.range(0)));
  const ranking::BehaviorBoost boost({});
  std::vector<ranking::BoostedList> lists(pools.size());
  for (std::size_t i = 0; i < pools.size(); ++i) {
    busy_shop().board->gather(pools[i].rows, pools[i].logs);
    boost.apply(pools[i].candidates(), lists[i]);
    check(pools[i], *busy_shop().board, lists[i]);
  }
  std::size_t turn = 0;
  for (auto _ : state) {
    const std::size_t i = turn++ % pools.size();
    ranking::order_by_score(lists[i].scores, pools[i].rows, lists[i].order);
    benchmark::DoNotOptimize(lists[i].order.data());
  }
}
BENCHMARK(order_alone)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);

catalog::Bitmap every(std::size_t step) {
  catalog::Bitmap rows(kArticles);
  for (std::uint32_t row = 0; row < kArticles; row += static_cast<std::uint32_t>(step)) rows.set({row});
  return rows;
}

void check_top(const recommend::PopularityBoard& board, const catalog::Bitmap* eligible, const recommend::PopularRows& top,
               recommend::PopularityTier tier) {
  std::vector<recommend::PopularRow> all;
  for (std::uint32_t row = 0; row < kArticles; ++row) {
    if (eligible != nullptr && !eligible->test({row})) continue;
    const double popularity = tier == recommend::PopularityTier::kGlobal ? board.global({row}, kNowMs)
                                                                         : board.window_sum(events::Window::k24h, {row});
    if (popularity > 0) all.push_back({{row}, popularity});
  }
  std::ranges::sort(all, [](const auto& a, const auto& b) { return a.popularity != b.popularity ? a.popularity > b.popularity : a.row < b.row; });
  require(top.matching == all.size(), "the number of popular rows is wrong");
  all.resize(std::min(all.size(), top.rows.size()));
  require(all == top.rows, "the popular rows are wrong");
}

// A trending list: the whole catalogue, or the rows that a filter leaves.
void top_rows(benchmark::State& state, const Served& served, recommend::PopularityTier tier, std::size_t filter_step) {
  const auto limit = static_cast<std::size_t>(state.range(0));
  const catalog::Bitmap filter = every(std::max<std::size_t>(filter_step, 1));
  const catalog::Bitmap* const eligible = filter_step == 0 ? nullptr : &filter;
  check_top(*served.board, eligible, served.board->top(tier, eligible, limit, kNowMs), tier);
  for (auto _ : state) benchmark::DoNotOptimize(served.board->top(tier, eligible, limit, kNowMs).rows.data());
}
using recommend::PopularityTier;
BENCHMARK_CAPTURE(top_rows, day_busy_no_filter, busy_shop(), PopularityTier::k24h, 0)->Arg(10)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, day_busy_eighth, busy_shop(), PopularityTier::k24h, 8)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, day_busy_half, busy_shop(), PopularityTier::k24h, 2)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, day_all_hot_no_filter, everything_hot(), PopularityTier::k24h, 0)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, day_all_hot_full_filter, everything_hot(), PopularityTier::k24h, 1)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, global_no_filter, everything_hot(), PopularityTier::kGlobal, 0)->Arg(10)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, global_eighth, everything_hot(), PopularityTier::kGlobal, 8)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, global_half, everything_hot(), PopularityTier::kGlobal, 2)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(top_rows, global_full_filter, everything_hot(), PopularityTier::kGlobal, 1)->Arg(1'000)->Unit(benchmark::kMicrosecond);

// Ten changed articles, as one request at 200/s finds them after 2,000 events/s.
void take_ten_changes(benchmark::State& state) {
  Served served = make_served(100);
  ports::PopularityChanges changes = served.changes;
  changes.complete = false;
  changes.version = 2;
  changes.items.resize(10);
  require(served.board->take(changes, 1, kNowMs), "the board did not take small changes");
  for (auto _ : state) benchmark::DoNotOptimize(served.board->take(changes, 1, kNowMs));
}
BENCHMARK(take_ten_changes)->Unit(benchmark::kMicrosecond);

// A new bucket with every article of the catalogue in the store's answer; on a timer, beside requests.
void take_everything(benchmark::State& state) {
  Served served = make_served(kArticles);
  for (auto _ : state) benchmark::DoNotOptimize(served.board->take(served.changes, 0, kNowMs));
}
BENCHMARK(take_everything)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace scalestyle

BENCHMARK_MAIN();
