#pragma once
// What the AMX kernels share: the tiles' shape, and the scope in which a thread has them. Internal; include after
// simd_avx512.hpp.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace scalestyle::nn::kernels {
namespace {

inline constexpr std::size_t kTileBytes = 64;  // a tile row: 64 int8 or 32 bf16, or 16 sums

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// All eight tiles are 16 x 64 bytes: rows past the end of A are computed and dropped, so one configuration does.
// In static storage: GCC's intrinsic tells the compiler of the first eight bytes read only, and it would drop the rest.
constexpr TileConfig kTileConfig;

// Released at once, so that a thread between products has no tile state to save.
class TileScope {
 public:
  TileScope() { _tile_loadconfig(&kTileConfig); }
  ~TileScope() { _tile_release(); }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

}  // namespace
}  // namespace scalestyle::nn::kernels
