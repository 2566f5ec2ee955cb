// What the way over HTTP costs: query embedding in this process beside the same encoder behind the inference role, on the
// loopback interface, through the adapter that a gateway uses. Every vector is compared bit for bit.
//
//   inference_bench [--model DIR] [--precision NAME] [--threads N] [--queries N] [--clients N]
//
// --model defaults to $SCALESTYLE_MODELS/bge-small-en-v1.5. Exit code 1 when a vector differs.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/embedded/batching_text_encoder.hpp"
#include "adapters/embedded/http_client_curl.hpp"
#include "adapters/embedded/local_text_encoder.hpp"
#include "adapters/remote_inference/http_text_encoder.hpp"
#include "bench_support.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "http/inference_api.hpp"
#include "http/server.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/precision.hpp"

namespace {

using namespace scalestyle;
namespace embedded = adapters::embedded;
namespace remote = adapters::remote_inference;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string model;
  std::string precision = "int8";
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::size_t queries = 2'000;  // of each row
  std::size_t clients = 16;     // of the second pair of rows
};

core::Result<Options> parse(int argc, char** argv) {
  Options options;
  const char* models = std::getenv("SCALESTYLE_MODELS");
  const char* home = std::getenv("HOME");
  options.model =
      (models != nullptr ? std::string(models) : std::string(home != nullptr ? home : ".") + "/.cache/scalestyle/models") +
      "/bge-small-en-v1.5";
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* const value = i + 1 < argc ? argv[++i] : nullptr;
    if (value == nullptr) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const auto number = [value] { return std::max<std::size_t>(std::strtoull(value, nullptr, 10), 1); };
    if (name == "--model") {
      options.model = value;
    } else if (name == "--precision") {
      options.precision = value;
    } else if (name == "--threads") {
      options.threads = number();
    } else if (name == "--queries") {
      options.queries = number();
    } else if (name == "--clients") {
      options.clients = number();
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  return options;
}

// Four words each, all different.
std::string query(std::size_t number) {
  constexpr std::string_view kWords[] = {"red",   "blue",  "warm",  "striped", "cotton", "wool",   "summer", "winter",
                                         "dress", "shirt", "shoes", "jacket",  "skirt",  "jumper", "linen",  "evening"};
  std::string text;
  for (std::size_t word = 0; word < 3; ++word, number /= 16) text += std::string(kWords[number % 16]) + ' ';
  return text + std::to_string(number);
}

// The process: compute threads, timers, the role, a client of it.
class Bench {
 public:
  explicit Bench(const Options& options) : pool_({.threads = options.threads, .queue_capacity = 4096}, clock_), timers_(clock_) {
    for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { pool_.run(); });
    threads_.emplace_back([this] { timers_.run(); });
  }
  ~Bench() {
    if (io_.joinable()) {
      server_->begin_drain();
      io_.join();
    }
    loop_ = {};
    timers_.stop();
    pool_.stop();
    for (auto& thread : threads_) thread.join();
  }

  core::Status open(const Options& options) {
    embedded::LocalTextEncoder::Options model{.model_dir = options.model, .model_name = "model"};
    CORE_TRY(model.encoder.precision, nn::parse_precision(options.precision));
    model.encoder.pooling = nn::Pooling::kCls;
    CORE_TRY(local_, embedded::LocalTextEncoder::load(model, pool_, clock_));
    queue_.emplace(
        embedded::BatchingTextEncoder::Dependencies{
            .encoder = *local_, .pool = pool_, .timers = timers_, .clock = clock_, .metrics = metrics_},
        embedded::BatchingTextEncoder::Options{});
    api_.emplace(
        http::InferenceApi::Dependencies{
            .models = {.text = &*queue_}, .pool = pool_, .timers = timers_, .clock = clock_, .metrics = metrics_, .log = log_},
        http::InferenceApi::Options{});
    http::ServerOptions limits;
    limits.port = 0;
    CORE_TRY(server_, http::Server::open(limits, {*api_, clock_, metrics_, log_}));
    io_ = std::thread([this] { server_->run(); });
    CORE_TRY(http_, adapters::HttpClientCurl::create({.max_requests = 1'024}, clock_));
    loop_ = std::jthread([this](const std::stop_token& stop) { http_->run(stop); });
    remote::HttpTextEncoder::Options far{.servers = {.urls = {fmt::format("http://127.0.0.1:{}", server_->port())}}};
    far.expected = local_->info();
    CORE_TRY(remote_, remote::HttpTextEncoder::create(std::move(far), {.http = *http_, .clock = clock_}));
    return {};
  }

  // In process through the same queue, so that the rows differ by HTTP alone.
  [[nodiscard]] ports::TextEncoder& near() { return *queue_; }
  [[nodiscard]] ports::TextEncoder& far() { return *remote_; }

 private:
  core::SystemClock clock_;
  core::WorkerPool pool_;
  core::TimerQueue timers_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_};
  std::vector<std::thread> threads_;
  std::unique_ptr<embedded::LocalTextEncoder> local_;
  std::optional<embedded::BatchingTextEncoder> queue_;
  std::optional<http::InferenceApi> api_;
  std::unique_ptr<http::Server> server_;
  std::thread io_;
  std::unique_ptr<adapters::HttpClientCurl> http_;
  std::jthread loop_;
  std::unique_ptr<remote::HttpTextEncoder> remote_;
};

struct Row {
  std::vector<double> milliseconds;
  double seconds = 0;
  std::vector<std::vector<float>> vectors;
};

core::Result<Row> measure(ports::TextEncoder& encoder, std::size_t queries, std::size_t clients) {
  Row row;
  row.milliseconds.resize(queries);
  row.vectors.resize(queries);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto begun = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t client = 0; client < clients; ++client) {
      threads.emplace_back([&] {
        for (std::size_t i = next.fetch_add(1); i < queries; i = next.fetch_add(1)) {
          const auto start = Clock::now();
          auto batch = core::sync_wait(encoder.encode({query(i)}, core::Deadline::never()));
          row.milliseconds[i] = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
          if (!batch) {
            failed = true;
            return;
          }
          row.vectors[i] = std::move(batch->values);
        }
      });
    }
  }
  row.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  if (failed) return core::fail(core::ErrorCode::kUnavailable, "an answer was an error");
  return row;
}

void print(std::string_view name, Row row) {
  std::ranges::sort(row.milliseconds);
  const auto at = [&row](double share) {
    return row.milliseconds[static_cast<std::size_t>(share * static_cast<double>(row.milliseconds.size() - 1))];
  };
  fmt::print("{:<28} {:>9.0f} {:>8.3f} {:>8.3f} {:>8.3f}\n", name, static_cast<double>(row.milliseconds.size()) / row.seconds,
             at(0.5), at(0.95), at(0.99));
}

core::Status run(const Options& options) {
  Bench bench(options);
  CORE_CHECK(bench.open(options));
  fmt::print("{} {}, {} threads, {} kernels\n", options.model, options.precision, options.threads,
             nn::kernels::to_string(nn::kernels::active_isa()));
  fmt::print("{:<28} {:>9} {:>8} {:>8} {:>8}\n", "query embedding", "queries/s", "p50 ms", "p95 ms", "p99 ms");
  CORE_CHECK(measure(bench.near(), 200, 1));
  CORE_CHECK(measure(bench.far(), 200, 1));
  for (const std::size_t clients : {std::size_t{1}, options.clients}) {
    CORE_TRY(Row near, measure(bench.near(), options.queries, clients));
    CORE_TRY(Row far, measure(bench.far(), options.queries, clients));
    if (near.vectors != far.vectors) return core::fail(core::ErrorCode::kInternal, "a vector is another one over HTTP");
    print(fmt::format("in process, {} clients", clients), std::move(near));
    print(fmt::format("over HTTP, {} clients", clients), std::move(far));
  }
  fmt::print("all vectors are the same bits\n");
  return {};
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program("inference_bench", parse(argc, argv), run); }
