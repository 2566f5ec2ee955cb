// What a learned ranker costs for one list: the trees alone, and features and trees of a list with a history.
//   ranker_bench [Google Benchmark's flags]
// Trees are full and random, the rows too, a tenth of the values missing: no branch can be guessed. Sums are compared with the
// trees
// walked one by one; exit status 1 when one differs.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "ranking/ranker.hpp"

namespace scalestyle::ranking {
namespace {

constexpr std::size_t kCandidates = 300;

std::vector<TreeNode> full_tree(std::size_t depth, std::mt19937& random) {
  std::uniform_real_distribution<float> values(0, 1);
  std::vector<TreeNode> nodes((std::size_t{2} << depth) - 1);
  const std::size_t splits = (std::size_t{1} << depth) - 1;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].value = values(random);
    if (i >= splits) continue;
    nodes[i].left = static_cast<std::uint32_t>(2 * i + 1);
    nodes[i].feature = static_cast<std::uint16_t>(random() % kRankerFeatureCount);
    nodes[i].missing_left = random() % 2 == 0;
  }
  return nodes;
}

TreeEnsemble random_trees(std::size_t count, std::size_t depth) {
  std::mt19937 random(1);
  std::vector<std::vector<TreeNode>> trees;
  for (std::size_t i = 0; i < count; ++i) trees.push_back(full_tree(depth, random));
  return TreeEnsemble::make(trees, kRankerFeatureCount, 0).value();
}

std::vector<float> random_rows() {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> values(0, 1);
  std::vector<float> rows(kCandidates * kRankerFeatureCount);
  for (float& value : rows) value = random() % 10 == 0 ? std::numeric_limits<float>::quiet_NaN() : values(random);
  return rows;
}

bool sums_are_right() {
  const TreeEnsemble trees = random_trees(50, 6);
  const auto rows = random_rows();
  const auto sums = trees.sums(rows);
  for (std::size_t row = 0; row < kCandidates; ++row) {
    float sum = 0;
    for (std::size_t number = 0; number < trees.trees(); ++number) {
      const auto nodes = trees.tree(number);
      std::size_t at = 0;
      while (nodes[at].left != 0) {
        const float value = rows[row * kRankerFeatureCount + nodes[at].feature];
        const bool left = std::isnan(value) ? nodes[at].missing_left : value < nodes[at].value;
        at = nodes[at].left + (left ? 0U : 1U);
      }
      sum += nodes[at].value;
    }
    if (sum != sums[row]) return false;
  }
  return true;
}

// Arguments: trees, depth.
void trees_alone(benchmark::State& state) {
  const TreeEnsemble trees = random_trees(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
  const auto rows = random_rows();
  for (auto _ : state) benchmark::DoNotOptimize(trees.sums(rows));
}
BENCHMARK(trees_alone)->Args({50, 3})->Args({300, 3})->Args({500, 5})->Args({500, 8})->Unit(benchmark::kMicrosecond);

// Argument: candidates.
void whole_score(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  catalog::CatalogBuilder builder;
  for (std::uint32_t i = 0; i < count; ++i) {
    catalog::Article article{.id = catalog::ArticleId::parse(std::to_string(i + 1)).value()};
    article.product_code = std::to_string(i / 3);
    article.price = 1 + i;
    if (!builder.add(article)) return state.SkipWithError("the catalogue cannot be made");
  }
  const catalog::Catalog articles = std::move(builder).build().value();
  std::mt19937 random(3);
  Candidates candidates;
  for (std::uint32_t row = 0; row < count; ++row) {
    candidates.rows.push_back({row});
    candidates.scores.push_back({});
    for (float& score : candidates.scores.back()) score = static_cast<float>(1 + random() % 1'000) / 1'000;
  }
  std::vector<SubjectItem> items;
  for (std::uint32_t i = 0; i < 100; ++i) items.push_back({.row = {i * 3 % count}, .age_days = static_cast<float>(i), .weight = 5});
  const std::vector<CandidatePopularity> popularity(count, {5, 10, 20});
  const Ranker ranker{.id = "bench", .trees = random_trees(300, 3), .weights = ForYouOptions::default_weights()};
  for (auto _ : state) {
    benchmark::DoNotOptimize(ranker.score(candidates, {.articles = &articles, .items = items, .popularity = popularity}));
  }
}
BENCHMARK(whole_score)->Arg(300)->Arg(1'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace scalestyle::ranking

int main(int argc, char** argv) {
  if (!scalestyle::ranking::sums_are_right()) {
    fmt::print(stderr, "the trees' sums are wrong\n");
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
