#include "kernels_peaks.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace scalestyle::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Best of several short runs: other work on the machine only ever slows a run down.
template <class Function>
double best_gops(double operations_per_call, Function function) {
  constexpr int kCalls = 40;
  constexpr int kRuns = 12;
  double best = 0.0;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = Clock::now();
    for (int call = 0; call < kCalls; ++call) function();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, operations_per_call * kCalls / seconds * 1e-9);
  }
  return best;
}

#if defined(__x86_64__)

// Operands that are not zeros: a processor may save power, and so gain speed, on zeros.
struct alignas(64) RandomBits {
  std::uint32_t words[512];
  RandomBits() {
    std::uint32_t state = 12345;
    for (std::uint32_t& word : words) word = state = state * 1664525U + 1013904223U;
  }
};
const RandomBits kBits;
// The same as floats between 0.5 and 1, and as bf16 pairs: the sign and exponent fixed, so that sums stay finite.
struct alignas(64) RandomFractions {
  std::uint32_t words[512];
  explicit RandomFractions(std::uint32_t mantissas, std::uint32_t exponents) {
    for (int i = 0; i < 512; ++i) words[i] = (kBits.words[i] & mantissas) | exponents;
  }
};
const RandomFractions kFloats(0x807fffffU, 0x3f000000U);
const RandomFractions kBf16(0x807f807fU, 0x3f003f00U);

constexpr int kRounds = 2000;
constexpr int kSums = 12;  // independent chains: enough to hide the latency on two ports

// Each keeps its sums in registers; the empty asm makes every round's value count.
#define BENCH_PEAK(name, features, vector_type, start, step)                         \
  __attribute__((target(features), noinline)) void name() {                          \
    vector_type sum[kSums];                                                          \
    vector_type a = start;                                                           \
    vector_type b = start;                                                           \
    __asm__ volatile("" : "+v"(a), "+v"(b));                                         \
    _Pragma("GCC unroll 12") for (int i = 0; i < kSums; ++i) sum[i] = start;         \
    for (int round = 0; round < kRounds; ++round) {                                  \
      _Pragma("GCC unroll 12") for (int i = 0; i < kSums; ++i) {                     \
        sum[i] = step;                                                               \
        __asm__ volatile("" : "+v"(sum[i]));                                         \
      }                                                                              \
    }                                                                                \
  }

BENCH_PEAK(fma_512, "avx512f", __m512, _mm512_loadu_ps(static_cast<const void*>(kFloats.words)), _mm512_fmadd_ps(a, b, sum[i]))
BENCH_PEAK(bf16_512, "avx512f,avx512bf16", __m512, _mm512_loadu_ps(static_cast<const void*>(kBf16.words)),
           _mm512_dpbf16_ps(sum[i], __builtin_bit_cast(__m512bh, a), __builtin_bit_cast(__m512bh, b)))
BENCH_PEAK(vnni_512, "avx512f,avx512vnni", __m512i, _mm512_loadu_si512(kBits.words), _mm512_dpbusd_epi32(sum[i], a, b))
// The products are written as assembly: their operands never change, and the compiler would compute them once.
__attribute__((target("avx512f,avx512bw"))) inline __m512i madd_add_512(__m512i sum, __m512i a, __m512i b) {
  __m512i products;
  __asm__ volatile("vpmaddwd %2, %1, %0" : "=v"(products) : "v"(a), "v"(b));
  return _mm512_add_epi32(sum, products);
}
BENCH_PEAK(madd_512, "avx512f,avx512bw", __m512i, _mm512_loadu_si512(kBits.words), madd_add_512(sum[i], a, b))
#undef BENCH_PEAK
__attribute__((target("avx2"))) inline __m256i load_256(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
// The older encodings know 16 registers only ("x").
#define BENCH_PEAK(name, features, vector_type, start, step)                         \
  __attribute__((target(features), noinline)) void name() {                          \
    vector_type sum[kSums];                                                          \
    vector_type a = start;                                                           \
    vector_type b = start;                                                           \
    __asm__ volatile("" : "+x"(a), "+x"(b));                                         \
    _Pragma("GCC unroll 12") for (int i = 0; i < kSums; ++i) sum[i] = start;         \
    for (int round = 0; round < kRounds; ++round) {                                  \
      _Pragma("GCC unroll 12") for (int i = 0; i < kSums; ++i) {                     \
        sum[i] = step;                                                               \
        __asm__ volatile("" : "+x"(sum[i]));                                         \
      }                                                                              \
    }                                                                                \
  }
BENCH_PEAK(fma_256, "avx2,fma", __m256, __builtin_bit_cast(__m256, load_256(kFloats.words)), _mm256_fmadd_ps(a, b, sum[i]))
BENCH_PEAK(vnni_256, "avx2,avxvnni", __m256i, load_256(kBits.words), _mm256_dpbusd_avx_epi32(sum[i], a, b))
__attribute__((target("avx2"))) inline __m256i madd_add_256(__m256i sum, __m256i a, __m256i b) {
  __m256i products;
  __asm__ volatile("vpmaddwd %2, %1, %0" : "=x"(products) : "x"(a), "x"(b));
  return _mm256_add_epi32(sum, products);
}
BENCH_PEAK(madd_256, "avx2", __m256i, load_256(kBits.words), madd_add_256(sum[i], a, b))
#undef BENCH_PEAK

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
// In static storage: GCC's intrinsic tells the compiler of the first eight bytes read only, and it would drop the rest.
constexpr TileConfig kTileConfig;

__attribute__((target("amx-tile"))) inline void load_operands(const std::uint32_t* words) {
  _tile_loadd(4, words, 64);
  _tile_loadd(5, words + 256, 64);
  _tile_loadd(6, words + 128, 64);
  _tile_loadd(7, words + 64, 64);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

__attribute__((target("amx-tile,amx-int8"), noinline)) void amx_int8_rounds() {
  _tile_loadconfig(&kTileConfig);
  load_operands(kBits.words);
  for (int round = 0; round < kRounds; ++round) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_release();
}

__attribute__((target("amx-tile,amx-bf16"), noinline)) void amx_bf16_rounds() {
  _tile_loadconfig(&kTileConfig);
  load_operands(kBf16.words);
  for (int round = 0; round < kRounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

#endif

}  // namespace

Peaks measure_peaks() {
  Peaks peaks;
#if defined(__x86_64__)
  const auto& cpu = nn::kernels::cpu_features();
  constexpr double kInstructions = double{kRounds} * kSums;
  if (cpu.avx512) {
    peaks.f32_fma = best_gops(kInstructions * 32, fma_512);
    peaks.int8_madd = best_gops(kInstructions * 64, madd_512);
  } else if (cpu.avx2_fma) {
    peaks.f32_fma = best_gops(kInstructions * 16, fma_256);
    peaks.int8_madd = best_gops(kInstructions * 32, madd_256);
  }
  if (cpu.avx512_bf16) peaks.bf16_dot = best_gops(kInstructions * 64, bf16_512);
  if (cpu.avx512_vnni) {
    peaks.int8_vnni = best_gops(kInstructions * 128, vnni_512);
  } else if (cpu.avx_vnni) {
    peaks.int8_vnni = best_gops(kInstructions * 64, vnni_256);
  }
  if (cpu.amx_int8) peaks.amx_int8 = best_gops(4.0 * kRounds * 32768, amx_int8_rounds);
  if (cpu.amx_bf16) peaks.amx_bf16 = best_gops(4.0 * kRounds * 16384, amx_bf16_rounds);
#endif
  return peaks;
}

double int8_peak(const Peaks& peaks, nn::kernels::Isa isa) {
  using nn::kernels::Isa;
  if (isa == Isa::kAmxInt8) return peaks.amx_int8;
  return isa == Isa::kAvxVnni || isa == Isa::kAvx512Vnni ? peaks.int8_vnni : peaks.int8_madd;
}

}  // namespace scalestyle::bench
