#pragma once
// Row-wise kernels over F32x16. Internal; include after one simd header.

#include "nn/kernels/generic_math.hpp"
#include "nn/kernels/kernel_table.hpp"

namespace scalestyle::nn::kernels {
namespace {

// Smallest and largest value of a row, zero included, so that the zero point is a byte.
struct Range {
  F32x16 low = F32x16::zero();
  F32x16 high = F32x16::zero();
  // Operand order: a value that is not a number leaves the range as it is.
  void take(F32x16 value) {
    low = F32x16::min(value, low);
    high = F32x16::max(value, high);
  }
};

// load(column, lanes) gives the row's values again.
template <class Load>
inline void quantize_row(Load load, std::size_t columns, const Range& range, const QuantizeArgs& out,
                         std::size_t index) {
  const float low = range.low.minimum();
  const float span = range.high.maximum() - low;
  const bool flat = !(span > 1e-30F);  // the reciprocal would overflow
  const float inverse = flat ? 0.0F : 255.0F / span;
  const float zero_point = (-low * inverse + kRoundingMagic) - kRoundingMagic;
  out.scales[index] = flat ? 1.0F : span / 255.0F;
  // The conversion of anything but 0..255 (an infinite row) would be undefined.
  out.zero_points[index] = zero_point >= 0.0F && zero_point <= 255.0F ? static_cast<std::int32_t>(zero_point) : 0;
  const F32x16 multiplier = F32x16::broadcast(inverse);
  const F32x16 offset = F32x16::broadcast(zero_point + kRoundingMagic);
  const F32x16 lowest = F32x16::broadcast(kRoundingMagic);
  const F32x16 highest = F32x16::broadcast(kRoundingMagic + 255.0F);
  std::uint8_t* to = out.values + index * out.stride;
  for_each_vector(columns, [&](std::size_t column, std::size_t lanes) {
    const F32x16 value = F32x16::fma(load(column, lanes), multiplier, offset);
    // Rows are padded to 64 bytes: whole vectors may be stored.
    F32x16::min(F32x16::max(value, lowest), highest).store_low_bytes(to + column);
  });
}

inline void layer_norm(const LayerNormArgs& args) {
  const RowsArgs& rows = args.rows;
  const float count = static_cast<float>(rows.columns);
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* in = rows.in + r * rows.in_stride;
    const float* residual = args.residual == nullptr ? nullptr : args.residual + r * args.residual_stride;
    float* out = rows.out + r * rows.out_stride;
    const float mean = sum_columns(rows.columns, [&](std::size_t column, std::size_t lanes) {
      F32x16 value = load_lanes(in + column, lanes);
      if (residual != nullptr) {
        value = value + load_lanes(residual + column, lanes);
        store_lanes(value, out + column, lanes);
      }
      return value;
    }) / count;
    const float* source = residual == nullptr ? in : out;
    const F32x16 center = F32x16::broadcast(mean);
    const float variance = sum_columns(rows.columns, [&](std::size_t column, std::size_t lanes) {
      const F32x16 off = (load_lanes(source + column, lanes) - center).keep_first(lanes);
      return off * off;
    }) / count;
    const F32x16 inverse = F32x16::broadcast(1.0F / __builtin_sqrtf(variance + args.epsilon));
    Range range;
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      const F32x16 normal = (load_lanes(source + column, lanes) - center) * inverse;
      const F32x16 value =
          F32x16::fma(normal, load_lanes(args.gamma + column, lanes), load_lanes(args.beta + column, lanes));
      range.take(value.keep_first(lanes));
      store_lanes(value, out + column, lanes);
    });
    if (args.quantize.values == nullptr) continue;
    const auto load = [out](std::size_t column, std::size_t lanes) { return load_lanes(out + column, lanes); };
    quantize_row(load, rows.columns, range, args.quantize, r);
  }
}

inline void rms_norm(const RmsNormArgs& args) {
  const RowsArgs& rows = args.rows;
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* in = rows.in + r * rows.in_stride;
    float* out = rows.out + r * rows.out_stride;
    const float squares = sum_columns(rows.columns, [&](std::size_t column, std::size_t lanes) {
      const F32x16 value = load_lanes(in + column, lanes);
      return value * value;
    });
    const float mean = squares / static_cast<float>(rows.columns);
    const F32x16 inverse = F32x16::broadcast(1.0F / __builtin_sqrtf(mean + args.epsilon));
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      store_lanes(load_lanes(in + column, lanes) * inverse * load_lanes(args.gamma + column, lanes), out + column, lanes);
    });
  }
}

template <class Function>
inline void map_rows(const RowsArgs& rows, Function function) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* in = rows.in + r * rows.in_stride;
    float* out = rows.out + r * rows.out_stride;
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      store_lanes(function(load_lanes(in + column, lanes)), out + column, lanes);
    });
  }
}

inline void gelu_rows(const RowsArgs& rows) {
  map_rows(rows, [](F32x16 value) { return gelu_erf(value); });
}

inline void quick_gelu_rows(const RowsArgs& rows) {
  map_rows(rows, [](F32x16 value) { return quick_gelu(value); });
}

inline void silu_multiply_rows(const RowsArgs& rows, const float* factor, std::size_t factor_stride) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* in = rows.in + r * rows.in_stride;
    const float* by = factor + r * factor_stride;
    float* out = rows.out + r * rows.out_stride;
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      store_lanes(silu(load_lanes(in + column, lanes)) * load_lanes(by + column, lanes), out + column, lanes);
    });
  }
}

inline void quantize_rows(const RowsArgs& rows, const float* multiplier, const QuantizeArgs& out) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* in = rows.in + r * rows.in_stride;
    const auto load = [=](std::size_t column, std::size_t lanes) {
      const F32x16 value = load_lanes(in + column, lanes);
      return multiplier == nullptr ? value : value * load_lanes(multiplier + column, lanes);
    };
    Range range;
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) { range.take(load(column, lanes)); });
    quantize_row(load, rows.columns, range, out, r);
  }
}

template <Activation Function>
inline void activate_quantize_rows(const RowsArgs& rows, const QuantizeArgs& out) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const float* in = rows.in + r * rows.in_stride;
    float* activated = rows.out + r * rows.out_stride;
    Range range;
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      const F32x16 value = activate<Function>(load_lanes(in + column, lanes));
      range.take(value);
      store_lanes(value, activated + column, lanes);
    });
    const auto load = [=](std::size_t column, std::size_t lanes) { return load_lanes(activated + column, lanes); };
    quantize_row(load, rows.columns, range, out, r);
  }
}

inline void round_rows_to_bf16(const RowsArgs& rows, std::uint16_t* out, std::size_t out_stride) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    std::uint16_t* to = out + r * out_stride;
    // The padding must be zeros (a stray not-a-number would survive multiplication by a zero weight).
    for (std::size_t column = rows.columns / 16 * 16; column < out_stride; column += 16) {
      F32x16::zero().store_bf16(to + column);
    }
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      load_lanes(rows.in + r * rows.in_stride + column, lanes).store_bf16(to + column);
    });
  }
}

// exp((x - max) * scale) / sum over the row; scale > 0.
inline void softmax_row(float* row, std::size_t columns, float scale) {
  F32x16 largest = F32x16::broadcast(-3.0e38F);
  for_each_vector(columns, [&](std::size_t column, std::size_t lanes) {
    largest = F32x16::max(load_lanes(row + column, lanes, -3.0e38F), largest);
  });
  const F32x16 shift = F32x16::broadcast(largest.maximum());
  const F32x16 factor = F32x16::broadcast(scale);
  F32x16 sum = F32x16::zero();
  for_each_vector(columns, [&](std::size_t column, std::size_t lanes) {
    const F32x16 value = exp((load_lanes(row + column, lanes) - shift) * factor).keep_first(lanes);
    sum = sum + value;
    store_lanes(value, row + column, lanes);
  });
  const F32x16 inverse = F32x16::broadcast(1.0F / sum.sum());
  for_each_vector(columns, [&](std::size_t column, std::size_t lanes) {
    store_lanes(load_lanes(row + column, lanes) * inverse, row + column, lanes);
  });
}

inline void softmax_rows(const RowsArgs& rows) {
  for (std::size_t r = 0; r < rows.rows; ++r) softmax_row(rows.out + r * rows.out_stride, rows.columns, 1.0F);
}

inline void l2_normalize_rows(const RowsArgs& rows) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    float* row = rows.out + r * rows.out_stride;
    const float squares = sum_columns(rows.columns, [&](std::size_t column, std::size_t lanes) {
      const F32x16 value = load_lanes(row + column, lanes);
      return value * value;
    });
    const float norm = __builtin_sqrtf(squares);
    const F32x16 inverse = F32x16::broadcast(1.0F / (norm > 1e-12F ? norm : 1e-12F));
    for_each_vector(rows.columns, [&](std::size_t column, std::size_t lanes) {
      store_lanes(load_lanes(row + column, lanes) * inverse, row + column, lanes);
    });
  }
}

inline void embedding_sum(const EmbeddingArgs& args) {
  for (std::size_t r = 0; r < args.rows; ++r) {
    const float* word = args.word + static_cast<std::size_t>(args.token_ids[r]) * args.word_stride;
    const float* position = args.position + static_cast<std::size_t>(args.position_ids[r]) * args.position_stride;
    float* out = args.out + r * args.out_stride;
    for_each_vector(args.columns, [&](std::size_t column, std::size_t lanes) {
      F32x16 value = load_lanes(word + column, lanes) + load_lanes(position + column, lanes);
      if (args.type_row != nullptr) value = value + load_lanes(args.type_row + column, lanes);
      store_lanes(value, out + column, lanes);
    });
  }
}

// No product is fused with a sum: what the bound allows for roundings is the same everywhere.
template <bool Two>
inline std::uint64_t score_intervals(const IntervalArgs& args) {
  const F32x16 common = F32x16::broadcast(args.common);
  const F32x16 first = F32x16::broadcast(args.scales[0]);
  const F32x16 second = F32x16::broadcast(args.scales[1]);
  const F32x16 norm = F32x16::broadcast(args.norm);
  const F32x16 loss = F32x16::broadcast(args.loss);
  const F32x16 slack = F32x16::broadcast(args.slack);
  const F32x16 threshold = F32x16::broadcast(args.threshold);
  std::uint64_t reaching = 0;
  for (std::size_t i = 0; i < args.count; i += 16) {
    const std::size_t lanes = args.count - i < 16 ? args.count - i : 16;
    F32x16 product = first * F32x16::load_int32(args.dots[0] + i);
    if constexpr (Two) product = product + second * F32x16::load_int32(args.dots[1] + i);
    const F32x16 estimate =
        common * load_lanes(args.row_projections + i, lanes) + load_lanes(args.row_scales + i, lanes) * product;
    const F32x16 bound =
        norm * load_lanes(args.row_errors + i, lanes) + loss * load_lanes(args.row_norms + i, lanes) + slack;
    estimate.store(args.estimates + i);
    bound.store(args.bounds + i);
    const std::uint64_t bits = F32x16::at_least(estimate + bound, threshold);
    reaching |= (lanes == 16 ? bits : bits & ((std::uint64_t{1} << lanes) - 1U)) << i;
  }
  return reaching;
}

inline std::uint64_t score_intervals(const IntervalArgs& args) {
  return args.dots[1] != nullptr ? score_intervals<true>(args) : score_intervals<false>(args);
}

inline float dot_f32(const float* a, const float* b, std::size_t dimension) {
  F32x16 chain[4] = {F32x16::zero(), F32x16::zero(), F32x16::zero(), F32x16::zero()};
  std::size_t i = 0;
  for (; i + 64 <= dimension; i += 64) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < 4; ++c) {
      chain[c] = F32x16::fma(F32x16::load(a + i + 16 * c), F32x16::load(b + i + 16 * c), chain[c]);
    }
  }
  for (; i < dimension; i += 16) {
    const std::size_t lanes = dimension - i < 16 ? dimension - i : 16;
    chain[0] = F32x16::fma(load_lanes(a + i, lanes), load_lanes(b + i, lanes), chain[0]);
  }
  return ((chain[0] + chain[1]) + (chain[2] + chain[3])).sum();
}

}  // namespace
}  // namespace scalestyle::nn::kernels
