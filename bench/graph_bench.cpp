// The graph of vectors against the exact scan of the same ones: building time and memory; and for each breadth and share of
// eligible rows the time of a query, its recall, and what a step of a walk costs in rows of the scan (setting graph_step_cost).
//   graph_bench [--vectors FILE] [--rows N] [--dimension D] [--m M] [--ef-construction C] [--ef LIST] [--shares LIST]
//               [--k K] [--queries Q] [--graph FILE] [--isa NAME]
// FILE of --vectors is a vectors.f32 (docs/formats/vectors.md), of which the first N rows are taken; without it, made-up vectors
// around centres with a common component. Queries are rows of the collection, disturbed. --graph keeps the graph's file, and
// takes one that is there already instead of building it. One thread; every query walks, whatever a server would choose.
// Prints a line of JSON for the building, then one a case. Recall is of the exact scan's answer. Exit status 1 on errors alone.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/graph/graph_builder.hpp"
#include "adapters/graph/vector_graph.hpp"
#include "bench_support.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/kernels/scan.hpp"
#include "retrieval/quantized_vectors.hpp"
#include "retrieval/vector_scan.hpp"

namespace scalestyle::adapters::graph {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchOptions {
  std::string vectors;
  std::string graph;
  std::size_t rows = 0;  // 0: 105,542, or all of the file
  std::size_t dimension = 384;
  GraphOptions building;
  std::vector<double> breadths{128, 256, 512};
  std::vector<double> shares{1, 0.5, 0.12};
  std::size_t k = 100;
  std::size_t queries = 200;
};

core::Result<std::vector<double>> parse_list(std::string_view name, const char* text) {
  std::vector<double> values;
  for (const char* at = text; *at != '\0';) {
    char* end = nullptr;
    values.push_back(std::strtod(at, &end));
    if (end == at || (*end != '\0' && *end != ',') || !(values.back() > 0)) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: \"{}\" is no list of numbers above 0", name, text));
    }
    at = *end == ',' ? end + 1 : end;
  }
  return values;
}

core::Result<BenchOptions> parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* value = argv[i + 1];
    const std::size_t number = std::strtoull(value, nullptr, 10);
    if (name == "--vectors") {
      options.vectors = value;
    } else if (name == "--graph") {
      options.graph = value;
    } else if (name == "--rows") {
      options.rows = number;
    } else if (name == "--dimension") {
      options.dimension = number;
    } else if (name == "--m") {
      options.building.neighbours = number;
    } else if (name == "--ef-construction") {
      options.building.construction = number;
    } else if (name == "--ef") {
      CORE_TRY(options.breadths, parse_list(name, value));
    } else if (name == "--shares") {
      CORE_TRY(options.shares, parse_list(name, value));
    } else if (name == "--k") {
      options.k = number;
    } else if (name == "--queries") {
      options.queries = number;
    } else if (name == "--isa") {
      CORE_CHECK(nn::kernels::force_isa(value));
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (options.k == 0 || options.queries == 0 || options.dimension == 0 || options.dimension > retrieval::kMaxVectorDimension) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--k, --queries and --dimension are 1 or more");
  }
  return options;
}

void make_unit(std::span<float> vector) {
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  for (float& value : vector) value /= static_cast<float>(std::sqrt(sum));
}

std::vector<float> made_up_vectors(std::size_t rows, std::size_t dimension) {
  constexpr std::size_t kCentres = 1000;
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> common(dimension);
  for (float& value : common) value = normal(random);
  std::vector<float> centres(kCentres * dimension);
  for (std::size_t i = 0; i < centres.size(); ++i) centres[i] = common[i % dimension] + 0.55F * normal(random);
  std::vector<float> values(rows * dimension);
  for (std::size_t row = 0; row < rows; ++row) {
    const float* centre = centres.data() + random() % kCentres * dimension;
    const std::span vector = std::span(values).subspan(row * dimension, dimension);
    for (std::size_t j = 0; j < dimension; ++j) vector[j] = centre[j] + 0.45F * normal(random);
    make_unit(vector);
  }
  return values;
}

std::vector<float> queries_like(const retrieval::ExactVectors& exact, std::size_t count) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0F, 0.5F / std::sqrt(static_cast<float>(exact.dimension)));
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    for (const float value : exact.row(random() % exact.rows)) values.push_back(value + normal(random));
    make_unit(std::span(values).last(exact.dimension));
  }
  return values;
}

std::vector<std::uint64_t> bitmap_of(std::size_t rows, double share) {
  std::vector<std::uint64_t> words((rows + 63) / 64, 0);
  std::mt19937 random(99);
  std::bernoulli_distribution chosen(std::min(share, 1.0));
  for (std::size_t row = 0; row < rows; ++row) {
    if (chosen(random)) words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  return words;
}

// A figure of this process, in 10⁶ bytes: "VmRSS:" or "VmHWM:".
double memory_mb(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return 1024e-6 * std::strtod(line.c_str() + name.size(), nullptr);
  }
  return 0;
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

double ms_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

struct Collection {
  core::MappedFile file;
  std::vector<float> made_up;
  retrieval::ExactVectors exact;
  nn::kernels::AlignedBuffer bytes;
  retrieval::QuantizedVectors quantized;
};

core::Status load(const BenchOptions& options, Collection& collection) {
  if (options.vectors.empty()) {
    const std::size_t rows = options.rows > 0 ? options.rows : 105'542;
    collection.made_up = made_up_vectors(rows, options.dimension);
    collection.exact = {rows, options.dimension, collection.made_up};
  } else {
    CORE_TRY(collection.file, core::MappedFile::open(options.vectors));
    CORE_TRY(const auto whole,
             retrieval::open_exact_vectors(collection.file.bytes(), options.vectors, retrieval::VectorCheck::kHeader));
    if (options.rows > whole.rows) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("{} has {} rows, fewer than --rows", options.vectors, whole.rows));
    }
    const std::size_t rows = options.rows > 0 ? options.rows : whole.rows;
    collection.exact = {rows, whole.dimension, whole.values.first(rows * whole.dimension)};
  }
  CORE_TRY(const auto encoded, retrieval::encode_quantized_vectors(collection.exact));
  collection.bytes = nn::kernels::AlignedBuffer(encoded.size());
  std::ranges::copy(encoded, collection.bytes.data());
  CORE_TRY(collection.quantized, retrieval::open_quantized_vectors({collection.bytes.data(), encoded.size()}, "the int8 form",
                                                                   retrieval::VectorCheck::kHeader));
  return {};
}

core::Result<VectorGraph> make_graph(const BenchOptions& options, const Collection& collection) {
  const bool is_kept = !options.graph.empty();
  const std::filesystem::path path =
      is_kept ? std::filesystem::path(options.graph)
              : std::filesystem::temp_directory_path() /
                    fmt::format("graph_bench-{}.graph", SteadyClock::now().time_since_epoch().count());
  double build_s = 0;
  if (!is_kept || !std::filesystem::exists(path)) {
    const auto begin = SteadyClock::now();
    const auto go_on = [](std::size_t, std::size_t) { return core::Status(); };
    CORE_CHECK(build_graph(collection.quantized, options.building, path, go_on));
    build_s = ms_since(begin) / 1e3;
  }
  const double peak_mb = memory_mb("VmHWM:");
  const auto begin = SteadyClock::now();
  auto graph = VectorGraph::open(path, collection.quantized);
  const double open_ms = ms_since(begin);
  std::error_code ignored;
  const auto size = static_cast<double>(std::filesystem::file_size(path, ignored));
  if (!is_kept) std::filesystem::remove(path, ignored);
  if (!graph) return graph;
  fmt::print(R"({{"rows":{},"dimension":{},"nodes":{},"m":{},"ef_construction":{},"build_s":{:.3f},"open_ms":{:.3f},)"
             R"("graph_mb":{:.3f},"quantized_mb":{:.3f},"peak_mb":{:.1f},"kernels":"{}"}})" "\n",
             collection.exact.rows, collection.exact.dimension, graph->shape().nodes, graph->shape().neighbours,
             graph->shape().construction, build_s, open_ms, size / 1e6,
             static_cast<double>(collection.bytes.size_bytes()) / 1e6, peak_mb, nn::kernels::describe_active_isa());
  std::fflush(stdout);
  return graph;
}

// What the exact scan says and takes.
struct Truth {
  std::vector<std::vector<std::uint32_t>> rows;  // of each query, ascending
  std::vector<double> times_ms;
};

core::Result<Truth> scan(const Collection& collection, const std::vector<float>& queries, std::span<const std::uint64_t> eligible,
                         std::size_t k) {
  Truth truth;
  retrieval::VectorScanJob job;
  for (std::size_t at = 0; at < queries.size(); at += collection.exact.dimension) {
    const retrieval::VectorQuery query{std::span(queries).subspan(at, collection.exact.dimension), eligible, k};
    const auto begin = SteadyClock::now();
    CORE_CHECK(job.begin(collection.quantized, collection.exact, {&query, 1}, 1));
    job.run();
    truth.times_ms.push_back(ms_since(begin));
    auto& rows = truth.rows.emplace_back();
    for (const retrieval::VectorHit& hit : job.hits(0)) rows.push_back(hit.row);
    std::ranges::sort(rows);
  }
  return truth;
}

struct Case {
  double share = 1;
  std::size_t eligible = 0;
  std::size_t breadth = 0;
};

core::Status measure(const BenchOptions& options, const Collection& collection, const VectorGraph& graph, const Case& item,
                     const Truth& truth) {
  const std::size_t dimension = collection.exact.dimension;
  const std::vector<float> queries = queries_like(collection.exact, options.queries);
  const auto words = bitmap_of(collection.exact.rows, item.share);
  const std::span eligible = item.share < 1 ? std::span<const std::uint64_t>(words) : std::span<const std::uint64_t>();
  const core::SystemClock clock;
  std::vector<double> times_ms;
  std::vector<double> recalls;
  std::size_t steps = 0;
  std::size_t products = 0;
  for (std::size_t i = 0; i < options.queries; ++i) {
    const std::span query = std::span(queries).subspan(i * dimension, dimension);
    const auto begin = SteadyClock::now();
    CORE_TRY(auto found, graph.walk({.query = query,
                                     .eligible = eligible,
                                     .wanted = options.k,
                                     .breadth = std::max(item.breadth, options.k),
                                     .most_steps = collection.exact.rows},
                                    core::Deadline::never(), clock));
    std::ranges::sort(found.rows);
    std::vector<float> scores(found.rows.size());
    nn::kernels::dot_f32_rows(query, collection.exact.values.data(), found.rows, scores.data());
    std::vector<std::pair<float, std::uint32_t>> best;
    for (std::size_t j = 0; j < scores.size(); ++j) best.emplace_back(-scores[j], found.rows[j]);
    const auto end = best.begin() + static_cast<std::ptrdiff_t>(std::min(options.k, best.size()));
    std::ranges::partial_sort(best, end);
    times_ms.push_back(ms_since(begin));
    steps += found.steps;
    products += found.products;
    const auto& wanted = truth.rows[i];
    const auto common =
        std::count_if(best.begin(), end, [&](const auto& hit) { return std::ranges::binary_search(wanted, hit.second); });
    recalls.push_back(wanted.empty() ? 1.0 : static_cast<double>(common) / static_cast<double>(wanted.size()));
  }
  double recall = 0;
  double total_ms = 0;
  double scan_ms = 0;
  for (const double value : recalls) recall += value / static_cast<double>(recalls.size());
  for (const double value : times_ms) total_ms += value;
  for (const double value : truth.times_ms) scan_ms += value;
  const double step_ms = total_ms / static_cast<double>(std::max<std::size_t>(steps, 1));
  const double row_ms = scan_ms / static_cast<double>(truth.times_ms.size() * std::max<std::size_t>(item.eligible, 1));
  const auto queries_count = static_cast<double>(options.queries);
  fmt::print(R"({{"rows":{},"share":{},"eligible":{},"k":{},"breadth":{},"p50_ms":{:.5f},"p99_ms":{:.5f},"recall":{:.4f},)"
             R"("least_recall":{:.4f},"steps":{:.1f},"products":{:.1f},"scan_p50_ms":{:.5f},"scan_p99_ms":{:.5f},)"
             R"("step_cost":{:.1f},"resident_mb":{:.1f}}})" "\n",
             collection.exact.rows, item.share, item.eligible, options.k, item.breadth, quantile(times_ms, 0.5),
             quantile(times_ms, 0.99), recall, std::ranges::min(recalls), static_cast<double>(steps) / queries_count,
             static_cast<double>(products) / queries_count, quantile(truth.times_ms, 0.5),
             quantile(truth.times_ms, 0.99), step_ms / row_ms, memory_mb("VmRSS:"));
  std::fflush(stdout);
  return {};
}

core::Status run(const BenchOptions& options) {
  Collection collection;
  CORE_CHECK(load(options, collection));
  CORE_TRY(const auto graph, make_graph(options, collection));
  const std::vector<float> queries = queries_like(collection.exact, options.queries);
  for (const double share : options.shares) {
    const auto words = bitmap_of(collection.exact.rows, share);
    Case item{.share = share};
    for (const std::uint64_t word : words) item.eligible += static_cast<std::size_t>(std::popcount(word));
    const std::span eligible = share < 1 ? std::span<const std::uint64_t>(words) : std::span<const std::uint64_t>();
    CORE_TRY(const Truth truth, scan(collection, queries, eligible, options.k));
    for (const double breadth : options.breadths) {
      item.breadth = static_cast<std::size_t>(breadth);
      CORE_CHECK(measure(options, collection, graph, item, truth));
    }
  }
  return {};
}

}  // namespace
}  // namespace scalestyle::adapters::graph

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("graph_bench", adapters::graph::parse(argc, argv), adapters::graph::run);
}
