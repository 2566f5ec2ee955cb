// Matrix products of the encoders' shapes against the register-only peak measured in the same run.
//
//   kernels_bench [--isa NAME] [--json] [--seconds-per-cell S] [--only gemm|rows|scan|peaks]
//                 [--most-rows N] [--peaked]
//
// --most-rows leaves out products of more rows, --peaked precisions that the processor has no instruction for.
// A cell is the best of repeated calls with warm weights: wall time, or for calls above 1 ms on one thread processor
// time, which does not count what other work takes away (a busy machine spoils the figures for two threads). Before it is timed its first rows are compared with the
// scalar kernels: bit for bit in f32 and int8, within the stated tolerance in bf16. Exit code 1 when they differ.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kernels_peaks.hpp"
#include "nn/kernels/attention.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/kernels/gemm.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/kernels/scan.hpp"

namespace {

using namespace scalestyle;
using namespace scalestyle::nn::kernels;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostRows = 1536;

struct Options {
  std::string isa = "auto";
  bool json = false;
  double seconds_per_cell = 0.03;
  std::string only;
  std::size_t most_rows = kMostRows;
  bool peaked = false;
};

struct Shape {
  std::size_t in;
  std::size_t out;
};
constexpr Shape kShapes[] = {{384, 384}, {384, 1536}, {1536, 384}, {768, 768}, {768, 3072}, {3072, 768}};
constexpr std::size_t kRowCounts[] = {12, 14, 24, 96, 384, 1280, 1536};

std::vector<float> random_floats(std::size_t count, std::uint32_t seed, float scale) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

double wall_seconds() { return std::chrono::duration<double>(Clock::now().time_since_epoch()).count(); }

// The processor time of this thread: unlike wall time it does not count what others take from it.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double best_seconds(double budget_seconds, const std::function<void()>& call, bool one_thread = true) {
  constexpr double kGroupSeconds = 50e-6;  // shorter calls are timed in groups
  constexpr double kSliceSeconds = 1e-3;   // calls above it are interrupted on a busy machine
  call();
  const double warm = wall_seconds();
  call();
  const double estimate = std::max(wall_seconds() - warm, 1e-7);
  const int group = std::max(1, static_cast<int>(kGroupSeconds / estimate));
  double (*const clock)() = one_thread && estimate > kSliceSeconds ? thread_seconds : wall_seconds;
  double best = 1e9;
  const double begin = wall_seconds();
  do {
    const double start = clock();
    for (int i = 0; i < group; ++i) call();
    best = std::min(best, (clock() - start) / group);
  } while (wall_seconds() - begin < budget_seconds);
  return best;
}

// A second thread that spins for work: the hand-over costs well under a microsecond.
class Helper {
 public:
  Helper() : thread_([this] { run(); }) {}
  ~Helper() {
    state_.store(kStop, std::memory_order_release);
    thread_.join();
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  void both(const std::function<void()>& mine, const std::function<void()>& other) {
    work_ = &other;
    state_.store(kGo, std::memory_order_release);
    mine();
    while (state_.load(std::memory_order_acquire) != kIdle) {
    }
  }

 private:
  enum State { kIdle, kGo, kStop };

  void run() {
    for (;;) {
      const State state = state_.load(std::memory_order_acquire);
      if (state == kStop) return;
      if (state != kGo) continue;
      (*work_)();
      state_.store(kIdle, std::memory_order_release);
    }
  }

  std::atomic<State> state_{kIdle};
  const std::function<void()>* work_ = nullptr;
  std::thread thread_;
};

struct Operands {
  explicit Operands(const Shape& of)
      : shape(of), a(random_floats(kMostRows * of.in, 1, 1.0F)), bf16_rows(kMostRows, of.in), int8_rows(kMostRows, of.in) {
    const auto weights = random_floats(of.out * of.in, 2, 0.05F);
    f32 = PackedF32::pack(weights, of.out, of.in).value();
    bf16 = PackedBf16::pack(weights, of.out, of.in).value();
    int8 = PackedInt8::pack(weights, of.out, of.in).value();
    bias = random_floats(of.out, 3, 1.0F);
    out.resize(kMostRows * of.out);
    round_to_bf16(input(), bf16_rows);
    quantize_rows(input(), int8_rows);
  }
  [[nodiscard]] ConstMatrix input() const { return {a.data(), kMostRows, shape.in, shape.in}; }

  // precision 0: f32, 1: bf16, 2: int8.
  void multiply(int precision, std::size_t first, std::size_t rows, PanelRange panels = {}) {
    const Epilogue epilogue{bias.data()};
    const Matrix target{out.data() + first * shape.out, rows, shape.out, shape.out};
    if (precision == 0) return gemm(input().row_block(first, rows), f32, epilogue, target, panels);
    if (precision == 1) return gemm(bf16_rows.view().row_block(first, rows), bf16, epilogue, target, panels);
    gemm(int8_rows.view().row_block(first, rows), int8, epilogue, target, panels);
  }

  Shape shape;
  std::vector<float> a;
  std::vector<float> bias;
  std::vector<float> out;
  PackedF32 f32;
  PackedBf16 bf16;
  PackedInt8 int8;
  Bf16Rows bf16_rows;
  QuantizedRows int8_rows;
};

// The first 5 rows of a larger product against the scalar kernels.
bool matches_scalar(Operands& operands, int precision, const std::string& isa) {
  constexpr std::size_t kChecked = 5;
  operands.multiply(precision, 0, 24);
  const std::vector<float> got(operands.out.begin(), operands.out.begin() + static_cast<long>(kChecked * operands.shape.out));
  if (!force_isa("scalar")) return false;
  operands.multiply(precision, 0, kChecked);
  if (!force_isa(isa)) return false;
  if (precision != 1) return std::memcmp(got.data(), operands.out.data(), got.size() * sizeof(float)) == 0;
  // |a| is about 0.8 and |w| about 0.04 in the mean.
  const double tolerance = 1e-5 * 0.032 * static_cast<double>(operands.shape.in) * 2.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(double{got[i]} - double{operands.out[i]}) <= tolerance)) return false;
  }
  return true;
}

double peak_of(const bench::Peaks& peaks, int precision, Isa isa) {
  if (precision == 0) return peaks.f32_fma;
  if (precision == 1) return isa == Isa::kAmxInt8 && peaks.amx_bf16 > 0.0 ? peaks.amx_bf16 : peaks.bf16_dot;
  return bench::int8_peak(peaks, isa);
}

bool bench_products(const Options& options, const bench::Peaks& peaks) {
  constexpr const char* kNames[] = {"f32", "bf16", "int8"};
  Helper helper;
  bool correct = true;
  double sums[3][2] = {};
  if (!options.json) {
    fmt::print("\nGEMM with bias, GOP/s (% of the peak of the instruction used; two threads: of twice that)\n");
    fmt::print("{:>5} {:>10} | {:>13} {:>13} | {:>13} {:>13} | {:>13} {:>13}\n", "M", "K x N", "f32 1T", "2T",
               "bf16 1T", "2T", "int8 1T", "2T");
  }
  for (const Shape& shape : kShapes) {
    Operands operands(shape);
    for (int precision = 0; precision < 3; ++precision) {
      if (matches_scalar(operands, precision, options.isa)) continue;
      fmt::print(stderr, "{} {}x{}: differs from the scalar kernel\n", kNames[precision], shape.in, shape.out);
      correct = false;
    }
    for (const std::size_t rows : kRowCounts) {
      if (rows > options.most_rows) continue;
      if (!options.json) fmt::print("{:>5} {:>10} ", rows, fmt::format("{}x{}", shape.in, shape.out));
      for (int precision = 0; precision < 3; ++precision) {
        const double operations = 2.0 * static_cast<double>(rows * shape.in * shape.out);
        const double peak = peak_of(peaks, precision, active_isa());
        if (options.peaked && peak <= 0.0) continue;
        const double one = best_seconds(options.seconds_per_cell, [&] { operands.multiply(precision, 0, rows); });
        const std::size_t panels = shape.out / kPanelColumns;
        const double two = best_seconds(options.seconds_per_cell, [&] {
          if (rows >= 64) {
            helper.both([&] { operands.multiply(precision, 0, rows / 2); },
                        [&] { operands.multiply(precision, rows / 2, rows - rows / 2); });
          } else {
            helper.both([&] { operands.multiply(precision, 0, rows, {0, panels / 2}); },
                        [&] { operands.multiply(precision, 0, rows, {panels / 2, panels}); });
          }
        }, false);
        const double gops[2] = {operations / one * 1e-9, operations / two * 1e-9};
        for (int t = 0; t < 2; ++t) sums[precision][t] += peak > 0.0 ? 100.0 * gops[t] / peak / (t + 1) : 0.0;
        if (options.json) {
          fmt::print("{{\"kernel\":\"gemm_{}\",\"rows\":{},\"in\":{},\"out\":{},\"gops\":{:.1f},\"gops_two_threads\":{:.1f},"
                     "\"peak\":{:.1f}}}\n", kNames[precision], rows, shape.in, shape.out, gops[0], gops[1], peak);
        } else if (peak > 0.0) {
          fmt::print("| {:>6.0f} ({:>3.0f}%) {:>6.0f} ({:>3.0f}%) ", gops[0], 100.0 * gops[0] / peak, gops[1],
                     50.0 * gops[1] / peak);
        } else {
          fmt::print("| {:>13.0f} {:>13.0f} ", gops[0], gops[1]);
        }
      }
      if (!options.json) fmt::print("\n");
    }
  }
  const auto counts = std::ranges::count_if(kRowCounts, [&](std::size_t rows) { return rows <= options.most_rows; });
  const auto kept = static_cast<double>(std::size(kShapes)) * static_cast<double>(counts);
  if (!options.json) {
    for (int precision = 0; precision < 3; ++precision) {
      fmt::print("mean {}: {:.1f} % of peak on one thread, {:.1f} % on two\n", kNames[precision],
                 sums[precision][0] / kept, sums[precision][1] / kept);
    }
  }
  return correct;
}

void report(const Options& options, std::string_view name, double nanoseconds, std::string_view unit) {
  if (options.json) {
    fmt::print("{{\"kernel\":\"{}\",\"nanoseconds\":{:.3f},\"per\":\"{}\"}}\n", name, nanoseconds, unit);
  } else {
    fmt::print("{:<44} {:>9.3f} ns / {}\n", name, nanoseconds, unit);
  }
}

void bench_rows(const Options& options) {
  constexpr std::size_t kRows = 64;
  constexpr std::size_t kColumns = 1536;
  const auto source = random_floats(kRows * kColumns, 4, 1.0F);
  const std::vector<float> ones(kColumns, 1.0F);
  std::vector<float> values(source.size());
  QuantizedRows quantized(kRows, kColumns);
  const ConstMatrix in{source.data(), kRows, kColumns, kColumns};
  const Matrix out{values.data(), kRows, kColumns, kColumns};
  const double elements = kRows * kColumns;
  const auto per_element = [&](const std::function<void()>& call) {
    return best_seconds(options.seconds_per_cell, call) / elements * 1e9;
  };
  report(options, "residual + layer_norm + quantize",
         per_element([&] { layer_norm_quantize(in, {ones, ones}, out, quantized, in); }), "element");
  report(options, "quantize", per_element([&] { quantize_rows(in, quantized); }), "element");
  report(options, "copy + gelu", per_element([&] {
    std::memcpy(values.data(), source.data(), source.size() * sizeof(float));
    gelu_erf(out);
  }), "element");
  report(options, "copy + gelu + quantize", per_element([&] {
    std::memcpy(values.data(), source.data(), source.size() * sizeof(float));
    gelu_quantize(out, quantized);
  }), "element");
  for (const std::size_t tokens : {std::size_t{14}, std::size_t{50}}) {
    const AttentionShape shape{12, 32};
    const auto qkv = random_floats(tokens * 1152, 5, 1.0F);
    std::vector<float> context(tokens * 384);
    const AlignedBuffer workspace(attention_workspace_floats(tokens, shape) * sizeof(float));
    const double seconds = best_seconds(options.seconds_per_cell, [&] {
      attention({qkv.data(), tokens, 1152, 1152}, shape, {context.data(), tokens, 384, 384},
                {workspace.as<float>(), attention_workspace_floats(tokens, shape)});
    });
    report(options, fmt::format("attention, {} tokens, 12 heads of 32", tokens), seconds * 1e9, "sequence");
  }
}

bool bench_scan(const Options& options) {
  constexpr std::size_t kDimension = 384;
  constexpr std::size_t kVectors = 105542;
  const AlignedBuffer vectors(kVectors * kDimension);
  std::mt19937 engine(6);
  for (std::size_t i = 0; i < vectors.size_bytes(); ++i) vectors.as<std::int8_t>()[i] = static_cast<std::int8_t>(engine());
  bool correct = true;
  for (const std::size_t count : {1UL, 2UL, 3UL, 4UL, 8UL, 16UL}) {
    const auto prepared = ScanQueries::prepare({vectors.as<std::int8_t>(), count * kDimension}, kDimension);
    std::vector<std::int32_t> out(count * kVectors);
    const double seconds = best_seconds(4 * options.seconds_per_cell, [&] {
      dot_int8(prepared.value(), vectors.as<std::int8_t>(), kVectors, out.data(), kVectors);
    });
    const std::vector<std::int32_t> got = out;
    if (!force_isa("scalar")) return false;
    dot_int8(prepared.value(), vectors.as<std::int8_t>(), 1000, out.data(), kVectors);
    if (!force_isa(options.isa)) return false;
    correct = correct && got == out;
    report(options, fmt::format("int8 scan of {} x {}, {} queries", kVectors, kDimension, count), seconds * 1e9, "scan");
  }
  if (!correct) fmt::print(stderr, "int8 scan: differs from the scalar kernel\n");
  return correct;
}

bool parse(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--json") {
      options.json = true;
    } else if (name == "--peaked") {
      options.peaked = true;
    } else if (name == "--most-rows" && i + 1 < count) {
      options.most_rows = std::strtoull(arguments[++i], nullptr, 10);
    } else if (name == "--isa" && i + 1 < count) {
      options.isa = arguments[++i];
    } else if (name == "--only" && i + 1 < count) {
      options.only = arguments[++i];
    } else if (name == "--seconds-per-cell" && i + 1 < count) {
      options.seconds_per_cell = std::atof(arguments[++i]);
    } else {
      fmt::print(stderr, "unknown argument '{}'; use --isa NAME, --json, --seconds-per-cell S, --only gemm|rows|scan|peaks, --most-rows N, --peaked\n", name);
      return false;
    }
  }
  return true;
}

void print_head(const Options& options, const bench::Peaks& peaks) {
  if (options.json) {
    fmt::print("{{\"active\":\"{}\",\"f32_fma\":{:.1f},\"bf16_dot\":{:.1f},\"int8_vnni\":{:.1f},\"int8_madd\":{:.1f},"
               "\"amx_int8\":{:.1f},\"amx_bf16\":{:.1f},\"int8\":{:.1f}}}\n",
               describe_active_isa(), peaks.f32_fma, peaks.bf16_dot, peaks.int8_vnni, peaks.int8_madd, peaks.amx_int8,
               peaks.amx_bf16, bench::int8_peak(peaks, active_isa()));
    return;
  }
  fmt::print("{}, {} hardware threads\n", describe_active_isa(), std::thread::hardware_concurrency());
  fmt::print("register-only peaks, one thread, GOP/s: f32 fma {:.0f}, bf16 dot {:.0f}, int8 vnni {:.0f}, "
             "int8 madd {:.0f}, amx int8 {:.0f}, amx bf16 {:.0f}\n", peaks.f32_fma, peaks.bf16_dot, peaks.int8_vnni,
             peaks.int8_madd, peaks.amx_int8, peaks.amx_bf16);
}

}  // namespace

int main(int argument_count, char** arguments) {
  Options options;
  if (!parse(argument_count, arguments, options)) return 2;
  if (const auto forced = force_isa(options.isa); !forced) {
    fmt::print(stderr, "{}\n", forced.error().message);
    return 2;
  }
  const bench::Peaks peaks = bench::measure_peaks();
  print_head(options, peaks);
  const auto wanted = [&](std::string_view part) { return options.only.empty() || options.only == part; };
  const bool products = !wanted("gemm") || bench_products(options, peaks);
  if (wanted("rows")) bench_rows(options);
  const bool scan = !wanted("scan") || bench_scan(options);
  return products && scan ? 0 : 1;
}
