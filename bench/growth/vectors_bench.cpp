// Exact vector scan as it grows: time of one query at a time and memory, over a file of made-up vectors of any number.
//   growth_vectors_bench --file FILE --rows N [--make] [--seconds S] [--least QUERIES] [--cores 1|2]
// FILE is a vectors.f32, made or extended to N rows where it has fewer; --make does nothing else. As when serving, the int8 form is
// in memory and the f32 rows are mapped from FILE; 100 nearest; queries are rows of the collection, disturbed. Each case (every row
// or 12 % of them; one core or two) is measured for S seconds (2) and at least QUERIES (100) queries and prints a line of JSON.
// resident_mb is the process's before answers are checked. Then the answers to two queries of each case are compared with brute
// force over FILE: exit status 1 when one differs.

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench_support.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "core/worker_pool.hpp"
#include "growth/made_up_vectors.hpp"
#include "growth/memory_figures.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/kernels/scan.hpp"
#include "retrieval/quantized_vectors.hpp"
#include "retrieval/vector_scan.hpp"
#include "vector_queries.hpp"

namespace scalestyle::retrieval {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kNearest = 100;
constexpr std::size_t kQueries = 64;
constexpr std::size_t kChecked = 2;
constexpr double kEligibleShare = 0.12;

struct BenchOptions {
  std::string file;
  std::size_t rows = 0;
  bool make = false;
  double seconds = 2;
  std::size_t least = 100;
  std::size_t cores = 0;  // 0: one, then two
};

core::Result<BenchOptions> parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--make") {
      options.make = true;
      continue;
    }
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* value = argv[++i];
    if (name == "--file") {
      options.file = value;
    } else if (name == "--rows") {
      options.rows = std::strtoull(value, nullptr, 10);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--least") {
      options.least = std::strtoull(value, nullptr, 10);
    } else if (name == "--cores") {
      options.cores = std::strtoull(value, nullptr, 10);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (options.file.empty() || options.rows < 1000 || options.cores > 2 || options.least < kChecked) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--file FILE and --rows N (1000 or more) are needed; --cores is 1 or 2, "
                                                         "--least 2 or more");
  }
  return options;
}

struct Collection {
  core::MappedFile file;
  ExactVectors exact;  // the first rows of the file
  nn::kernels::AlignedBuffer bytes;
  QuantizedVectors quantized;
};

core::Result<Collection> open(const BenchOptions& options) {
  Collection collection;
  CORE_TRY(collection.file, core::MappedFile::open(options.file));
  CORE_TRY(const ExactVectors whole, open_exact_vectors(collection.file.bytes(), options.file, VectorCheck::kHeader));
  collection.exact = {options.rows, whole.dimension, whole.values.first(options.rows * whole.dimension)};
  CORE_TRY(const std::vector<std::byte> encoded, encode_quantized_vectors(collection.exact));
  collection.bytes = nn::kernels::AlignedBuffer(encoded.size());
  std::ranges::copy(encoded, collection.bytes.data());
  CORE_TRY(collection.quantized,
           open_quantized_vectors({collection.bytes.data(), encoded.size()}, "the int8 form", VectorCheck::kHeader));
  return collection;
}

struct Case {
  double share = 1;  // of the rows that are eligible
  std::size_t cores = 1;
  std::vector<VectorQuery> queries;
  std::vector<std::vector<VectorHit>> answers;  // of the first kChecked queries
  std::vector<double> times_ms;
  std::size_t rescored = 0;
  bench::MemoryFigures memory;
};

core::Status measure(const Collection& collection, const BenchOptions& options, Case& item) {
  core::SystemClock clock;
  core::WorkerPool pool({.threads = item.cores}, clock);
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < item.cores; ++i) others.emplace_back([&pool] { pool.run(); });
  const ParallelFor parallel_for = [&pool](std::size_t count, const std::function<void(std::size_t)>& body) {
    pool.parallel_for(count, body);
  };
  VectorScanJob job;
  core::Status status;
  const auto search = [&](std::size_t index) {
    status = job.begin(collection.quantized, collection.exact, {&item.queries[index % item.queries.size()], 1}, item.cores);
    if (!status) return;
    if (item.cores == 1) {
      job.run();
    } else {
      job.run(parallel_for);
    }
  };
  for (std::size_t i = 0; i < kChecked && status; ++i) {  // these warm up, too
    search(i);
    if (status) item.answers.emplace_back(job.hits(0).begin(), job.hits(0).end());
  }
  const auto stop = SteadyClock::now() + std::chrono::duration<double>(options.seconds);
  for (std::size_t i = 0; status && (i < options.least || SteadyClock::now() < stop); ++i) {
    const auto begin = SteadyClock::now();
    search(i);
    item.times_ms.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
    item.rescored += job.work().rows_rescored;
  }
  pool.stop();
  others.clear();
  ::malloc_trim(0);  // what is free is not memory that the scan needs
  item.memory = bench::memory_figures();
  std::ranges::sort(item.times_ms);
  return status;
}

// The true answers of some queries of every case, in one pass over the file.
std::vector<std::vector<VectorHit>> brute_force(const ExactVectors& exact, std::span<const VectorQuery> queries) {
  const auto is_better = [](const VectorHit& a, const VectorHit& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; };
  std::vector<std::vector<VectorHit>> best(queries.size());  // heaps with the worst on top
  for (std::uint32_t row = 0; row < exact.rows; ++row) {
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const auto& eligible = queries[i].eligible;
      if (!eligible.empty() && (eligible[row / 64] >> (row % 64) & 1U) == 0) continue;
      const VectorHit hit{row, nn::kernels::dot_f32(queries[i].vector.data(), exact.row(row).data(), exact.dimension)};
      auto& heap = best[i];
      if (heap.size() == queries[i].k && !is_better(hit, heap.front())) continue;
      if (heap.size() == queries[i].k) {
        std::ranges::pop_heap(heap, is_better);
        heap.pop_back();
      }
      heap.push_back(hit);
      std::ranges::push_heap(heap, is_better);
    }
  }
  for (auto& heap : best) std::ranges::sort_heap(heap, is_better);
  return best;
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

// False: an answer differs from brute force.
bool print(const Collection& collection, const Case& item, std::span<const std::vector<VectorHit>> truth) {
  bool is_equal = true;
  double recall = 1;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    is_equal = is_equal && std::ranges::equal(item.answers[i], truth[i]);
    recall = std::min(recall, bench::recall_of(item.answers[i], truth[i]));
  }
  const double mapped = static_cast<double>(collection.exact.values.size_bytes());
  const double quantized = static_cast<double>(collection.bytes.size_bytes());
  fmt::print(R"({{"rows":{},"share":{},"cores":{},"queries":{},"p50_ms":{:.5f},"p99_ms":{:.5f},"least_ms":{:.5f},"rescored":{:.1f},)"
             R"("resident_mb":{:.3f},"resident_anonymous_mb":{:.3f},"quantized_mb":{:.3f},"mapped_mb":{:.3f},"recall":{:.4f}}})"
             "\n",
             collection.exact.rows, item.share, item.cores, item.times_ms.size(), quantile(item.times_ms, 0.5),
             quantile(item.times_ms, 0.99), item.times_ms.front(),
             static_cast<double>(item.rescored) / static_cast<double>(item.times_ms.size()), item.memory.resident_mb,
             item.memory.anonymous_mb, quantized / 1e6, mapped / 1e6, recall);
  return is_equal;
}

core::Status run(const BenchOptions& options) {
  CORE_CHECK(bench::make_up_vectors(options.file, options.rows));
  if (options.make) return {};
  CORE_TRY(const Collection collection, open(options));
  const std::vector<float> values = bench::queries_like(collection.exact, kQueries);
  const std::vector<std::uint64_t> some = bench::bitmap_of(options.rows, kEligibleShare);
  ::malloc_trim(0);
  std::vector<Case> cases;
  std::vector<VectorQuery> checked;
  for (const double share : {1.0, kEligibleShare}) {
    for (const std::size_t cores : {std::size_t{1}, std::size_t{2}}) {
      if (options.cores != 0 && options.cores != cores) continue;
      Case& item = cases.emplace_back();
      item.share = share;
      item.cores = cores;
      for (std::size_t i = 0; i < kQueries; ++i) {
        const std::span eligible = share < 1 ? std::span<const std::uint64_t>(some) : std::span<const std::uint64_t>();
        item.queries.push_back({std::span(values).subspan(i * collection.exact.dimension, collection.exact.dimension), eligible, kNearest});
      }
      collection.file.release_pages();  // of f32 rows those stay that the case itself reads
      CORE_CHECK(measure(collection, options, item));
      checked.insert(checked.end(), item.queries.begin(), item.queries.begin() + kChecked);
    }
  }
  const auto truth = brute_force(collection.exact, checked);
  bool is_good = true;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    is_good = print(collection, cases[i], std::span(truth).subspan(i * kChecked, kChecked)) && is_good;
  }
  return is_good ? core::Status() : core::fail(core::ErrorCode::kInternal, "an answer differs from brute force");
}

}  // namespace
}  // namespace scalestyle::retrieval

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("growth_vectors_bench", retrieval::parse(argc, argv), retrieval::run);
}
