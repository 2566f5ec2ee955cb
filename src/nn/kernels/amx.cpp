#include "nn/kernels/simd_avx512.hpp"

#include "nn/kernels/amx_tiles.hpp"
#include "nn/kernels/generic_gemm.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline constexpr std::size_t kGroupBytes = 4 * kPanel;             // one group of k, all columns of a panel
inline constexpr std::size_t kWeightTileBytes = 16 * kGroupBytes;  // the groups of one tile

// Tile numbers are part of the instruction, hence macros: sums 0-3, rows of A 4-5, weights 6-7.
#define NN_TILE_DOT(sum, rows, weights)          \
  do {                                           \
    if constexpr (Bf16) {                        \
      _tile_dpbf16ps(sum, rows, weights);        \
    } else {                                     \
      _tile_dpbusd(sum, rows, weights);          \
    }                                            \
  } while (false)

struct ByteOperands {
  const std::byte* a;
  std::size_t a_stride;
  const std::byte* b;
  std::size_t depth;  // bytes
};

// 32 rows x 32 columns.
template <bool Bf16>
[[gnu::noinline]] void multiply_square(const ByteOperands& in, std::byte* out) {
  const std::byte* upper = in.a;
  const std::byte* lower = in.a + 16 * in.a_stride;
  const std::byte* b = in.b;
  const std::size_t a_stride = in.a_stride;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t k = 0; k < in.depth; k += kTileBytes) {
    _tile_loadd(6, b, kGroupBytes);
    _tile_loadd(4, upper, a_stride);
    _tile_loadd(7, b + kTileBytes, kGroupBytes);
    _tile_loadd(5, lower, a_stride);
    NN_TILE_DOT(0, 4, 6);
    NN_TILE_DOT(1, 4, 7);
    NN_TILE_DOT(2, 5, 6);
    NN_TILE_DOT(3, 5, 7);
    b += kWeightTileBytes;
    upper += kTileBytes;
    lower += kTileBytes;
  }
  _tile_stored(0, out, kGroupBytes);
  _tile_stored(1, out + kTileBytes, kGroupBytes);
  _tile_stored(2, out + 16 * kGroupBytes, kGroupBytes);
  _tile_stored(3, out + 16 * kGroupBytes + kTileBytes, kGroupBytes);
}

// Few rows read all weights for little work: these come from beyond the second cache, ahead of their use.
constexpr std::size_t kPrefetchBytes = 8192;

// 16 rows x 64 columns, for what is left.
template <bool Bf16>
[[gnu::noinline]] void multiply_strip(const ByteOperands& in, std::byte* out) {
  const std::byte* a = in.a;
  const std::byte* b = in.b;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t k = 0; k < in.depth; k += kTileBytes) {
#pragma GCC unroll 16
    for (std::size_t line = 0; line < kWeightTileBytes; line += 64) __builtin_prefetch(b + kPrefetchBytes + line);
    _tile_loadd(4, a, in.a_stride);
    _tile_loadd(5, b, kGroupBytes);
    NN_TILE_DOT(0, 4, 5);
    _tile_loadd(6, b + kTileBytes, kGroupBytes);
    NN_TILE_DOT(1, 4, 6);
    _tile_loadd(7, b + 2 * kTileBytes, kGroupBytes);
    NN_TILE_DOT(2, 4, 7);
    _tile_loadd(5, b + 3 * kTileBytes, kGroupBytes);
    NN_TILE_DOT(3, 4, 5);
    b += kWeightTileBytes;
    a += kTileBytes;
  }
  _tile_stored(0, out, kGroupBytes);
  _tile_stored(1, out + kTileBytes, kGroupBytes);
  _tile_stored(2, out + 2 * kTileBytes, kGroupBytes);
  _tile_stored(3, out + 3 * kTileBytes, kGroupBytes);
}

#undef NN_TILE_DOT

template <bool Bf16>
struct AmxKernel {
  using Sum = std::conditional_t<Bf16, float, std::int32_t>;
  static constexpr std::size_t kTileRows = 32;
  static constexpr bool kSpreadRows = false;

  template <class Args>
  static void multiply(const Args& args, const TilePlace& place, Sum* tile) {
    const auto* panel =
        static_cast<const std::byte*>(static_cast<const void*>(args.panels + place.panel * args.depth * kPanel));
    const auto* a = static_cast<const std::byte*>(static_cast<const void*>(args.a + place.row * args.a_stride));
    auto* out = static_cast<std::byte*>(static_cast<void*>(tile));
    const ByteOperands in{a, args.a_stride * sizeof(*args.a), panel, args.depth * sizeof(*args.a)};
    if (place.rows <= 16) {
      multiply_strip<Bf16>(in, out);
      return;
    }
    multiply_square<Bf16>(in, out);
    multiply_square<Bf16>({a, in.a_stride, panel + 2 * kTileBytes, in.depth}, out + 2 * kTileBytes);
  }
};

}  // namespace

void gemm_int8_amx(const GemmInt8Args& args) {
  const TileScope scope;
  for_each_tile<AmxKernel<false>>(args);
}

void gemm_bf16_amx(const GemmBf16Args& args) {
  const TileScope scope;
  for_each_tile<AmxKernel<true>>(args);
}

}  // namespace scalestyle::nn::kernels
