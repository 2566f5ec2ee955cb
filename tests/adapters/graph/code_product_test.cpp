#include "adapters/graph/code_product.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "nn/kernels/isa.hpp"

namespace scalestyle::adapters::graph {
namespace {

TEST(CodeProduct, EveryVariantIsExact) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> code(-127, 127);
  for (const std::size_t count : {64U, 128U, 384U, 512U, 8192U}) {
    std::vector<std::int8_t> a(count);
    std::vector<std::int8_t> b(count);
    for (int extreme = 0; extreme < 5; ++extreme) {
      std::int64_t wanted = 0;
      for (std::size_t i = 0; i < count; ++i) {
        a[i] = static_cast<std::int8_t>(extreme == 0 ? code(random) : extreme % 2 == 0 ? 127 : -127);
        b[i] = static_cast<std::int8_t>(extreme == 0 ? code(random) : extreme > 2 ? 127 : -127);
        wanted += static_cast<std::int64_t>(a[i]) * static_cast<std::int64_t>(b[i]);
      }
      EXPECT_EQ(code_product_scalar(a.data(), b.data(), count), wanted);
      EXPECT_EQ(code_product()(a.data(), b.data(), count), wanted);
#if defined(__x86_64__)
      if (nn::kernels::supports(nn::kernels::Isa::kAvx2)) {
        EXPECT_EQ(code_product_avx2(a.data(), b.data(), count), wanted);
      }
#endif
    }
  }
}

}  // namespace
}  // namespace scalestyle::adapters::graph
