#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "nn/kernels/gemm.hpp"

namespace scalestyle::nn::kernels {
namespace {

core::Status check_shape(std::size_t given, std::size_t out, std::size_t in) {
  constexpr std::size_t kMaxOutFeatures = std::size_t{1} << 24U;
  if (out == 0 || in == 0 || in > kMaxInFeatures || out > kMaxOutFeatures) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("weights of {} x {}: sizes must be positive, at most {} in and {} out", out, in,
                                  kMaxInFeatures, kMaxOutFeatures));
  }
  if (given != out * in) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("weights of {} x {} need {} values, {} given", out, in, out * in, given));
  }
  return {};
}

std::unexpected<core::Error> not_finite(std::size_t row, std::size_t column) {
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("weight at row {}, column {} is not finite", row, column));
}

core::Status check_weights(std::span<const float> weights, std::size_t out, std::size_t in) {
  CORE_CHECK(check_shape(weights.size(), out, in));
  const auto bad = std::find_if(weights.begin(), weights.end(), [](float value) { return !std::isfinite(value); });
  if (bad != weights.end()) {
    const auto index = static_cast<std::size_t>(bad - weights.begin());
    return not_finite(index / in, index % in);
  }
  return {};
}

std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

// The numbers of a checkpoint, which need not be aligned.
class Bf16Numbers {
 public:
  explicit Bf16Numbers(std::span<const std::byte> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::size_t size() const { return bytes_.size() / sizeof(std::uint16_t); }
  [[nodiscard]] std::uint16_t bits(std::size_t index) const {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes_.data() + index * sizeof bits, sizeof bits);
    return bits;
  }
  [[nodiscard]] float value(std::size_t index) const { return std::bit_cast<float>(std::uint32_t{bits(index)} << 16U); }

 private:
  std::span<const std::byte> bytes_;
};

bool finite_bf16(std::uint16_t bits) { return (bits & 0x7f80U) != 0x7f80U; }

std::size_t panel_count(std::size_t out) { return (out + kPanelColumns - 1) / kPanelColumns; }

}  // namespace

core::Result<PackedF32> PackedF32::pack(std::span<const float> weights, std::size_t out_features,
                                        std::size_t in_features) {
  CORE_CHECK(check_weights(weights, out_features, in_features));
  PackedF32 packed;
  packed.out_ = out_features;
  packed.in_ = in_features;
  packed.buffer_ = AlignedBuffer(panel_count(out_features) * in_features * kPanelColumns * sizeof(float));
  float* to = packed.buffer_.as<float>();
  for (std::size_t n = 0; n < out_features; ++n) {
    float* column = to + n / kPanelColumns * in_features * kPanelColumns + n % kPanelColumns;
    for (std::size_t k = 0; k < in_features; ++k) column[k * kPanelColumns] = weights[n * in_features + k];
  }
  return packed;
}

core::Result<PackedBf16> PackedBf16::pack(std::span<const float> weights, std::size_t out_features,
                                          std::size_t in_features) {
  CORE_CHECK(check_weights(weights, out_features, in_features));
  PackedBf16 packed;
  packed.out_ = out_features;
  packed.in_ = in_features;
  const std::size_t panel_size = packed.padded_in() * kPanelColumns;
  packed.buffer_ = AlignedBuffer(panel_count(out_features) * panel_size * sizeof(std::uint16_t));
  std::uint16_t* to = packed.buffer_.as<std::uint16_t>();
  for (std::size_t n = 0; n < out_features; ++n) {
    std::uint16_t* column = to + n / kPanelColumns * panel_size + n % kPanelColumns * 2;
    for (std::size_t k = 0; k < in_features; ++k) {
      column[k / 2 * 2 * kPanelColumns + k % 2] = to_bf16(weights[n * in_features + k]);
    }
  }
  return packed;
}

core::Result<PackedBf16> PackedBf16::pack_bf16(std::span<const std::byte> weights, std::size_t out_features,
                                               std::size_t in_features) {
  const Bf16Numbers numbers(weights);
  CORE_CHECK(check_shape(numbers.size(), out_features, in_features));
  PackedBf16 packed;
  packed.out_ = out_features;
  packed.in_ = in_features;
  const std::size_t panel_size = packed.padded_in() * kPanelColumns;
  packed.buffer_ = AlignedBuffer(panel_count(out_features) * panel_size * sizeof(std::uint16_t));
  for (std::size_t n = 0; n < out_features; ++n) {
    std::uint16_t* column = packed.buffer_.as<std::uint16_t>() + n / kPanelColumns * panel_size + n % kPanelColumns * 2;
    for (std::size_t k = 0; k < in_features; ++k) {
      const std::uint16_t bits = numbers.bits(n * in_features + k);
      if (!finite_bf16(bits)) return not_finite(n, k);
      column[k / 2 * 2 * kPanelColumns + k % 2] = bits;
    }
  }
  return packed;
}

// fill_row(row, values) writes one row of the weights, checked.
template <class FillRow>
core::Result<PackedInt8> PackedInt8::pack_rows(std::size_t out_features, std::size_t in_features, const FillRow& fill_row) {
  PackedInt8 packed;
  packed.out_ = out_features;
  packed.in_ = in_features;
  const std::size_t panel_size = packed.padded_in() * kPanelColumns;
  const std::size_t columns = panel_count(out_features) * kPanelColumns;
  packed.buffer_ = AlignedBuffer(panel_count(out_features) * panel_size);
  packed.scales_ = AlignedBuffer(columns * sizeof(float));
  packed.sums_ = AlignedBuffer(columns * sizeof(std::int32_t));
  std::vector<float> row(in_features);
  for (std::size_t n = 0; n < out_features; ++n) {
    CORE_CHECK(fill_row(n, std::span(row)));
    float largest = 0.0F;
    for (const float weight : row) largest = std::max(largest, std::abs(weight));
    const bool flat = largest < 1e-30F;  // the reciprocal would overflow
    const float inverse = flat ? 0.0F : 127.0F / largest;
    packed.scales_.as<float>()[n] = flat ? 1.0F : largest / 127.0F;
    std::int8_t* column = packed.buffer_.as<std::int8_t>() + n / kPanelColumns * panel_size + n % kPanelColumns * 4;
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < in_features; ++k) {
      const float rounded = std::nearbyint(row[k] * inverse);
      const auto value = static_cast<std::int8_t>(std::clamp(rounded, -127.0F, 127.0F));
      column[k / 4 * 4 * kPanelColumns + k % 4] = value;
      sum += value;
    }
    packed.sums_.as<std::int32_t>()[n] = sum;
  }
  return packed;
}

core::Result<PackedInt8> PackedInt8::pack(std::span<const float> weights, std::size_t out_features,
                                          std::size_t in_features, std::span<const float> input_scale) {
  CORE_CHECK(check_weights(weights, out_features, in_features));
  if (!input_scale.empty() && input_scale.size() != in_features) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{} input scales for {} input features", input_scale.size(), in_features));
  }
  for (std::size_t k = 0; k < input_scale.size(); ++k) {
    if (!(std::isfinite(input_scale[k]) && input_scale[k] > 0.0F)) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("input scale {} is {}; it must be positive and finite", k, input_scale[k]));
    }
  }
  return pack_rows(out_features, in_features, [&](std::size_t n, std::span<float> row) -> core::Status {
    for (std::size_t k = 0; k < in_features; ++k) {
      const float weight = weights[n * in_features + k];
      row[k] = input_scale.empty() ? weight : weight * input_scale[k];
      if (!std::isfinite(row[k])) {
        return core::fail(core::ErrorCode::kInvalidArgument,
                          fmt::format("weights of row {} overflow when multiplied by the input scales", n));
      }
    }
    return {};
  });
}

core::Result<PackedInt8> PackedInt8::pack_bf16(std::span<const std::byte> weights, std::size_t out_features,
                                               std::size_t in_features) {
  const Bf16Numbers numbers(weights);
  CORE_CHECK(check_shape(numbers.size(), out_features, in_features));
  return pack_rows(out_features, in_features, [&](std::size_t n, std::span<float> row) -> core::Status {
    for (std::size_t k = 0; k < in_features; ++k) {
      row[k] = numbers.value(n * in_features + k);
      if (!std::isfinite(row[k])) return not_finite(n, k);
    }
    return {};
  });
}

std::int8_t PackedInt8::weight_at(std::size_t out_feature, std::size_t in_feature) const {
  const std::int8_t* column = panel(out_feature / kPanelColumns) + out_feature % kPanelColumns * 4;
  return column[in_feature / 4 * 4 * kPanelColumns + in_feature % 4];
}

}  // namespace scalestyle::nn::kernels
