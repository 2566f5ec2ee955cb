#include "adapters/graph/code_product.hpp"

#include "nn/kernels/isa.hpp"

namespace scalestyle::adapters::graph {

std::int32_t code_product_scalar(const std::int8_t* a, const std::int8_t* b, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(a[i]) * static_cast<std::int32_t>(b[i]);
  return sum;
}

CodeProduct code_product() {
#if defined(__x86_64__)
  if (nn::kernels::active_isa() != nn::kernels::Isa::kScalar) return code_product_avx2;
#endif
  return code_product_scalar;
}

}  // namespace scalestyle::adapters::graph
