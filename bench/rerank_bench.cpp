// Reranking through LocalPairScorer, text to score, on random weights in true shapes: 20 and 50 pairs of even and mixed
// lengths, in each precision, on one and two threads, against the arithmetic at the register peak measured in the same
// run; how near the narrow precisions' order is to f32's; and what a deadline leaves of a batch.
//
//   rerank_bench [--model minilm|base] [--precision NAME] [--isa NAME] [--seconds-per-cell S] [--group-tokens N]
//                [--tau-pairs N] [--pairs N] [--threads N] [--json]
//   rerank_bench --encoder DIR --texts FILE
//   rerank_bench --model NAME --write DIR
//
// --pairs and --threads keep only what has them. Times are medians of repeated calls; processor time is that of all threads together, which leaves out what other work on
// the machine takes, and the share of the peak is by it. Kendall tau is over --tau-pairs documents (mixed lengths) of each
// of four queries, the least of the four. Random weights have no attention sinks and hardly tell documents apart: that tau is no judgement
// of real models, whose weights are not to be had on every machine. The second form compares precisions on the real layers of
// a sentence encoder (all-MiniLM-L6-v2 has the smaller shape) with four random heads; FILE has one text a line, eight queries
// and then documents. The third leaves the model's folder in DIR, to be served (any word is one token). Exit code 1 when scores depend on the number of
// threads or a deadline's scores are no prefix.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/embedded/local_pair_scorer.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "kernels_peaks.hpp"
#include "nn/kernels/isa.hpp"
#include "random_cross_encoder.hpp"

namespace {

using namespace scalestyle;
using adapters::embedded::LocalPairScorer;
using bench::CrossEncoderShape;
using nn::Precision;

constexpr std::size_t kQueryWords = 4;
constexpr std::size_t kEvenTokens = 50;
constexpr float kGain = 1.5F;

struct Options {
  std::string model;
  std::string precision;  // empty: all
  std::string isa = "auto";
  double seconds_per_cell = 0.5;
  std::size_t group_tokens = 0;  // 0: the adapter's
  std::size_t tau_pairs = 50;
  std::size_t pairs = 0;    // 0: 20 and 50
  std::size_t threads = 0;  // 0: one and two
  bool json = false;
  std::string encoder;
  std::string texts;
  std::string write;
};

[[noreturn]] void leave(const core::Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  std::exit(2);
}

// A scorer with threads of its own.
class Bench {
 public:
  Bench(const std::filesystem::path& folder, Precision precision, std::size_t threads, const Options& options)
      : pool_({.threads = threads}, clock_) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { pool_.run(); });
    LocalPairScorer::Options scorer;
    scorer.model_dir = folder;
    scorer.model_name = folder.filename().string();
    scorer.model = {.precision = precision, .weights_sha256 = "random"};
    if (options.group_tokens > 0) scorer.most_group_tokens = options.group_tokens;
    auto loaded = LocalPairScorer::load(scorer, pool_, clock_);
    if (!loaded) leave(loaded.error());
    scorer_ = std::move(*loaded);
  }
  ~Bench() {
    pool_.stop();
    threads_.clear();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  ports::PairScores score(const std::string& query, const std::vector<std::string>& texts,
                          core::Deadline deadline = core::Deadline::never()) {
    auto scored = core::sync_wait(scorer_->score(query, texts, deadline));
    if (!scored) leave(scored.error());
    return std::move(*scored);
  }
  [[nodiscard]] const LocalPairScorer& scorer() const { return *scorer_; }
  [[nodiscard]] const core::Clock& clock() const { return clock_; }
  [[nodiscard]] std::size_t threads() const { return threads_.size(); }

 private:
  core::SystemClock clock_;
  core::WorkerPool pool_;
  std::vector<std::jthread> threads_;
  std::unique_ptr<LocalPairScorer> scorer_;
};

struct Work {
  std::string name;
  std::string query;
  std::vector<std::string> texts;
  std::vector<std::size_t> tokens;  // of each pair
};

// Even: 50 tokens a pair. Mixed: 25 to 70, as titles with descriptions have. Control tokens are part of them.
Work make_work(std::size_t pairs, bool mixed, bool xlm_roberta, std::size_t seed = 1) {
  Work work{fmt::format("{} {}", pairs, mixed ? "mixed" : "even"), bench::random_words(kQueryWords, seed), {}, {}};
  const std::size_t around = kQueryWords + (xlm_roberta ? 4 : 3);
  for (std::size_t i = 0; i < pairs; ++i) {
    const std::size_t tokens = mixed ? 25 + (i * 29 + seed) % 46 : kEvenTokens;
    work.texts.push_back(bench::random_words(tokens - around, 1000 * seed + i));
    work.tokens.push_back(tokens);
  }
  return work;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

struct Times {
  double wall = 0;
  double processor = 0;
};

Times measure_times(Bench& bench, const Work& work, double budget) {
  bench.score(work.query, work.texts);
  std::vector<double> wall;
  std::vector<double> processor;
  for (const auto begin = std::chrono::steady_clock::now(); wall.size() < 3 || seconds_since(begin) < budget;) {
    const double before = processor_seconds();
    const auto start = std::chrono::steady_clock::now();
    bench.score(work.query, work.texts);
    wall.push_back(seconds_since(start));
    processor.push_back(processor_seconds() - before);
  }
  return {median(std::move(wall)), median(std::move(processor))};
}

double kendall_tau(const std::vector<ports::PairScore>& a, const std::vector<ports::PairScore>& b) {
  double agreement = 0;
  double count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j, ++count) {
      const float product = (a[i].logit - a[j].logit) * (b[i].logit - b[j].logit);
      agreement += product > 0 ? 1 : (product < 0 ? -1 : 0);
    }
  }
  return count == 0 ? 1 : agreement / count;
}

double peak_gops(const bench::Peaks& peaks, Precision precision) {
  const bool amx = nn::kernels::active_isa() == nn::kernels::Isa::kAmxInt8;
  switch (precision) {
    case Precision::kF32: return peaks.f32_fma;
    // Without an instruction for it bf16 is computed as f32.
    case Precision::kBf16:
      if (amx && peaks.amx_bf16 > 0) return peaks.amx_bf16;
      return peaks.bf16_dot > 0 ? peaks.bf16_dot : peaks.f32_fma;
    case Precision::kInt8: return bench::int8_peak(peaks, nn::kernels::active_isa());
  }
  return 0;
}

void print_time(const Bench& bench, const Work& work, const Times& times, double peak, bool json) {
  double operations = 0;
  std::size_t tokens = 0;
  for (const std::size_t count : work.tokens) {
    operations += bench.scorer().model().operations(count);
    tokens += count;
  }
  const double percent = peak > 0 ? 100 * operations / times.processor * 1e-9 / peak : 0;
  fmt::print(fmt::runtime(json ? R"({{"model":"{}","precision":"{}","pairs":"{}","tokens":{},"threads":{},"p50_ms":{:.2f},)"
                                 R"("processor_ms":{:.2f},"tokens_per_second":{:.0f},"percent_of_peak":{:.1f}}})"
                                 "\n"
                               : "{:>18} {:>5} {:>9} {:>7} {:>8} {:>9.2f} {:>9.2f} {:>9.0f} {:>10.1f}\n"),
             bench.scorer().info().model, bench.scorer().info().precision, work.name, tokens, bench.threads(), times.wall * 1e3,
             times.processor * 1e3, static_cast<double>(tokens) / times.wall, percent);
}

// Deadlines on 50 pairs: what is scored, and when the answer comes.
bool show_deadlines(Bench& bench, const CrossEncoderShape& shape, bool json) {
  const Work work = make_work(50, true, shape.xlm_roberta);
  const ports::PairScores whole = bench.score(work.query, work.texts);
  bool right = true;
  for (const int milliseconds : {10, 40, 100, 250}) {
    const auto start = std::chrono::steady_clock::now();
    const ports::PairScores part =
        bench.score(work.query, work.texts, core::Deadline::after(std::chrono::milliseconds(milliseconds), bench.clock()));
    const double took = seconds_since(start) * 1e3;
    right = right && std::equal(part.scores.begin(), part.scores.end(), whole.scores.begin());
    fmt::print(fmt::runtime(json ? R"({{"model":"{}","precision":"{}","deadline_ms":{},"scored":{},"of":{},"took_ms":{:.1f}}})"
                                   "\n"
                                 : "{:>18} {:>5} deadline {} ms: {} of {} scored in {:.1f} ms\n"),
               shape.name, bench.scorer().info().precision, milliseconds, part.scores.size(), whole.scores.size(), took);
  }
  return right;
}

bool measure(const CrossEncoderShape& shape, const Options& options, const bench::Peaks& peaks) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("scalestyle-rerank-bench-{}", ::getpid()) / shape.name;
  std::filesystem::create_directories(folder);
  if (const core::Status written = bench::write_random_cross_encoder(folder, shape, kGain); !written) leave(written.error());
  bool right = true;
  std::vector<std::vector<ports::PairScore>> exact;
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    const bool wanted = options.precision.empty() || options.precision == nn::to_string(precision);
    if (!wanted && precision != Precision::kF32) continue;
    Bench one(folder, precision, 1, options);
    Bench two(folder, precision, 2, options);
    double least_tau = 1;
    for (std::size_t query = 0; query < 4; ++query) {
      const Work work = make_work(options.tau_pairs, true, shape.xlm_roberta, query + 1);
      const auto scores = two.score(work.query, work.texts).scores;
      right = right && scores == one.score(work.query, work.texts).scores;
      if (precision == Precision::kF32) exact.push_back(scores);
      least_tau = std::min(least_tau, kendall_tau(scores, exact[query]));
    }
    if (!wanted) continue;
    for (const std::size_t pairs : {std::size_t{20}, std::size_t{50}}) {
      if (options.pairs != 0 && options.pairs != pairs) continue;
      for (const bool mixed : {false, true}) {
        const Work work = make_work(pairs, mixed, shape.xlm_roberta);
        const double peak = peak_gops(peaks, precision);
        for (Bench* const bench : {&one, &two}) {
          if (options.threads != 0 && options.threads != bench->threads()) continue;
          print_time(*bench, work, measure_times(*bench, work, options.seconds_per_cell), peak, options.json);
        }
      }
    }
    fmt::print(fmt::runtime(options.json ? R"({{"model":"{}","precision":"{}","kendall_tau_random_weights":{:.4f},"weights_mb":{:.0f}}})"
                                           "\n"
                                         : "{:>18} {:>5} Kendall tau to f32, random weights: {:.4f}; packed weights {:.0f} MB\n"),
               shape.name, nn::to_string(precision), least_tau,
               static_cast<double>(one.scorer().model().weight_bytes()) * 1e-6);
    right = show_deadlines(two, shape, options.json) && right;
  }
  std::filesystem::remove_all(folder.parent_path());
  return right;
}

// How near the narrow precisions' order is to f32's: over four heads and eight queries, least and mean.
void compare_precisions(const Options& options) {
  constexpr std::size_t kQueries = 8;
  std::vector<std::string> documents;
  std::vector<std::string> queries;
  std::ifstream stream(options.texts);
  for (std::string line; std::getline(stream, line);) (queries.size() < kQueries ? queries : documents).push_back(line);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("scalestyle-rerank-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    double least = 1;
    double sum = 0;
    double count = 0;
    for (std::size_t head = 1; head <= 4; ++head) {
      if (const core::Status written = bench::write_random_head(folder, options.encoder, head); !written) leave(written.error());
      Bench exact(folder, Precision::kF32, 1, options);
      Bench narrow(folder, precision, 1, options);
      for (const std::string& query : queries) {
        const double tau = kendall_tau(exact.score(query, documents).scores, narrow.score(query, documents).scores);
        least = std::min(least, tau);
        sum += tau;
        ++count;
      }
    }
    fmt::print("{} with random heads, {} documents a query: Kendall tau of {} to f32: least {:.4f}, mean {:.4f}\n",
               options.encoder, documents.size(), nn::to_string(precision), least, sum / count);
  }
  std::filesystem::remove_all(folder);
}

Options parse(int count, char** values) {
  Options options;
  for (int index = 1; index < count; ++index) {
    const std::string_view name = values[index];
    const auto value = [&]() -> std::string {
      if (index + 1 < count) return values[++index];
      fmt::print(stderr, "{} needs a value\n", name);
      std::exit(2);
    };
    if (name == "--model") options.model = value();
    else if (name == "--precision") options.precision = value();
    else if (name == "--isa") options.isa = value();
    else if (name == "--seconds-per-cell") options.seconds_per_cell = std::strtod(value().c_str(), nullptr);
    else if (name == "--group-tokens") options.group_tokens = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--tau-pairs") options.tau_pairs = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--pairs") options.pairs = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--threads") options.threads = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--json") options.json = true;
    else if (name == "--encoder") options.encoder = value();
    else if (name == "--texts") options.texts = value();
    else if (name == "--write") options.write = value();
    else {
      fmt::print(stderr, "unknown argument {}\n", name);
      std::exit(2);
    }
  }
  const bool known = options.model.empty() || options.model == "minilm" || options.model == "base";
  if (!known || (!options.precision.empty() && !nn::parse_precision(options.precision))) {
    fmt::print(stderr, "--model is minilm or base, --precision f32, bf16 or int8\n");
    std::exit(2);
  }
  if (!options.write.empty() && options.model.empty()) {
    fmt::print(stderr, "--write needs --model\n");
    std::exit(2);
  }
  return options;
}

int write_model(const Options& options) {
  const CrossEncoderShape& shape = options.model == "base" ? bench::kRerankerBase : bench::kMiniLmL6;
  std::filesystem::create_directories(options.write);
  if (const core::Status written = bench::write_random_cross_encoder(options.write, shape, kGain); !written) leave(written.error());
  return 0;
}

}  // namespace

int main(int count, char** values) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // rows are seen as they are measured
  const Options options = parse(count, values);
  if (const core::Status forced = nn::kernels::force_isa(options.isa); !forced) leave(forced.error());
  if (!options.encoder.empty()) {
    compare_precisions(options);
    return 0;
  }
  if (!options.write.empty()) return write_model(options);
  const bench::Peaks peaks = bench::measure_peaks();
  if (!options.json) {
    fmt::print("{}; register peaks of one core: f32 {:.0f}, bf16 {:.0f}, int8 {:.0f} giga-operations/s\n",
               nn::kernels::describe_active_isa(), peak_gops(peaks, Precision::kF32), peak_gops(peaks, Precision::kBf16),
               peak_gops(peaks, Precision::kInt8));
    fmt::print("{:>18} {:>5} {:>9} {:>7} {:>8} {:>9} {:>9} {:>9} {:>10}\n", "random weights", "", "pairs", "tokens", "threads",
               "p50 ms", "proc. ms", "tokens/s", "% of peak");
  }
  bool right = true;
  for (const CrossEncoderShape& shape : {bench::kMiniLmL6, bench::kRerankerBase}) {
    if (!options.model.empty() && (options.model == "base") != shape.xlm_roberta) continue;
    right = measure(shape, options, peaks) && right;
  }
  if (!right) fmt::print(stderr, "scores depend on the number of threads, or a deadline's scores are no prefix\n");
  return right ? 0 : 1;
}
