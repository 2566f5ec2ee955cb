// The loops behind outliers.hpp, written for the compiler to vectorise. Included once by each variant's file, in an
// unnamed namespace; uses no library template, so that no code of a wide instruction set can be linked elsewhere.

constexpr std::size_t kLanes = 16;
constexpr std::size_t kPanelColumns = 64;
constexpr std::size_t kGroup = 4;  // consecutive inputs that lie side by side in a packed panel

// Sixteen lanes in one register, or in as many as the instruction set needs.
using Lanes [[gnu::vector_size(64)]] = float;
constexpr std::size_t kChains = 4;  // independent accumulators: the additions' latency overlaps

inline float magnitude(float value) { return value < 0 ? -value : value; }
inline float larger(float a, float b) { return a > b ? a : b; }

RowShape row_shape(const float* row, std::size_t columns) {
  Lanes largest[kChains] = {};
  Lanes squares[kChains] = {};
  std::size_t column = 0;
  for (; column + kChains * kLanes <= columns; column += kChains * kLanes) {
#pragma GCC unroll 4
    for (std::size_t chain = 0; chain < kChains; ++chain) {
      Lanes values;
      __builtin_memcpy(&values, row + column + chain * kLanes, sizeof values);
      const Lanes magnitudes = values < 0.0F ? -values : values;
      largest[chain] = magnitudes > largest[chain] ? magnitudes : largest[chain];
      squares[chain] += values * values;
    }
  }
  const Lanes joined_largest[2] = {largest[0] > largest[1] ? largest[0] : largest[1],
                                   largest[2] > largest[3] ? largest[2] : largest[3]};
  const Lanes all_largest = joined_largest[0] > joined_largest[1] ? joined_largest[0] : joined_largest[1];
  const Lanes all_squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
  float lane_largest[kLanes];
  float lane_squares[kLanes];
  __builtin_memcpy(lane_largest, &all_largest, sizeof lane_largest);
  __builtin_memcpy(lane_squares, &all_squares, sizeof lane_squares);
  for (; column < columns; ++column) {
    const std::size_t lane = column % kLanes;
    lane_largest[lane] = larger(magnitude(row[column]), lane_largest[lane]);
    lane_squares[lane] += row[column] * row[column];
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) {
      lane_largest[lane] = larger(lane_largest[lane], lane_largest[lane + half]);
      lane_squares[lane] += lane_squares[lane + half];
    }
  }
  return {lane_largest[0], lane_squares[0]};
}

// Whether any of the `groups` * 16 values is above `limit` in magnitude.
inline bool any_above(const float* row, std::size_t groups, float limit) {
  decltype(Lanes{} > limit) above = {};
  for (std::size_t group = 0; group < groups; ++group) {
    Lanes values;
    __builtin_memcpy(&values, row + group * kLanes, sizeof values);
    above |= (values > limit) | (values < -limit);
  }
  std::uint64_t words[8];
  __builtin_memcpy(words, &above, sizeof words);
  return (((words[0] | words[1]) | (words[2] | words[3])) | ((words[4] | words[5]) | (words[6] | words[7]))) != 0;
}

// Outliers are few: groups of 64 and then of 16 columns without one are left at once.
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

// The four bytes of one group are one 32-bit word an output feature; the wanted one is shifted to its top.
inline float weight_at(const std::int8_t* words, std::size_t index, unsigned shift) {
  std::uint32_t word = 0;
  __builtin_memcpy(&word, words + index * kGroup, kGroup);
  return static_cast<float>(static_cast<std::int32_t>(word << shift) >> 24);
}

void add(const OutlierArgs& args) {
  const std::size_t offset = args.column / kGroup * kPanelColumns * kGroup;
  const auto shift = static_cast<unsigned>(24 - 8 * (args.column % kGroup));
  const float value = args.value;
  for (std::size_t first = 0; first < args.out_features; first += kPanelColumns) {
    const std::size_t panel = first / kPanelColumns;
    const std::int8_t* const coarse = args.coarse.weights + panel * args.coarse.panel_bytes + offset;
    const std::int8_t* const fine = args.fine.weights + panel * args.fine.panel_bytes + offset;
    const float* const coarse_scales = args.coarse.scales + first;
    const float* const fine_scales = args.fine.scales + first;
    alignas(64) float sums[kPanelColumns];
    for (std::size_t index = 0; index < kPanelColumns; ++index) {
      const float weight =
          coarse_scales[index] * weight_at(coarse, index, shift) + fine_scales[index] * weight_at(fine, index, shift);
      sums[index] = value * weight;
    }
    const std::size_t rest = args.out_features - first;
    const std::size_t count = rest < kPanelColumns ? rest : kPanelColumns;
    float* const out = args.out + first;
    for (std::size_t index = 0; index < count; ++index) out[index] += sums[index];
  }
}
