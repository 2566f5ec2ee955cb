// Exact vector scan: time and recall against brute force f32, over batch sizes, filters, depths and threads.
// cpu ms: the least processor time of the calling thread; it holds on a busy machine too.
// Every answer is compared with brute force; exit status 1 when one differs (recall below 1 or another order).
//   scan_bench [--vectors FILE] [--rows N] [--dimension D] [--seconds S] [--isa NAME] [--k K] [--batch B] [--threads T] [--json]
// --k, --batch and --threads keep only the cases that have them.
// FILE is a vectors.f32 (docs/formats/vectors.md); without it, made-up vectors around centres with a common component.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench_support.hpp"
#include "core/files.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/kernels/scan.hpp"
#include "retrieval/quantized_vectors.hpp"
#include "retrieval/vector_scan.hpp"
#include "vector_queries.hpp"

namespace scalestyle::retrieval {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchOptions {
  std::string vectors;
  std::size_t rows = 105'542;
  std::size_t dimension = 384;
  std::size_t queries = 64;
  double seconds = 0.5;  // for each row of the table
  std::size_t k = 0;     // 0: every one
  std::size_t batch = 0;
  std::size_t threads = 0;
  bool json = false;
};

std::vector<float> made_up_vectors(std::size_t rows, std::size_t dimension, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::mt19937 fixed(1);
  std::vector<float> common(dimension);
  for (float& value : common) value = normal(fixed);
  std::vector<float> centres(1000 * dimension);
  for (std::size_t i = 0; i < centres.size(); ++i) centres[i] = common[i % dimension] + 0.55F * normal(fixed);
  std::vector<float> values(rows * dimension);
  for (std::size_t row = 0; row < rows; ++row) {
    const float* centre = centres.data() + random() % 1000 * dimension;
    float* value = values.data() + row * dimension;
    double sum = 0;
    for (std::size_t j = 0; j < dimension; ++j) {
      value[j] = centre[j] + 0.45F * normal(random);
      sum += static_cast<double>(value[j]) * static_cast<double>(value[j]);
    }
    const auto length = static_cast<float>(std::sqrt(sum));
    for (std::size_t j = 0; j < dimension; ++j) value[j] /= length;
  }
  return values;
}

// Two threads that share work without sleeping: the scan is measured, not the wake-up of a thread.
class SpinningPair {
 public:
  SpinningPair() : helper_([this](const std::stop_token& stop) { help(stop); }) {}

  void run(std::size_t count, const std::function<void(std::size_t)>& body) {
    body_ = &body;
    next_.store(0);
    count_ = count;
    open_.store(true, std::memory_order_release);
    take();
    open_.store(false, std::memory_order_release);
    while (helping_.load(std::memory_order_acquire)) {
    }
  }

 private:
  void take() {
    for (std::size_t i = 0; (i = next_.fetch_add(1)) < count_;) (*body_)(i);
  }
  void help(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!open_.load(std::memory_order_acquire)) continue;
      helping_.store(true);
      if (open_.load()) take();
      helping_.store(false, std::memory_order_release);
    }
  }

  const std::function<void(std::size_t)>* body_ = nullptr;
  std::size_t count_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> helping_{false};
  std::jthread helper_;
};

// The processor time of this thread: unlike wall time it does not count what other work takes from it.
double thread_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

struct Case {
  std::size_t k;
  double share;  // of rows that are eligible
  std::size_t batch;
  std::size_t threads;
};

struct Setup {
  const QuantizedVectors& quantized;
  const ExactVectors& exact;
  const std::vector<float>& query_values;
  std::size_t query_count;
  bool json;
};

std::vector<VectorHit> brute_force(const ExactVectors& exact, const VectorQuery& query) {
  std::vector<VectorHit> hits;
  for (std::size_t row = 0; row < exact.rows; ++row) {
    if (!query.eligible.empty() && (query.eligible[row / 64] >> (row % 64) & 1U) == 0) continue;
    hits.push_back({static_cast<std::uint32_t>(row),
                    nn::kernels::dot_f32(query.vector.data(), exact.row(row).data(), exact.dimension)});
  }
  const std::size_t count = std::min(query.k, hits.size());
  std::ranges::partial_sort(hits, hits.begin() + static_cast<std::ptrdiff_t>(count),
                            [](const VectorHit& a, const VectorHit& b) {
                              return a.score != b.score ? a.score > b.score : a.row < b.row;
                            });
  hits.resize(count);
  return hits;
}

// Times batches in turn over all queries; checks one batch against brute force. False: a wrong answer.
bool run_case(const Setup& setup, const Case& item, double seconds) {
  const std::vector<std::uint64_t> bitmap = bench::bitmap_of(setup.exact.rows, item.share);
  const std::span<const std::uint64_t> eligible =
      item.share < 1.0 ? std::span<const std::uint64_t>(bitmap) : std::span<const std::uint64_t>();
  std::vector<VectorQuery> queries;
  for (std::size_t i = 0; i < setup.query_count; ++i) {
    queries.push_back(
        {std::span(setup.query_values).subspan(i * setup.exact.dimension, setup.exact.dimension), eligible, item.k});
  }
  VectorScanJob job;
  std::optional<SpinningPair> pair;  // only where it is used: it would take a core from the others
  if (item.threads == 2) pair.emplace();
  const ParallelFor two_threads = [&pair](std::size_t count, const std::function<void(std::size_t)>& body) {
    pair->run(count, body);
  };
  std::vector<double> times_ms;
  double processor_ms = 1e9;
  double recall = 1.0;
  bool is_equal = true;
  std::size_t rescored = 0;
  const auto stop = SteadyClock::now() + std::chrono::duration<double>(seconds);
  for (std::size_t round = 0; round < 8 || SteadyClock::now() < stop; ++round) {
    const std::size_t first = round * item.batch % (setup.query_count - item.batch + 1);
    const std::span<const VectorQuery> batch(queries.data() + first, item.batch);
    const double processor_begin = thread_milliseconds();
    const auto begin = SteadyClock::now();
    if (!job.begin(setup.quantized, setup.exact, batch, item.threads)) return false;
    if (item.threads == 1) {
      job.run();
    } else {
      job.run(two_threads);
    }
    times_ms.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
    processor_ms = std::min(processor_ms, thread_milliseconds() - processor_begin);
    rescored += job.work().rows_rescored;
    if (round >= 2) continue;
    for (std::size_t i = 0; i < item.batch; ++i) {
      const std::vector<VectorHit> truth = brute_force(setup.exact, batch[i]);
      recall = std::min(recall, bench::recall_of(job.hits(i), truth));
      is_equal = is_equal && std::ranges::equal(job.hits(i), truth);
    }
  }
  std::ranges::sort(times_ms);
  const double per_query = static_cast<double>(rescored) / static_cast<double>(times_ms.size() * item.batch);
  fmt::print(fmt::runtime(setup.json
                              ? R"({{"k":{},"eligible_percent":{},"batch":{},"threads":{},"processor_ms":{:.4f},"least_ms":{:.4f},)"
                                R"("p50_ms":{:.4f},"p99_ms":{:.4f},"query_ms":{:.4f},"rescored":{:.0f},"recall":{},"answers":"{}"}})"
                                "\n"
                              : "{:>5}{:>9.1f}%{:>7}{:>9}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>11.3f}{:>11.0f}{:>9.4f}  {}\n"),
             item.k,
             item.share * 100, item.batch, item.threads, processor_ms, times_ms.front(), times_ms[times_ms.size() / 2],
             times_ms[times_ms.size() * 99 / 100], times_ms[times_ms.size() / 2] / static_cast<double>(item.batch),
             per_query, recall, is_equal ? "exact" : "WRONG");
  return is_equal && recall == 1.0;
}

core::Result<BenchOptions> parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--json") {
      options.json = true;
      --i;  // it has no value
      continue;
    }
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* value = argv[i + 1];
    if (name == "--vectors") {
      options.vectors = value;
    } else if (name == "--rows") {
      options.rows = std::strtoull(value, nullptr, 10);
    } else if (name == "--dimension") {
      options.dimension = std::strtoull(value, nullptr, 10);
    } else if (name == "--isa") {
      CORE_CHECK(nn::kernels::force_isa(value));
    } else if (name == "--k") {
      options.k = std::strtoull(value, nullptr, 10);
    } else if (name == "--batch") {
      options.batch = std::strtoull(value, nullptr, 10);
    } else if (name == "--threads") {
      options.threads = std::strtoull(value, nullptr, 10);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (options.rows < 100 || options.dimension < 1 || options.dimension > kMaxVectorDimension) {
    return core::fail(core::ErrorCode::kInvalidArgument, "at least 100 rows, dimension 1 … 8192");
  }
  return options;
}

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

core::Status run(const BenchOptions& options) {
  core::MappedFile file;
  std::vector<float> values;
  ExactVectors exact;
  if (options.vectors.empty()) {
    values = made_up_vectors(options.rows, options.dimension, 7);
    exact = {options.rows, options.dimension, values};
  } else {
    CORE_TRY(file, core::MappedFile::open(options.vectors));
    CORE_TRY(exact, open_exact_vectors(file.bytes(), options.vectors, VectorCheck::kFull));
  }
  CORE_TRY(const std::vector<std::byte> encoded, encode_quantized_vectors(exact));
  const nn::kernels::AlignedBuffer bytes(encoded.size());
  std::ranges::copy(encoded, bytes.data());
  CORE_TRY(const QuantizedVectors quantized,
           open_quantized_vectors({bytes.data(), encoded.size()}, "encoded", VectorCheck::kFull));
  const std::vector<float> query_values = bench::queries_like(exact, options.queries);

  fmt::print(options.json ? stderr : stdout, "{}, {} cores; {} × {} {} vectors; |mean| {:.3f}, norm without it {:.3f}, error bound {:.5f}\n",
             nn::kernels::describe_active_isa(), std::thread::hardware_concurrency(), exact.rows, exact.dimension,
             options.vectors.empty() ? "made-up" : "given", quantized.mean_norm, mean_of(quantized.norms),
             mean_of(quantized.errors));
  fmt::print(options.json ? stderr : stdout, "    k  eligible  batch  threads    cpu ms    min ms    p50 ms    p99 ms  ms a query   rescored   recall\n");
  const Setup setup{quantized, exact, query_values, options.queries, options.json};
  bool is_good = true;
  for (const std::size_t threads : {1U, 2U}) {
    for (const Case& item : {Case{100, 1.0, 1, threads}, Case{1000, 1.0, 1, threads}, Case{100, 0.12, 1, threads},
                             Case{1000, 0.12, 1, threads}, Case{100, 0.001, 1, threads}, Case{100, 1.0, 4, threads},
                             Case{100, 1.0, 8, threads}, Case{100, 1.0, 16, threads}, Case{1000, 1.0, 4, threads},
                             Case{1000, 1.0, 8, threads}, Case{1000, 1.0, 16, threads},
                             Case{100, 0.12, 16, threads}}) {
      const auto wanted = [](std::size_t option, std::size_t value) { return option == 0 || option == value; };
      if (!wanted(options.k, item.k) || !wanted(options.batch, item.batch) || !wanted(options.threads, threads)) continue;
      is_good = run_case(setup, item, options.seconds) && is_good;
    }
  }
  if (!is_good) return core::fail(core::ErrorCode::kInternal, "an answer differs from brute force");
  return {};
}

}  // namespace
}  // namespace scalestyle::retrieval

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("scan_bench", retrieval::parse(argc, argv), retrieval::run);
}
