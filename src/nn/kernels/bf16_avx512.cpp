#include "nn/kernels/simd_avx512.hpp"

#include "nn/kernels/generic_dot512.hpp"

namespace scalestyle::nn::kernels {
namespace {

struct Bf16Dot {
  using Scalar = float;
  using Sum = __m512;
  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum add(Sum sum, __m512i value, __m512i column) {
    return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, value), __builtin_bit_cast(__m512bh, column));
  }
  static void store(std::byte* to, Sum sum) { _mm512_storeu_ps(to, sum); }
};

}  // namespace

void gemm_bf16_avx512(const GemmBf16Args& args) { for_each_tile<Dot512Kernel<Bf16Dot>>(args); }

}  // namespace scalestyle::nn::kernels
