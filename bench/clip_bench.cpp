// CLIP in each precision: milliseconds a picture, alone and in batches of eight, on one thread and on two, and a text of ten
// tokens, each against the arithmetic at the register peak measured in the same run; and how near the narrow precisions'
// vectors are to f32's.
//
//   clip_bench [--model DIR] [--write DIR] [--precision NAME] [--isa NAME] [--seconds-per-cell S] [--json]
//
// Without --model: ViT-B/32 in its true shape with random weights (605 MB in the temporary folder; --write leaves them in
// DIR and ends). Their cosines are no judgement of the real weights; with --model the gates count (bf16 and int8 0.999) for
// the exit code. A figure is the best of repeated calls; on one thread it is the thread's processor time, which leaves out
// what other work takes, on two it is wall time: one picture (or text) is shared by a team, of batches each thread has one.
// Exit code 1 also when a vector's bytes depend on its batch or on the threads.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kernels_peaks.hpp"
#include "nn/clip_model.hpp"
#include "nn/kernels/isa.hpp"
#include "random_clip.hpp"

namespace {

using namespace scalestyle;
using namespace scalestyle::nn;

constexpr std::size_t kPictures = 16;
constexpr std::size_t kBatch = 8;
constexpr std::size_t kTextTokens = 10;
constexpr double kGate = 0.999;

struct Options {
  std::string model;
  std::string write;
  std::string precision;  // empty: all
  std::string isa = "auto";
  double seconds_per_cell = 0.6;
  bool json = false;
};

void need(const core::Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().message);
  std::exit(2);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
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

struct Inputs {
  std::size_t image_values = 0;
  std::vector<float> pixels;
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<TokenSequence> texts;

  [[nodiscard]] std::span<const float> pictures(std::size_t first, std::size_t count) const {
    return std::span(pixels).subspan(first * image_values, count * image_values);
  }
};

Inputs make_inputs(const ClipModel& model) {
  Inputs inputs;
  inputs.image_values = 3 * model.image_size() * model.image_size();
  inputs.pixels = bench::random_pictures(kPictures, model.image_size(), 1);
  inputs.ids = bench::random_token_texts(kPictures, kTextTokens, model.vocabulary_size(), 2);
  for (auto& ids : inputs.ids) ids.back() = model.end_token();
  inputs.texts.assign(inputs.ids.begin(), inputs.ids.end());
  return inputs;
}

struct Vectors {
  std::vector<float> images;
  std::vector<float> texts;
};

Vectors encode_all(const ClipModel& model, const Inputs& inputs) {
  ClipWorkspace workspace;
  Vectors vectors{std::vector<float>(kPictures * model.dimension()), std::vector<float>(kPictures * model.dimension())};
  need(model.encode_images(inputs.pixels, vectors.images, workspace));
  need(model.encode_texts(inputs.texts, vectors.texts, workspace));
  return vectors;
}

// One helper, busy until the end of its scope.
class TeamOfTwo {
 public:
  TeamOfTwo() : helper_([this] { team_.help(); }) {}
  ~TeamOfTwo() { team_.close(); }
  TeamOfTwo(const TeamOfTwo&) = delete;
  TeamOfTwo& operator=(const TeamOfTwo&) = delete;
  Team* team() { return &team_; }

 private:
  Team team_;
  std::jthread helper_;
};

// Every vector alone, and alone by a team, against the batch's.
bool same_bytes(const ClipModel& model, const Inputs& inputs, const Vectors& batch) {
  const std::size_t width = model.dimension();
  ClipWorkspace workspace;
  TeamOfTwo two;
  bool same = true;
  for (std::size_t index = 0; index < kPictures; index += 5) {
    for (Team* team : {static_cast<Team*>(nullptr), two.team()}) {
      std::vector<float> image(width);
      std::vector<float> text(width);
      need(model.encode_images(inputs.pictures(index, 1), image, workspace, team));
      need(model.encode_texts(std::span(inputs.texts).subspan(index, 1), text, workspace, team));
      const auto from = static_cast<std::ptrdiff_t>(index * width);
      same = same && std::equal(image.begin(), image.end(), batch.images.begin() + from);
      same = same && std::equal(text.begin(), text.end(), batch.texts.begin() + from);
    }
  }
  return same;
}

struct Row {
  std::string_view work;
  std::size_t batch;
  std::size_t threads;
  double seconds;     // a picture or text
  double operations;  // the same
};

std::vector<Row> measure(const ClipModel& model, const Inputs& inputs, double budget) {
  ClipWorkspace workspace;
  ClipWorkspace other;
  std::vector<float> out(kBatch * model.dimension());
  std::vector<float> second_out(out.size());
  std::vector<Row> rows;
  const auto images = [&](std::size_t count, ClipWorkspace& own, std::vector<float>& vectors, Team* team) {
    need(model.encode_images(inputs.pictures(0, count), std::span(vectors).first(count * model.dimension()), own, team));
  };
  const auto text = [&](Team* team) {
    need(model.encode_texts(std::span(inputs.texts).first(1), std::span(out).first(model.dimension()), workspace, team));
  };
  const double picture = model.image_operations();
  const double words = model.text_operations(kTextTokens);
  rows.push_back({"picture", 1, 1, best_seconds(budget, thread_seconds, [&] { images(1, workspace, out, nullptr); }), picture});
  rows.push_back({"text", 1, 1, best_seconds(budget, thread_seconds, [&] { text(nullptr); }), words});
  {
    TeamOfTwo two;
    const double shared = best_seconds(budget, wall_seconds, [&] { images(1, workspace, out, two.team()); });
    rows.push_back({"picture", 1, 2, shared, picture});
    rows.push_back({"text", 1, 2, best_seconds(budget, wall_seconds, [&] { text(two.team()); }), words});
  }
  const double one = best_seconds(budget, thread_seconds, [&] { images(kBatch, workspace, out, nullptr); });
  rows.push_back({"picture", kBatch, 1, one / kBatch, picture});
  const double both = best_seconds(budget, wall_seconds, [&] {
    std::jthread thread([&] { images(kBatch, other, second_out, nullptr); });
    images(kBatch, workspace, out, nullptr);
  });
  rows.push_back({"picture", kBatch, 2, both / (2 * kBatch), picture});
  return rows;
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

void print_row(Precision precision, const Row& row, double peak, bool json) {
  const double gops = row.operations / row.seconds * 1e-9;
  const double percent = peak > 0 ? 100 * gops / (peak * static_cast<double>(row.threads)) : 0;
  fmt::print(fmt::runtime(json ? R"({{"precision":"{}","work":"{}","batch":{},"threads":{},"ms":{:.3f},"per_second":{:.1f},)"
                                 R"("gops":{:.1f},"percent_of_peak":{:.1f}}})"
                                 "\n"
                               : "{:>5} {:>8} {:>6} {:>8} {:>9.2f} {:>10.1f} {:>8.0f} {:>9.1f}\n"),
             to_string(precision), row.work, row.batch, row.threads, row.seconds * 1e3, 1 / row.seconds, gops, percent);
}

struct Nearness {
  double least = 1;
  double mean = 0;
};

// Cosines between rows of unit vectors.
Nearness nearness(const std::vector<float>& a, const std::vector<float>& b, std::size_t dimension) {
  Nearness near;
  const std::size_t rows = a.size() / dimension;
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (std::size_t index = row * dimension; index < (row + 1) * dimension; ++index) {
      sum += static_cast<double>(a[index]) * static_cast<double>(b[index]);
    }
    near.least = std::min(near.least, sum);
    near.mean += sum / static_cast<double>(rows);
  }
  return near;
}

// The mean cosine between vectors of different inputs: near 1 the model would tell nothing apart.
double likeness(const std::vector<float>& vectors, std::size_t dimension) {
  std::vector<float> shifted(vectors.begin() + static_cast<std::ptrdiff_t>(dimension), vectors.end());
  shifted.insert(shifted.end(), vectors.begin(), vectors.begin() + static_cast<std::ptrdiff_t>(dimension));
  return nearness(vectors, shifted, dimension).mean;
}

bool measure_all(const std::filesystem::path& folder, const Options& options) {
  const bench::Peaks peaks = bench::measure_peaks();
  if (!options.json) {
    fmt::print("{}; register peaks of one core: f32 {:.0f}, bf16 {:.0f}, int8 {:.0f} giga-operations/s\n",
               nn::kernels::describe_active_isa(), peak_gops(peaks, Precision::kF32), peak_gops(peaks, Precision::kBf16),
               peak_gops(peaks, Precision::kInt8));
    fmt::print("{:>5} {:>8} {:>6} {:>8} {:>9} {:>10} {:>8} {:>9}\n", "", "work", "batch", "threads", "ms each", "per second",
               "GOP/s", "% of peak");
  }
  bool right = true;
  Vectors exact;
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {  // f32 is the others' reference
    const bool wanted = options.precision.empty() || options.precision == to_string(precision);
    if (!wanted && precision != Precision::kF32) continue;
    const auto loaded = ClipModel::load(folder, {.precision = precision, .weights_sha256 = "not asked for"});
    if (!loaded) need(std::unexpected(loaded.error()));
    const ClipModel& model = **loaded;
    const Inputs inputs = make_inputs(model);
    const Vectors vectors = encode_all(model, inputs);
    if (precision == Precision::kF32) exact = vectors;
    if (!same_bytes(model, inputs, vectors)) {
      fmt::print(stderr, "{}: a vector's bytes depend on its batch or on the threads\n", to_string(precision));
      right = false;
    }
    const Nearness images = nearness(vectors.images, exact.images, model.dimension());
    const Nearness texts = nearness(vectors.texts, exact.texts, model.dimension());
    const bool near = std::min(images.least, texts.least) >= kGate;
    if (!options.model.empty()) right = right && near;
    fmt::print(fmt::runtime(options.json
                                ? R"({{"precision":"{}","pictures_least":{:.6f},"pictures_mean":{:.6f},"texts_least":{:.6f},)"
                                  R"("texts_mean":{:.6f},"gate":{},"near":{},"weights_mb":{:.0f},"likeness":{:.3f}}})"
                                  "\n"
                                : "{:>5} cosine to f32: pictures least {:.6f}, mean {:.6f}; texts least {:.6f}, mean {:.6f}; "
                                  "gate {}: {}; packed weights {:.0f} MB; different pictures among each other {:.3f}\n"),
               to_string(precision), images.least, images.mean, texts.least, texts.mean, kGate, near,
               static_cast<double>(model.weight_bytes()) * 1e-6, likeness(vectors.images, model.dimension()));
    if (!wanted) continue;
    for (const Row& row : measure(model, inputs, options.seconds_per_cell)) {
      print_row(precision, row, peak_gops(peaks, precision), options.json);
    }
  }
  return right;
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
    else if (name == "--write") options.write = value();
    else if (name == "--precision") options.precision = value();
    else if (name == "--isa") options.isa = value();
    else if (name == "--seconds-per-cell") options.seconds_per_cell = std::strtod(value().c_str(), nullptr);
    else if (name == "--json") options.json = true;
    else {
      fmt::print(stderr, "unknown argument {}\n", name);
      std::exit(2);
    }
  }
  if (!options.precision.empty() && !parse_precision(options.precision)) {
    fmt::print(stderr, "unknown precision {}: f32, bf16 or int8\n", options.precision);
    std::exit(2);
  }
  return options;
}

}  // namespace

int main(int count, char** values) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // rows are seen as they are measured
  const Options options = parse(count, values);
  need(nn::kernels::force_isa(options.isa));
  if (!options.write.empty()) {
    std::filesystem::create_directories(options.write);
    need(bench::write_random_clip(options.write, bench::kVitB32, 7));
    return 0;
  }
  if (!options.model.empty()) return measure_all(options.model, options) ? 0 : 1;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("scalestyle-clip-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  need(bench::write_random_clip(folder, bench::kVitB32, 7));
  const bool right = measure_all(folder, options);
  std::filesystem::remove_all(folder);
  return right ? 0 : 1;
}
