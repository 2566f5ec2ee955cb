// Search by words as the catalogue grows: building the index, memory, and the time of a query, over made-up articles.
//   growth_words_bench --articles FILE --rows N [--queries N] [--check N]
// Words are drawn from FILE, an articles table (growth/made_up_products.hpp). Queries are 1–6 neighbouring words of the made-up
// articles, the 100 best asked for, over all of them and over 12 %; a query's time is the best of three, plan included, on one
// thread. Prints one line of JSON. The answers to --check queries (5) are compared with scoring every row: exit status 1 when one differs.

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench_support.hpp"
#include "catalog/catalog.hpp"
#include "growth/made_up_products.hpp"
#include "growth/memory_figures.hpp"
#include "lexical_queries.hpp"
#include "retrieval/lexical_index.hpp"
#include "vector_queries.hpp"

namespace scalestyle::retrieval {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kBest = 100;
constexpr std::size_t kRounds = 3;
constexpr double kEligibleShare = 0.12;

struct BenchOptions {
  std::string articles;
  std::size_t rows = 0;
  std::size_t queries = 1000;
  std::size_t check = 5;
};

double seconds_since(SteadyClock::time_point begin) { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); }

core::Result<BenchOptions> parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* value = argv[i + 1];
    if (name == "--articles") {
      options.articles = value;
    } else if (name == "--rows") {
      options.rows = std::strtoull(value, nullptr, 10);
    } else if (name == "--queries") {
      options.queries = std::strtoull(value, nullptr, 10);
    } else if (name == "--check") {
      options.check = std::strtoull(value, nullptr, 10);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (options.articles.empty() || options.rows < 100 || options.queries < 1) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--articles FILE and --rows N (100 or more) are needed");
  }
  return options;
}

core::Result<catalog::Catalog> make_catalogue(const BenchOptions& options) {
  CORE_TRY(const catalog::Catalog base, bench::read_catalogue(options.articles));
  CORE_TRY(const bench::MadeUpProducts products, bench::MadeUpProducts::learn(base));
  return products.make(options.rows);
}

catalog::Bitmap some_rows(std::size_t rows) {
  const std::vector<std::uint64_t> words = bench::bitmap_of(rows, kEligibleShare);
  catalog::Bitmap bitmap(rows);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if ((words[row / 64] >> (row % 64) & 1U) != 0) bitmap.set({row});
  }
  return bitmap;
}

struct Searched {
  std::vector<double> times_ms;  // ascending
  bool is_good = true;
};

bool is_right(const LexicalIndex& index, const LexicalPlan& plan, const catalog::Bitmap* eligible, std::size_t rows,
              const std::vector<LexicalHit>& hits) {
  std::vector<LexicalHit> truth;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (eligible != nullptr && !eligible->test({row})) continue;
    const float score = index.score(plan, {row});
    const bool named = std::ranges::find(plan.named_rows, catalog::RowIndex{row}) != plan.named_rows.end();
    if (score > 0) truth.push_back({{row}, score, named});
  }
  std::ranges::stable_sort(truth, std::greater<>(), &LexicalHit::score);
  truth.resize(std::min(kBest, truth.size()));
  return truth == hits;
}

core::Result<Searched> search_all(const LexicalIndex& index, const std::vector<std::string>& queries, const catalog::Bitmap* eligible,
                                  const BenchOptions& options) {
  Searched searched;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    double best = 1e9;
    LexicalResult result;
    for (std::size_t round = 0; round < kRounds; ++round) {
      const auto begin = SteadyClock::now();
      CORE_TRY(const LexicalPlan plan, index.plan(queries[i], nullptr, {}));
      result = index.search(plan, eligible, kBest);
      best = std::min(best, 1e3 * seconds_since(begin));
    }
    searched.times_ms.push_back(best);
    if (i >= options.check) continue;
    CORE_TRY(const LexicalPlan plan, index.plan(queries[i], nullptr, {}));
    if (is_right(index, plan, eligible, options.rows, result.hits)) continue;
    fmt::print(stderr, "WRONG: {}\n", queries[i]);
    searched.is_good = false;
  }
  std::ranges::sort(searched.times_ms);
  return searched;
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

core::Status run(const BenchOptions& options) {
  CORE_TRY(const catalog::Catalog catalog, make_catalogue(options));
  ::malloc_trim(0);
  const auto begin = SteadyClock::now();
  CORE_TRY(const LexicalIndex index, LexicalIndex::build(catalog, {}));
  const double build_s = seconds_since(begin);
  ::malloc_trim(0);
  const bench::MemoryFigures memory = bench::memory_figures();
  const std::vector<std::string> queries = bench::generate_queries(catalog, options.queries);
  const catalog::Bitmap some = some_rows(options.rows);
  CORE_TRY(const Searched all, search_all(index, queries, nullptr, options));
  CORE_TRY(const Searched few, search_all(index, queries, &some, options));
  fmt::print(R"({{"rows":{},"build_s":{:.4f},"index_mb":{:.3f},"catalogue_mb":{:.3f},"resident_mb":{:.3f},"peak_mb":{:.3f},"postings":{},)"
             R"("words":{},"p50_ms":{:.5f},"p99_ms":{:.5f},"filtered_p50_ms":{:.5f},"filtered_p99_ms":{:.5f}}})"
             "\n",
             catalog.size(), build_s, static_cast<double>(index.memory_bytes()) / 1e6, static_cast<double>(catalog.memory_bytes()) / 1e6,
             memory.resident_mb, memory.peak_mb, index.posting_count(), index.vocabulary().size(), quantile(all.times_ms, 0.5),
             quantile(all.times_ms, 0.99), quantile(few.times_ms, 0.5), quantile(few.times_ms, 0.99));
  const bool is_good = all.is_good && few.is_good;
  return is_good ? core::Status() : core::fail(core::ErrorCode::kInternal, "an answer differs from scoring every row");
}

}  // namespace
}  // namespace scalestyle::retrieval

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("growth_words_bench", retrieval::parse(argc, argv), retrieval::run);
}
