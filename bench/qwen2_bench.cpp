// Qwen2-1.5B in its true shape with random weights: tokens a second beside what the memory allows, which for one token at a
// time is the bound: every weight is read once a token.
//
//   qwen2_bench [--folder DIR] [--layers N] [--precision bf16|int8|f32] [--prompt N] [--tokens N] [--threads N] [--isa NAME]
//               [--json yes]
//
// DIR is written once (3.1 GB with all 28 layers; --layers makes fewer) and kept; without it 4 layers (0.8 GB) are written to
// a temporary folder that is removed at the end. With fewer layers the figures of 28 are
// given beside, by the time of a layer and that of the head. The bandwidth is that of reading 1 GiB in huge pages, and the
// peak that of fused multiply-adds in registers, both measured in the same run. Threads beside the first help it as idle pool
// threads do. Before anything is timed the logits of a prompt in one batch are compared with those of its tokens one by one,
// on one thread and on all, bit for bit. Exit code 1 when they differ. --json yes adds a JSON line for each number of threads.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels_peaks.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/qwen2_session.hpp"
#include "nn/token_sampler.hpp"
#include "random_qwen2.hpp"

namespace {

using namespace scalestyle;
using namespace scalestyle::nn;

struct Options {
  std::string folder;      // empty: a temporary one
  std::size_t layers = 0;  // 0: all; 4 in a temporary folder
  std::string precision;  // empty: bf16 and int8
  std::size_t prompt = 200;
  std::size_t tokens = 16;
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::string isa = "auto";
  bool json = false;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

template <class T>
T require(core::Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

void require(const core::Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().message);
  std::exit(1);
}

std::uint64_t sum_of(const std::uint64_t* from, std::size_t count) {
  std::array<std::uint64_t, 8> sums{};
  for (std::size_t i = 0; i < count; i += 8) {
    __builtin_prefetch(from + i + 256);
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += from[i + lane];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total += sum;
  return total;
}

// Bytes a second that so many threads read together; the best of a few rounds.
double read_bandwidth(const kernels::AlignedBuffer& buffer, std::size_t threads) {
  const std::size_t words = buffer.size_bytes() / 8 / threads / 8 * 8;
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double start = now();
    {
      std::vector<std::jthread> readers;
      for (std::size_t thread = 0; thread < threads; ++thread) {
        readers.emplace_back([&, thread] {
          volatile std::uint64_t keep = sum_of(buffer.as<std::uint64_t>() + thread * words, words);
          static_cast<void>(keep);
        });
      }
    }
    best = std::max(best, static_cast<double>(words * 8 * threads) / (now() - start));
  }
  return best;
}

// A leader's helpers for as long as it lives.
class Helpers {
 public:
  explicit Helpers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { team_.help(); });
  }
  ~Helpers() { team_.close(); }
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;
  [[nodiscard]] Team* team() { return threads_.empty() ? nullptr : &team_; }

 private:
  Team team_;
  std::vector<std::jthread> threads_;
};

struct Times {
  double layers = 0;
  double head = 0;
};

// Computes the tokens; the time of the layers' steps and of the last, the head's.
Times compute(Qwen2Session& session, std::span<const std::int32_t> tokens, Team* team) {
  require(session.begin(tokens));
  Times times;
  for (bool complete = false; !complete;) {
    const double start = now();
    complete = session.step(team);
    (complete ? times.head : times.layers) += now() - start;
  }
  return times;
}

std::vector<std::int32_t> some_tokens(std::size_t count, std::size_t vocabulary) {
  std::vector<std::int32_t> ids(count);
  std::uint32_t state = 7;
  for (std::int32_t& id : ids) {
    state = state * 1664525U + 1013904223U;
    id = static_cast<std::int32_t>((state >> 4U) % vocabulary);
  }
  return ids;
}

bool answers_agree(const Qwen2Model& model, std::size_t threads) {
  const auto ids = some_tokens(9, model.config().vocabulary);
  const auto batch = require(Qwen2Session::create(model, 9));
  const auto single = require(Qwen2Session::create(model, 9));
  compute(*batch, ids, nullptr);
  Helpers helpers(threads - 1);
  for (const std::int32_t id : ids) compute(*single, {&id, 1}, helpers.team());
  return std::ranges::equal(batch->logits(), single->logits());
}

struct Machine {
  std::vector<double> bandwidth;  // by threads, from 1
  double peak = 0;                // operations a second of one thread
};

void measure(const Qwen2Model& model, const Options& options, const Machine& machine, std::size_t threads) {
  const auto session = require(Qwen2Session::create(model, options.prompt + options.tokens));
  Helpers helpers(threads - 1);
  const auto ids = some_tokens(options.prompt, model.config().vocabulary);
  const Times prompt = compute(*session, ids, helpers.team());
  Times token;
  token.layers = 1e9;
  token.head = 1e9;
  Times all;
  for (std::size_t i = 0; i < options.tokens; ++i) {
    const std::int32_t next = likeliest_token(session->logits());
    const Times times = compute(*session, {&next, 1}, helpers.team());
    token.layers = std::min(token.layers, times.layers);
    token.head = std::min(token.head, times.head);
    all.layers += times.layers;
    all.head += times.head;
  }
  const double scale = static_cast<double>(bench::kQwen2Layers) / static_cast<double>(options.layers);
  const double operations = model.layer_operations() * static_cast<double>(options.prompt) + model.head_operations();
  const double prompt_seconds = prompt.layers + prompt.head;
  fmt::print("  {} thread(s): prompt of {}: {:.1f} tokens/s, {:.0f} % of the register peak", threads, options.prompt,
             static_cast<double>(options.prompt) / prompt_seconds,
             100 * operations / prompt_seconds / (machine.peak * static_cast<double>(threads)));
  if (options.layers != bench::kQwen2Layers) {
    fmt::print("; 28 layers: {:.1f} tokens/s", static_cast<double>(options.prompt) / (prompt.layers * scale + prompt.head));
  }
  const double floor = static_cast<double>(model.weight_bytes()) / machine.bandwidth[threads - 1];
  const double mean = (all.layers + all.head) / static_cast<double>(options.tokens);
  const double best = token.layers + token.head;
  fmt::print("\n    one by one: {:.1f} ms mean, {:.1f} ms best = {:.2f} tokens/s; weights at {:.1f} GB/s: {:.1f} ms; best / floor {:.2f}",
             1e3 * mean, 1e3 * best, 1 / mean, machine.bandwidth[threads - 1] / 1e9, 1e3 * floor, best / floor);
  if (options.layers != bench::kQwen2Layers) {
    const double all_layers = (all.layers * scale + all.head) / static_cast<double>(options.tokens);
    fmt::print("; 28 layers: {:.1f} ms mean = {:.2f} tokens/s", 1e3 * all_layers, 1 / all_layers);
  }
  fmt::print("\n");
  if (!options.json) return;
  const double whole_prompt = prompt.layers * scale + prompt.head;
  const double whole_token = (all.layers * scale + all.head) / static_cast<double>(options.tokens);
  fmt::print(R"({{"precision":"{}","threads":{},"layers":{},"prompt_percent_of_peak":{:.1f},"best_over_floor":{:.3f},)"
             R"("whole_prompt_tokens_per_second":{:.2f},"whole_tokens_per_second":{:.2f}}})"
             "\n",
             to_string(model.precision()), threads, options.layers,
             100 * operations / prompt_seconds / (machine.peak * static_cast<double>(threads)), best / floor,
             static_cast<double>(options.prompt) / whole_prompt, 1 / whole_token);
}

void measure_choice(const Qwen2Model& model) {
  const auto session = require(Qwen2Session::create(model, 1));
  const std::int32_t first = 1;
  compute(*session, {&first, 1}, nullptr);
  TokenSampler sampler({.temperature = 0.7F, .top_p = 0.8F, .seed = 1});
  double best = 1e9;
  for (int round = 0; round < 10; ++round) {
    const double start = now();
    static_cast<void>(sampler.choose(session->logits()));
    best = std::min(best, now() - start);
  }
  fmt::print("  choosing by temperature 0.7 and top-p 0.8: {:.2f} ms\n", 1e3 * best);
}

bool run(const Options& options, Precision precision, const Machine& machine) {
  const double start = now();
  const auto model = require(Qwen2Model::load(options.folder, {.precision = precision, .weights_sha256 = "random"}));
  fmt::print("{}: {} layers, {:.2f} GB of weights, loaded in {:.1f} s\n", to_string(precision), model->config().layers,
             static_cast<double>(model->weight_bytes()) / 1e9, now() - start);
  if (!answers_agree(*model, options.threads)) {
    fmt::print("  WRONG: a prompt in one batch and token by token give different logits\n");
    return false;
  }
  for (std::size_t threads = 1; threads <= options.threads; ++threads) measure(*model, options, machine, threads);
  measure_choice(*model);
  return true;
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    const std::string value = argv[i + 1];
    const auto number = [&] { return static_cast<std::size_t>(std::strtoull(value.c_str(), nullptr, 10)); };
    if (key == "--folder") options.folder = value;
    else if (key == "--layers") options.layers = number();
    else if (key == "--precision") options.precision = value;
    else if (key == "--prompt") options.prompt = number();
    else if (key == "--tokens") options.tokens = number();
    else if (key == "--threads") options.threads = number();
    else if (key == "--isa") options.isa = value;
    else if (key == "--json") options.json = value == "yes";
    else return std::nullopt;
  }
  if (options.layers == 0) options.layers = options.folder.empty() ? 4 : bench::kQwen2Layers;
  const bool valid = argc % 2 == 1 && options.prompt > 0 && options.tokens > 0 && options.threads > 0;
  return valid ? std::optional(options) : std::nullopt;
}

// Removed at the end where there is one.
struct TemporaryFolder {
  TemporaryFolder() = default;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

}  // namespace

int main(int argc, char** argv) {
  std::optional<Options> options = parse(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: qwen2_bench [--folder DIR] [--layers N] [--precision bf16|int8|f32] [--prompt N] [--tokens N] "
                       "[--threads N] [--isa NAME]\n");
    return 2;
  }
  require(kernels::force_isa(options->isa));
  TemporaryFolder temporary;
  if (options->folder.empty()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "qwen2_bench_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      fmt::print(stderr, "cannot make a temporary folder {}\n", pattern);
      return 1;
    }
    temporary.path = pattern;
    options->folder = pattern;
  }
  require(bench::write_random_qwen2(options->folder, options->layers));
  std::vector<Precision> precisions = {Precision::kBf16, Precision::kInt8};
  if (!options->precision.empty()) precisions = {require(parse_precision(options->precision))};
  Machine machine;
  machine.peak = bench::measure_peaks().f32_fma * 1e9;
  {
    const kernels::AlignedBuffer buffer(std::size_t{1} << 30U);
    for (std::size_t threads = 1; threads <= options->threads; ++threads) {
      machine.bandwidth.push_back(read_bandwidth(buffer, threads));
    }
  }
  fmt::print("{}; register peak {:.0f} GFLOPS a thread; reading", kernels::describe_active_isa(), machine.peak / 1e9);
  for (std::size_t index = 0; index < machine.bandwidth.size(); ++index) {
    fmt::print("{} {:.1f} GB/s on {}", index == 0 ? "" : ",", machine.bandwidth[index] / 1e9, index + 1);
  }
  fmt::print("\n");
  bool right = true;
  for (const Precision precision : precisions) right = run(*options, precision, machine) && right;
  return right ? 0 : 1;
}
