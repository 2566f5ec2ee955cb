// The loops behind outliers.hpp, written for the compiler to vectorise. Included once by each variant's file, in an
// unnamed namespace, after kRegisterBytes, the instruction set's: GCC 12 takes wider vectors apart, lane by lane. Uses no library
// template, so that no code of a wide instruction set can be linked elsewhere.

constexpr std::size_t kLanes = kRegisterBytes / sizeof(float);
using Lanes [[gnu::vector_size(kRegisterBytes)]] = float;
using Words [[gnu::vector_size(kRegisterBytes)]] = std::int32_t;
using Halves [[gnu::vector_size(kRegisterBytes / 2)]] = std::int16_t;
constexpr std::size_t kChains = 64 / kLanes;  // of a block of 64; independent accumulators: the additions' latency overlaps

inline float magnitude(float value) { return value < 0 ? -value : value; }

std::uint64_t deviation(const std::uint8_t* bytes, std::size_t columns, std::int32_t zero_point) {
  std::uint32_t sum = 0;  // 255 * kMaxInFeatures fits
  for (std::size_t column = 0; column < columns; ++column) {
    const std::int32_t steps = std::int32_t{bytes[column]} - zero_point;
    sum += static_cast<std::uint32_t>(steps < 0 ? -steps : steps);
  }
  return sum;
}

// Whether any of the `groups` * kLanes values is above `limit` in magnitude.
inline bool any_above(const float* row, std::size_t groups, float limit) {
  decltype(Lanes{} > limit) above = {};
  for (std::size_t group = 0; group < groups; ++group) {
    Lanes values;
    __builtin_memcpy(&values, row + group * kLanes, sizeof values);
    above |= (values > limit) | (values < -limit);
  }
  std::uint64_t words[kRegisterBytes / sizeof(std::uint64_t)];
  __builtin_memcpy(words, &above, sizeof words);
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  return any != 0;
}

// Outliers are few: groups of 64 and then of a register's columns without one are left at once.
std::size_t find_above(const float* row, std::size_t columns, float limit, std::uint32_t* found) {
  constexpr std::size_t kBlock = kChains * kLanes;
  std::size_t count = 0;
  for (std::size_t first = 0; first < columns; first += kLanes) {
    if (first % kBlock == 0 && first + kBlock <= columns && !any_above(row + first, kChains, limit)) {
      first += kBlock - kLanes;
      continue;
    }
    const std::size_t end = first + kLanes < columns ? first + kLanes : columns;
    if (end == first + kLanes && !any_above(row + first, 1, limit)) continue;
    for (std::size_t column = first; column < end; ++column) {
      if (magnitude(row[column]) > limit) found[count++] = static_cast<std::uint32_t>(column);
    }
  }
  return count;
}

// Blocks of 64 output features stay in registers while all outliers of the row pass.
inline void add_block(const OutlierProducts& products, std::size_t first, float* out) {
  Lanes sums[kChains];
  __builtin_memcpy(sums, out, sizeof sums);
  for (std::size_t index = 0; index < products.count; ++index) {
    const Outlier& outlier = products.outliers[index];
    const float factor = outlier.value * products.scales[outlier.column];
    const std::int16_t* const weights = products.weights + outlier.column * products.stride + first;
#pragma GCC unroll 16
    for (std::size_t chain = 0; chain < kChains; ++chain) {
      Halves halves;
      __builtin_memcpy(&halves, weights + chain * kLanes, sizeof halves);
      sums[chain] += factor * __builtin_convertvector(__builtin_convertvector(halves, Words), Lanes);
    }
  }
  __builtin_memcpy(out, sums, sizeof sums);
}

void add(const OutlierProducts& products) {
  constexpr std::size_t kBlock = kChains * kLanes;
  std::size_t first = 0;
  for (; first + kBlock <= products.out_features; first += kBlock) add_block(products, first, products.out + first);
  if (first == products.out_features) return;
  alignas(64) float rest[kBlock] = {};
  const std::size_t bytes = (products.out_features - first) * sizeof(float);
  __builtin_memcpy(rest, products.out + first, bytes);
  add_block(products, first, rest);
  __builtin_memcpy(products.out + first, rest, bytes);
}
