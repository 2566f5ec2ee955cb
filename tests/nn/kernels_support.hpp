#pragma once
// Shared by the kernel tests: deterministic data, and every instruction set of this processor in turn.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "nn/kernels/isa.hpp"
#include "nn/kernels/matrix.hpp"

namespace scalestyle::nn::kernels::test {

inline std::vector<float> random_floats(std::size_t count, std::uint32_t seed, float scale = 1.0F) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Forces an instruction set for a scope.
class WithIsa {
 public:
  explicit WithIsa(Isa isa) { EXPECT_TRUE(force_isa(to_string(isa))); }
  ~WithIsa() { static_cast<void>(force_isa("auto")); }
  WithIsa(const WithIsa&) = delete;
  WithIsa& operator=(const WithIsa&) = delete;
};

// function() under the scalar kernels, then under each other set: calls compare(isa, scalar result, result).
template <class Function, class Compare>
void for_each_isa(Function function, Compare compare) {
  const auto scalar = [&] {
    const WithIsa forced(Isa::kScalar);
    return function();
  }();
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::kScalar) continue;
    const WithIsa forced(isa);
    SCOPED_TRACE(to_string(isa));
    compare(isa, scalar, function());
  }
}

template <class Function>
void expect_same_bits_on_every_isa(Function function) {
  for_each_isa(function, [](Isa, const std::vector<float>& scalar, const std::vector<float>& other) {
    EXPECT_TRUE(same_bits(scalar, other));
  });
}

}  // namespace scalestyle::nn::kernels::test
