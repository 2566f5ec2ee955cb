// What tracing costs a request: a search from the cache (eight stages), with the attributes that its span gets, from the header
// to the decision whether it is kept. A trace that is kept is checked first; exit status 1 when a span is missing.
//   trace_bench [Google Benchmark's options]

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/task.hpp"
#include "telemetry/otlp_json.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::telemetry {
namespace {

constexpr std::array<std::string_view, 8> kStages{"admission", "validate", "list", "filter", "snapshot", "rules", "personalize", "page"};
constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class CountingSink final : public SpanSink {
 public:
  void take(std::vector<Span> spans) override { last = std::move(spans); }
  std::vector<Span> last;
};

struct Bench {
  explicit Bench(double sample)
      : tracer({.sink = sink, .clock = clock, .metrics = metrics}, {.sample = sample, .max_kept_per_second = 1'000'000'000}) {}

  // As a server does it.
  void serve(std::string_view parent) {
    const core::SteadyTime received = clock.steady_now();
    const auto trace = tracer.begin(parse_traceparent(parent), {}, received);
    const auto scope = std::make_shared<TraceScope>(trace, trace->root());
    benchmark::DoNotOptimize(scope_below(scope.get(), 5));
    for (std::size_t i = 0; i < kStages.size(); ++i) {
      trace->add({.id = derived_span_id(trace->root(), i), .parent = trace->root(), .name = kStages[i], .outcome = "ok",
                  .end = received, .took = std::chrono::microseconds(1)});
    }
    trace->set("scalestyle.degraded", false);
    trace->set("scalestyle.list_source", std::string_view("kept"));
    trace->set("scalestyle.items", std::int64_t{20});
    benchmark::DoNotOptimize(trace->traceparent(trace->root()));
    trace->set("http.request.method", std::string_view("GET"));
    trace->set("http.route", std::string_view("/api/recommendation/search"));
    trace->set("scalestyle.request_id", std::string_view("0123456789abcdef0123456789abcdef"));
    trace->set("http.response.status_code", std::int64_t{200});
    tracer.end(*trace, {.name = "GET /api/recommendation/search", .time = received + std::chrono::microseconds(500)});
  }

  core::SystemClock clock;
  Metrics metrics;
  CountingSink sink;
  Tracer tracer;
};

void check() {
  Bench bench(1);
  bench.serve({});
  if (bench.sink.last.size() == kStages.size() + 1) return;
  fmt::print(stderr, "trace_bench: {} spans instead of {}\n", bench.sink.last.size(), kStages.size() + 1);
  std::exit(1);
}

void request_that_is_not_kept(benchmark::State& state) {
  Bench bench(0);
  for (auto _ : state) bench.serve({});
}
BENCHMARK(request_that_is_not_kept);

void request_with_a_parent_that_is_not_kept(benchmark::State& state) {
  Bench bench(0);
  for (auto _ : state) bench.serve(kParent);
}
BENCHMARK(request_with_a_parent_that_is_not_kept);

void request_that_is_kept(benchmark::State& state) {
  Bench bench(1);
  for (auto _ : state) bench.serve({});
}
BENCHMARK(request_that_is_kept);

// On the exporter's thread.
void json_of_a_request(benchmark::State& state) {
  Bench bench(1);
  bench.serve({});
  const OtlpResource resource{.service_version = "1", .instance_id = "i", .role = "serve"};
  for (auto _ : state) benchmark::DoNotOptimize(otlp_json(resource, bench.sink.last));
}
BENCHMARK(json_of_a_request);

}  // namespace
}  // namespace scalestyle::telemetry

int main(int argc, char** argv) {
  scalestyle::telemetry::check();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
