#pragma once
// PCG32 (O'Neill 2014, XSH-RR 64/32): small, and the same numbers everywhere, which the standard distributions are not.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace scalestyle::catalog {

class SampleRandom {
 public:
  // Generators of one seed and different streams are independent.
  SampleRandom(std::uint64_t seed, std::uint64_t stream) : increment_(2 * stream + 1) {
    (void)next();
    state_ += seed;
    (void)next();
  }

  std::uint32_t next() {
    const std::uint64_t old = state_;
    state_ = old * 6364136223846793005U + increment_;
    const auto shifted = static_cast<std::uint32_t>(((old >> 18) ^ old) >> 27);
    const auto rotation = static_cast<std::uint32_t>(old >> 59);
    return (shifted >> rotation) | (shifted << ((32 - rotation) & 31));
  }
  std::uint64_t next64() {
    const std::uint64_t high = next();
    return (high << 32) | next();
  }
  // 0 … bound-1; the bias is below 2⁻³² · bound.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
  }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <class Range>
  const auto& pick(const Range& values) {
    return values[below(static_cast<std::uint32_t>(std::size(values)))];
  }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t increment_;
};

}  // namespace scalestyle::catalog
