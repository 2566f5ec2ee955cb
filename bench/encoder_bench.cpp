// The sentence encoder on real weights: one query on one core, documents on one and two, each against the arithmetic at
// the register peak measured in the same run.
//
//   encoder_bench [--model DIR] [--golden FILE.jsonl] [--isa NAME] [--precision NAME] [--seconds-per-cell S]
//                 [--evict-mib N] [--tokens N[,N]…] [--json]
//
// --model defaults to $SCALESTYLE_MODELS/bge-small-en-v1.5. With --golden every text of the file is encoded first and
// its cosine to the reference's vector checked (f32 0.9999, bf16 and int8 0.999); without, narrow precisions are
// compared with f32 on the benchmark's own texts. --precision measures one of f32, bf16 and int8. Exit code 1 when an
// answer is wrong. --evict-mib measures single queries instead, each after so much other memory was read, as the vector
// scan between two searches does: by one thread and by a team of two (a waking pool thread helps), least and median wall time.
// --tokens measures single texts of these lengths instead, on one thread.
// A figure is the best of repeated calls; on one thread its processor time, which leaves out what other work takes.

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kernels_peaks.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "nn/bert_encoder.hpp"
#include "nn/kernels/isa.hpp"

namespace {

using namespace scalestyle;
using namespace scalestyle::nn;
using Texts = std::vector<std::vector<std::int32_t>>;

constexpr std::size_t kDocumentTokens = 81;  // mean of product_text_v1 over the H&M articles
constexpr std::size_t kDocuments = 24;

struct Options {
  std::string model;
  std::string golden;
  std::string isa = "auto";
  std::string precision;  // empty: all
  double seconds_per_cell = 0.4;
  std::size_t evict_mib = 0;  // 0: the caches stay warm
  std::vector<std::size_t> tokens;  // empty: the usual queries and documents
  bool json = false;
};

struct Row {
  Precision precision;
  std::string work;
  std::size_t threads;
  std::size_t tokens;
  double seconds;     // a text
  double operations;  // a text
};

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double best_seconds(double budget_seconds, double (*clock)(), const std::function<void()>& call) {
  call();
  double best = 1e9;
  const double end = wall_seconds() + budget_seconds;
  do {
    const double start = clock();
    call();
    best = std::min(best, clock() - start);
  } while (wall_seconds() < end);
  return best;
}

Texts make_texts(std::size_t count, std::size_t tokens, std::size_t vocabulary) {
  constexpr std::uint32_t kFirstWord = 1996;  // below lie special tokens, unused pieces and single characters
  Texts texts(count, std::vector<std::int32_t>(tokens));
  std::uint32_t state = 12345;
  for (auto& text : texts) {
    for (auto& id : text) {
      state = state * 1664525U + 1013904223U;
      id = static_cast<std::int32_t>(kFirstWord + (state >> 8U) % (static_cast<std::uint32_t>(vocabulary) - kFirstWord));
    }
    text.front() = 101;
    text.back() = 102;
  }
  return texts;
}

std::vector<float> encode(const BertEncoder& encoder, const Texts& texts, BertEncoder::Workspace& workspace) {
  const std::vector<TokenSequence> sequences(texts.begin(), texts.end());
  std::vector<float> out(texts.size() * encoder.dimension());
  if (const core::Status status = encoder.encode(sequences, out, workspace); !status) {
    fmt::print(stderr, "{}\n", status.error().message);
    std::exit(1);
  }
  return out;
}

// The least cosine between rows of unit vectors.
double least_cosine(const std::vector<float>& a, const std::vector<float>& b, std::size_t dimension) {
  double least = 1;
  for (std::size_t row = 0; row < a.size() / dimension; ++row) {
    double sum = 0;
    for (std::size_t column = 0; column < dimension; ++column) {
      const std::size_t index = row * dimension + column;
      sum += static_cast<double>(a[index]) * static_cast<double>(b[index]);
    }
    least = std::min(least, sum);
  }
  return least;
}

struct Reference {
  Texts texts;
  std::vector<float> vectors;
};

Reference read_golden(const std::string& path) {
  Reference reference;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    const boost::json::value value = boost::json::parse(line);
    auto& ids = reference.texts.emplace_back();
    for (const auto& id : value.at("ids").as_array()) ids.push_back(id.to_number<std::int32_t>());
    for (const auto& number : value.at("embedding").as_array()) reference.vectors.push_back(number.to_number<float>());
  }
  return reference;
}

double peak_gops(const bench::Peaks& peaks, Precision precision) {
  const bool amx = nn::kernels::active_isa() == nn::kernels::Isa::kAmxInt8;
  switch (precision) {
    case Precision::kF32: return peaks.f32_fma;
    case Precision::kBf16: return amx && peaks.amx_bf16 > 0 ? peaks.amx_bf16 : peaks.bf16_dot;
    case Precision::kInt8: return bench::int8_peak(peaks, nn::kernels::active_isa());
  }
  return 0;
}

std::vector<Row> measure(const BertEncoder& encoder, const Options& options) {
  std::vector<Row> rows;
  BertEncoder::Workspace workspace;
  const std::vector<std::size_t> lengths = options.tokens.empty() ? std::vector<std::size_t>{14, 24} : options.tokens;
  for (const std::size_t tokens : lengths) {
    const Texts query = make_texts(1, tokens, encoder.vocabulary_size());
    const double seconds =
        best_seconds(options.seconds_per_cell, thread_seconds, [&] { encode(encoder, query, workspace); });
    rows.push_back({encoder.precision(), "query", 1, tokens, seconds, encoder.operations(tokens)});
  }
  if (!options.tokens.empty()) return rows;
  const Texts documents = make_texts(kDocuments, kDocumentTokens, encoder.vocabulary_size());
  const double one = best_seconds(options.seconds_per_cell, thread_seconds, [&] { encode(encoder, documents, workspace); });
  const auto count = static_cast<double>(kDocuments);
  rows.push_back({encoder.precision(), "document", 1, kDocumentTokens, one / count, encoder.operations(kDocumentTokens)});
  BertEncoder::Workspace second;
  const double two = best_seconds(options.seconds_per_cell, wall_seconds, [&] {
    std::jthread other([&] { encode(encoder, documents, second); });
    encode(encoder, documents, workspace);
  });
  rows.push_back({encoder.precision(), "document", 2, kDocumentTokens, two / (2 * count), encoder.operations(kDocumentTokens)});
  return rows;
}

// Reads the buffer: afterwards the caches hold it and not the weights.
std::uint64_t read_through(const std::vector<std::uint64_t>& buffer) {
  std::uint64_t sum = 0;
  for (const std::uint64_t word : buffer) sum += word;
  return sum;
}

// The pool's thread sleeps during the eviction, as a server's does between searches.
void encode_as_team(const BertEncoder& encoder, const Texts& texts, BertEncoder::Workspace& workspace,
                    std::vector<float>& out, core::WorkerPool& pool) {
  const auto team = std::make_shared<Team>();
  const std::vector<TokenSequence> sequences(texts.begin(), texts.end());
  const core::Status helping = pool.submit([team] { team->help(); });
  const core::Status status = encoder.encode(sequences, out, workspace, team.get());
  team->close();
  for (const core::Status& outcome : {helping, status}) {
    if (outcome) continue;
    fmt::print(stderr, "{}\n", outcome.error().message);
    std::exit(1);
  }
}

// One thread and team take turns, so that other work on the machine meets both. False when their bytes differ.
bool measure_cold(const BertEncoder& encoder, const Options& options) {
  const std::vector<std::uint64_t> other(options.evict_mib * (std::size_t{1} << 20U) / sizeof(std::uint64_t), 1);
  volatile std::uint64_t sink = 0;
  core::SystemClock clock;
  core::WorkerPool pool({.threads = 2}, clock);
  std::jthread worker([&pool] { pool.run(); });
  bool same = true;
  for (const std::size_t tokens : {std::size_t{7}, std::size_t{14}, std::size_t{24}, std::size_t{48}, std::size_t{96}}) {
    const Texts query = make_texts(1, tokens, encoder.vocabulary_size());
    BertEncoder::Workspace workspace;
    std::vector<double> alone;
    std::vector<double> together;
    std::vector<float> shared(encoder.dimension());
    for (const double end = wall_seconds() + 2 * options.seconds_per_cell; wall_seconds() < end || alone.empty();) {
      sink = sink + read_through(other);
      double start = wall_seconds();
      const std::vector<float> own = encode(encoder, query, workspace);
      alone.push_back(wall_seconds() - start);
      sink = sink + read_through(other);
      start = wall_seconds();
      encode_as_team(encoder, query, workspace, shared, pool);
      together.push_back(wall_seconds() - start);
      same = same && own == shared;
    }
    for (auto* times : {&alone, &together}) {
      std::ranges::sort(*times);
      const std::string_view format =
          options.json ? R"({{"precision":"{}","work":"cold query","threads":{},"tokens":{},"least_ms":{:.3f},"median_ms":{:.3f}}})"
                       : "{:>5} cold query on {} threads, {:>3} tokens: least {:.3f} ms, median {:.3f} ms";
      fmt::print(fmt::runtime(format), to_string(encoder.precision()), times == &alone ? 1 : 2, tokens, times->front() * 1e3,
                 (*times)[times->size() / 2] * 1e3);
      fmt::print("\n");
    }
  }
  pool.stop();
  return same;
}

void print_row(const Row& row, double peak, bool json) {
  const double gops = row.operations / row.seconds * 1e-9;
  const double percent = peak > 0 ? 100 * gops / (peak * static_cast<double>(row.threads)) : 0;
  if (json) {
    fmt::print("{{\"precision\":\"{}\",\"work\":\"{}\",\"threads\":{},\"tokens\":{},\"ms\":{:.4f},\"per_second\":{:.1f},"
               "\"gops\":{:.1f},\"percent_of_peak\":{:.1f}}}\n",
               to_string(row.precision), row.work, row.threads, row.tokens, row.seconds * 1e3, 1 / row.seconds, gops, percent);
  } else {
    fmt::print("{:>5} {:>9} {:>8} {:>7} {:>9.3f} {:>10.1f} {:>8.0f} {:>9.1f}\n", to_string(row.precision), row.work, row.threads,
               row.tokens, row.seconds * 1e3, 1 / row.seconds, gops, percent);
  }
}

// Numbers with commas between them; each is at least [CLS] and [SEP] and at most what the model's positions go to.
std::vector<std::size_t> parse_tokens(const std::string& text) {
  std::vector<std::size_t> lengths;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) lengths.push_back(std::strtoull(part.c_str(), nullptr, 10));
  const auto is_length = [](std::size_t tokens) { return tokens >= 2 && tokens <= 512; };
  if (lengths.empty() || !std::ranges::all_of(lengths, is_length)) {
    fmt::print(stderr, "--tokens {}: numbers in 2 … 512 are needed\n", text);
    std::exit(2);
  }
  return lengths;
}

Options parse(int count, char** values) {
  Options options;
  if (const char* models = std::getenv("SCALESTYLE_MODELS")) {
    options.model = std::string(models) + "/bge-small-en-v1.5";
  } else if (const char* home = std::getenv("HOME")) {
    options.model = std::string(home) + "/.cache/scalestyle/models/bge-small-en-v1.5";
  }
  for (int index = 1; index < count; ++index) {
    const std::string_view name = values[index];
    const auto value = [&]() -> std::string {
      if (index + 1 < count) return values[++index];
      fmt::print(stderr, "{} needs a value\n", name);
      std::exit(2);
    };
    if (name == "--model") options.model = value();
    else if (name == "--golden") options.golden = value();
    else if (name == "--isa") options.isa = value();
    else if (name == "--precision") options.precision = value();
    else if (name == "--seconds-per-cell") options.seconds_per_cell = std::strtod(value().c_str(), nullptr);
    else if (name == "--evict-mib") options.evict_mib = std::strtoull(value().c_str(), nullptr, 10);
    else if (name == "--tokens") options.tokens = parse_tokens(value());
    else if (name == "--json") options.json = true;
    else {
      fmt::print(stderr, "unknown argument {}\n", name);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** values) {
  const Options options = parse(count, values);
  if (const core::Status forced = nn::kernels::force_isa(options.isa); !forced) {
    fmt::print(stderr, "{}\n", forced.error().message);
    return 2;
  }
  if (!options.precision.empty() && !nn::parse_precision(options.precision)) {
    fmt::print(stderr, "unknown precision {}: f32, bf16 or int8\n", options.precision);
    return 2;
  }
  const bench::Peaks peaks = bench::measure_peaks();
  Reference reference;
  if (!options.golden.empty()) reference = read_golden(options.golden);
  if (!options.json) {
    fmt::print("{}; register peaks of one core: f32 {:.0f}, bf16 {:.0f}, int8 {:.0f} giga-operations/s\n",
               nn::kernels::describe_active_isa(), peak_gops(peaks, Precision::kF32), peak_gops(peaks, Precision::kBf16),
               peak_gops(peaks, Precision::kInt8));
    fmt::print("{:>5} {:>9} {:>8} {:>7} {:>9} {:>10} {:>8} {:>9}\n", "", "work", "threads", "tokens", "ms/text", "texts/s",
               "GOP/s", "% of peak");
  }
  bool right = true;
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    const bool needed_as_reference = precision == Precision::kF32 && reference.texts.empty();
    const bool wanted = options.precision.empty() || options.precision == to_string(precision);
    if (!wanted && !needed_as_reference) continue;
    const auto encoder = BertEncoder::load(options.model, {.precision = precision, .pooling = Pooling::kCls});
    if (!encoder) {
      fmt::print(stderr, "{}\n", encoder.error().message);
      return 2;
    }
    BertEncoder::Workspace workspace;
    if (reference.texts.empty()) {  // f32 comes first and is the reference of the others
      reference.texts = make_texts(kDocuments, kDocumentTokens, (*encoder)->vocabulary_size());
      reference.vectors = encode(**encoder, reference.texts, workspace);
    }
    const double cosine = least_cosine(encode(**encoder, reference.texts, workspace), reference.vectors, (*encoder)->dimension());
    const double gate = precision == Precision::kF32 ? 0.9999 : 0.999;
    right = right && cosine >= gate;
    fmt::print(fmt::runtime(options.json ? R"({{"precision":"{}","least_cosine":{:.5f},"texts":{}}})"
                                           "\n"
                                         : "{}: least cosine {:.5f} of {} texts\n"),
               to_string(precision), cosine, reference.texts.size());
    if (cosine < gate) fmt::print(stderr, "{}: cosine {} is below {}\n", to_string(precision), cosine, gate);
    if (!wanted) continue;
    if (options.evict_mib > 0) {
      const bool same = measure_cold(**encoder, options);
      if (!same) fmt::print(stderr, "{}: a team's bytes differ from one thread's\n", to_string(precision));
      right = right && same;
      continue;
    }
    for (const Row& row : measure(**encoder, options)) print_row(row, peak_gops(peaks, precision), options.json);
  }
  return right ? 0 : 1;
}
