#include "nn/kernels/simd_scalar.hpp"

#include "nn/kernels/generic_table.hpp"

namespace scalestyle::nn::kernels {
namespace {

struct ScalarInt8Kernel {
  using Sum = std::int32_t;
  static constexpr std::size_t kTileRows = 4;
  static constexpr bool kSpreadRows = false;
  static void multiply(const GemmInt8Args& args, const TilePlace& place, std::int32_t* tile) {
    const std::int8_t* panel = args.panels + place.panel * args.depth * kPanel;
    for (std::size_t r = 0; r < place.rows; ++r) {
      const std::uint8_t* row = args.a + (place.row + r) * args.a_stride;
      std::int32_t* sums = tile + r * kPanel;
      for (std::size_t column = 0; column < kPanel; ++column) sums[column] = 0;
      for (std::size_t k = 0; k < args.depth; ++k) {
        const std::int32_t value = row[k];
        const std::int8_t* weights = panel + k / 4 * 4 * kPanel + k % 4;
        for (std::size_t column = 0; column < kPanel; ++column) sums[column] += value * weights[4 * column];
      }
    }
  }
};

void dot_int8_scalar(const ScanArgs& args) {
  for (std::size_t i = 0; i < args.count; ++i) {
    const std::size_t row = args.rows == nullptr ? i : args.rows[i];
    const std::int8_t* vector = args.vectors + row * args.dimension;
    for (std::size_t q = 0; q < args.query_count; ++q) {
      const std::int8_t* query = args.queries + q * args.dimension;
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < args.dimension; ++k) sum += std::int32_t{query[k]} * vector[k];
      args.out[q * args.out_stride + i] = sum;
    }
  }
}

}  // namespace

KernelTable scalar_kernels() {
  KernelTable table = generic_table(Isa::kScalar);
  table.gemm_int8 = [](const GemmInt8Args& args) { for_each_tile<ScalarInt8Kernel>(args); };
  table.dot_int8 = dot_int8_scalar;
  return table;
}

}  // namespace scalestyle::nn::kernels
