// Merchandising rules: what a request pays for finding those that act and for applying them to a pool of 2,000 rows, and
// what a change of the file or the generation costs. Effects are checked against the selectors first; exit status 1 when
// one differs.
//   rules_bench [Google Benchmark's options]

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"
#include "ranking/bound_rules.hpp"

namespace scalestyle {
namespace {

constexpr std::size_t kArticles = 105'542;
constexpr std::size_t kColours = 50;
constexpr std::size_t kPoolRows = 2'000;

void require(bool holds, const std::string& what) {
  if (holds) return;
  fmt::print(stderr, "rules_bench: {}\n", what);
  std::exit(1);
}

std::string colour(std::size_t number) { return fmt::format("Colour {}", number % kColours); }

const catalog::Catalog& shop() {
  static const catalog::Catalog articles = [] {
    catalog::CatalogBuilder builder;
    for (std::size_t i = 0; i < kArticles; ++i) {
      const std::string id = fmt::format("{:010}", 1'000 + i);
      catalog::Article article{.id = catalog::ArticleId::parse(id).value(), .product_code = id.substr(0, 9), .name = fmt::format("Name {}", i % 40'000)};
      article[catalog::Attribute::kColour] = colour(i);
      article.price = static_cast<double>(i % 100);
      require(builder.add(article).has_value(), "an article was refused");
    }
    return std::move(builder).build().value();
  }();
  return articles;
}

// Each rule is for a query of its own and for one that all have in part; every tenth acts on all.
std::shared_ptr<const ranking::RuleSet> rules(std::size_t count) {
  std::vector<ranking::Rule> list;
  for (std::size_t i = 0; i < count; ++i) {
    ranking::Rule rule{.id = fmt::format("rule-{}", i)};
    rule.on = {true, false, false};
    if (i % 10 != 0) rule.query.contains = {fmt::format("summer dress{}", i), fmt::format("dress {}", i)};
    ranking::RuleSelector selector;
    selector.filter[catalog::FilterField::kColour].push_back(colour(i));
    if (i % 2 == 0) selector.filter.price_max = 50;
    rule.boosts.push_back({selector, 1.2});
    rule.pins.push_back({.article_id = catalog::ArticleId::parse(fmt::format("{:010}", 1'000 + i * 7)).value(), .position = 1 + i % 100});
    list.push_back(std::move(rule));
  }
  auto set = ranking::RuleSet::compile(std::move(list));
  require(set.has_value(), "the rules were refused");
  return std::make_shared<const ranking::RuleSet>(std::move(*set));
}

struct Pool {
  std::vector<catalog::RowIndex> rows;
  std::vector<double> scores;

  Pool() {
    std::mt19937_64 random(3);
    for (std::size_t i = 0; i < kPoolRows; ++i) {
      rows.push_back({static_cast<std::uint32_t>(random() % kArticles)});
      scores.push_back(61.0 / static_cast<double>(61 + i));
    }
  }
};

constexpr std::string_view kQuery = "red summer dress 7 with long sleeves";

void check(const ranking::RuleEffects& effects, const ranking::RuleSet& set, const Pool& pool) {
  for (const catalog::RowIndex row : pool.rows) {
    double product = 1;
    for (const std::uint32_t rule : effects.rules()) {
      for (const ranking::RuleFactor& boost : set.rules()[rule].boosts) {
        const auto& filter = boost.selector.filter;
        const bool is_colour = filter[catalog::FilterField::kColour][0] == shop().row(row).colour();
        if (is_colour && shop().row(row).price() <= filter.price_max.value_or(1e9)) product *= boost.factor;
      }
    }
    require(std::abs(effects.factor(row) - std::min(product, ranking::kGreatestRuleFactor)) < 1e-9, "a factor is wrong");
  }
}

void find_rules(benchmark::State& state) {
  const auto set = rules(static_cast<std::size_t>(state.range(0)));
  const auto bound = ranking::BoundRules::bind(set, shop()).value();
  for (auto _ : state) {
    const auto words = ranking::RuleWords::of(kQuery).value();
    benchmark::DoNotOptimize(bound.match({.words = &words}, nullptr));
  }
}
BENCHMARK(find_rules)->Arg(10)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);

void apply_to_pool(benchmark::State& state) {
  const auto set = rules(static_cast<std::size_t>(state.range(0)));
  const auto bound = ranking::BoundRules::bind(set, shop()).value();
  const auto words = ranking::RuleWords::of(kQuery).value();
  const auto effects = bound.match({.words = &words}, nullptr);
  const Pool pool;
  check(effects, *set, pool);
  state.counters["acting"] = static_cast<double>(effects.rules().size());
  for (auto _ : state) benchmark::DoNotOptimize(ranking::apply_rules(effects, pool.rows, pool.scores));
}
BENCHMARK(apply_to_pool)->Arg(10)->Arg(100)->Arg(1'000)->Unit(benchmark::kMicrosecond);

void bind_to_a_generation(benchmark::State& state) {
  const auto set = rules(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) bytes = ranking::BoundRules::bind(set, shop()).value().memory_bytes();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(bind_to_a_generation)->Arg(10)->Arg(100)->Arg(1'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace scalestyle

BENCHMARK_MAIN();
