#include "nn/kernels/simd_avx512.hpp"

#include "nn/kernels/amx_tiles.hpp"
#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {
namespace {

inline constexpr std::size_t kTileRows = 16;
inline constexpr std::size_t kBlockRows = 4 * kTileRows;
// Below it the tiles' unused columns cost more than they save.
inline constexpr std::size_t kFewestQueries = 3;

// Rows of the block lie as a tile wants them, and ScanQueries::tiles() is the other operand: signed by signed bytes.
struct RowBlock {
  const std::int8_t* vectors;
  std::size_t dimension;
  const std::int8_t* queries;  // tiles
  std::int32_t* sums;          // [rows][16]
};

// The next block's rows, some in each step: tile loads touch lines in an order that no prefetcher foresees.
inline void prefetch_next(const std::int8_t* from) {
#pragma GCC unroll 8
  for (std::size_t line = 0; line < kBlockRows; ++line) _mm_prefetch(from + line * kTileBytes, _MM_HINT_T0);
}

// 64 rows. Tiles: sums 0-3, queries 4, rows 5-7.
[[gnu::noinline]] void dot_block(const RowBlock& in) {
  const std::size_t stride = in.dimension;
  const std::int8_t* first = in.vectors;
  const std::int8_t* second = first + kTileRows * stride;
  const std::int8_t* third = second + kTileRows * stride;
  const std::int8_t* fourth = third + kTileRows * stride;
  const std::int8_t* queries = in.queries;
  const std::int8_t* next = first + kBlockRows * stride;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t k = 0; k < stride; k += kTileBytes) {
    _tile_loadd(4, queries, kTileBytes);
    _tile_loadd(5, first + k, stride);
    _tile_dpbssd(0, 5, 4);
    _tile_loadd(6, second + k, stride);
    _tile_dpbssd(1, 6, 4);
    _tile_loadd(7, third + k, stride);
    _tile_dpbssd(2, 7, 4);
    _tile_loadd(5, fourth + k, stride);
    _tile_dpbssd(3, 5, 4);
    prefetch_next(next);
    queries += kTileRows * kTileBytes;
    next += kBlockRows * kTileBytes;
  }
  _tile_stored(0, in.sums, kTileBytes);
  _tile_stored(1, in.sums + kTileRows * 16, kTileBytes);
  _tile_stored(2, in.sums + 2 * kTileRows * 16, kTileBytes);
  _tile_stored(3, in.sums + 3 * kTileRows * 16, kTileBytes);
}

// 16 rows.
[[gnu::noinline]] void dot_tile(const RowBlock& in) {
  _tile_zero(0);
  for (std::size_t k = 0; k < in.dimension; k += kTileBytes) {
    _tile_loadd(4, in.queries + k * kTileRows, kTileBytes);
    _tile_loadd(5, in.vectors + k, in.dimension);
    _tile_dpbssd(0, 5, 4);
  }
  _tile_stored(0, in.sums, kTileBytes);
}

// Chosen rows come through a copy of 16 lines, from where a tile can be loaded.
[[gnu::noinline]] void dot_picked_tile(const RowBlock& in, const std::uint32_t* rows) {
  alignas(64) std::int8_t lines[2][kTileRows * kTileBytes];
  const auto gather = [&](std::size_t k, std::int8_t* to) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kTileRows; ++r) {
      _mm512_store_si512(to + r * kTileBytes, _mm512_loadu_si512(in.vectors + std::size_t{rows[r]} * in.dimension + k));
    }
  };
  _tile_zero(0);
  gather(0, lines[0]);
  for (std::size_t k = 0; k < in.dimension; k += kTileBytes) {
    const std::size_t now = k / kTileBytes % 2;
    if (k + kTileBytes < in.dimension) gather(k + kTileBytes, lines[1 - now]);
    _tile_loadd(4, in.queries + k * kTileRows, kTileBytes);
    _tile_loadd(5, lines[now], kTileBytes);
    _tile_dpbssd(0, 5, 4);
  }
  _tile_stored(0, in.sums, kTileBytes);
}

// out[q * stride + r] = sums[r][q] for 16 rows.
inline void store_transposed(const std::int32_t* sums, const ScanArgs& args, std::size_t first) {
  F32x16 square[16];  // only moved: the lanes are integers
#pragma GCC unroll 16
  for (std::size_t r = 0; r < 16; ++r) square[r].v = _mm512_castsi512_ps(_mm512_load_si512(sums + 16 * r));
  F32x16::transpose(square);
  alignas(64) std::int32_t columns[16 * 16];
#pragma GCC unroll 16
  for (std::size_t q = 0; q < 16; ++q) _mm512_store_si512(columns + 16 * q, _mm512_castps_si512(square[q].v));
  for (std::size_t q = 0; q < args.query_count; ++q) {
    _mm512_storeu_si512(args.out + q * args.out_stride + first, _mm512_load_si512(columns + 16 * q));
  }
}

}  // namespace

void dot_int8_amx(const ScanArgs& args) {
  std::size_t done = 0;
  if (args.query_count >= kFewestQueries && args.count >= kTileRows) {
    const TileScope scope;
    alignas(64) std::int32_t sums[kBlockRows * 16];
    const auto block_at = [&](std::size_t row) {
      return RowBlock{args.vectors + row * args.dimension, args.dimension, args.tiles, sums};
    };
    if (args.rows == nullptr) {
      for (; done + kBlockRows <= args.count; done += kBlockRows) {
        dot_block(block_at(done));
        for (std::size_t r = 0; r < kBlockRows; r += kTileRows) store_transposed(sums + 16 * r, args, done + r);
      }
    }
    for (; done + kTileRows <= args.count; done += kTileRows) {
      if (args.rows == nullptr) {
        dot_tile(block_at(done));
      } else {
        dot_picked_tile(block_at(0), args.rows + done);
      }
      store_transposed(sums, args, done);
    }
  }
  if (done == args.count) return;
  ScanArgs rest = args;
  rest.count -= done;
  rest.out += done;
  if (args.rows == nullptr) {
    rest.vectors += done * args.dimension;
  } else {
    rest.rows += done;
  }
  dot_int8_avx512_vnni(rest);
}

}  // namespace scalestyle::nn::kernels
