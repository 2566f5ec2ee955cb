#include "nn/kernels/simd_avx2.hpp"

#include "nn/kernels/generic_table.hpp"
#include "nn/kernels/int8_widening.hpp"

namespace scalestyle::nn::kernels {

KernelTable avx2_kernels() {
  KernelTable table = generic_table(Isa::kAvx2);
  table.gemm_int8 = gemm_int8_widening;
  table.dot_int8 = dot_int8_widening;
  return table;
}

}  // namespace scalestyle::nn::kernels
