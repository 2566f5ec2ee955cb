#include "nn/weight_only_linear.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace scalestyle::nn {

namespace {

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

template <class Packed>
core::Result<Packed> pack(const SafetensorsShards& shards, const std::string& name,
                          const std::array<std::uint64_t, 2>& shape) {
  CORE_TRY(const TensorView* const tensor, shards.find(name, shape));
  const auto [out, in] = shape;
  if constexpr (!std::is_same_v<Packed, kernels::PackedF32>) {
    if (tensor->type == TensorType::kBf16) return Packed::pack_bf16(tensor->bytes, out, in);
  }
  CORE_TRY(const std::vector<float> values, shards.read_f32(name, shape));
  return Packed::pack(values, out, in);
}

// What packing finds wrong is the file's fault.
template <class Packed>
core::Result<Packed> pack_named(const SafetensorsShards& shards, const std::string& name,
                                const std::array<std::uint64_t, 2>& shape) {
  core::Result<Packed> packed = pack<Packed>(shards, name, shape);
  if (packed || packed.error().code != core::ErrorCode::kInvalidArgument) return packed;
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("tensor \"{}\": {}; fetch the model again", name, packed.error().message));
}

}  // namespace

core::Result<WeightOnlyLinear> WeightOnlyLinear::load(const SafetensorsShards& shards, const std::string& weight,
                                                      const std::string& bias, Shape shape, Precision precision) {
  WeightOnlyLinear linear;
  const std::array<std::uint64_t, 2> sizes{shape.out, shape.in};
  switch (precision) {
    case Precision::kF32: {
      CORE_TRY(linear.weights_, pack_named<kernels::PackedF32>(shards, weight, sizes));
      break;
    }
    case Precision::kBf16: {
      CORE_TRY(linear.weights_, pack_named<kernels::PackedBf16>(shards, weight, sizes));
      break;
    }
    case Precision::kInt8: {
      CORE_TRY(linear.weights_, pack_named<kernels::PackedInt8>(shards, weight, sizes));
      break;
    }
  }
  if (bias.empty()) return linear;
  const std::array<std::uint64_t, 1> bias_size{shape.out};
  CORE_TRY(linear.bias_, shards.read_f32(bias, bias_size));
  return linear;
}

std::size_t WeightOnlyLinear::packed_bytes(Shape shape, Precision precision) {
  const std::size_t columns = round_up(shape.out, kernels::kPanelColumns);
  switch (precision) {
    case Precision::kF32: return columns * shape.in * sizeof(float);
    case Precision::kBf16: return columns * round_up(shape.in, 32) * sizeof(std::uint16_t);
    case Precision::kInt8: return columns * round_up(shape.in, 64);
  }
  return 0;
}

void WeightOnlyLinear::apply_panel(const kernels::ConstMatrix& rows, std::size_t panel, const kernels::Matrix& out,
                                   const kernels::ConstMatrix& residual) const {
  const kernels::Epilogue epilogue{.bias = bias_.empty() ? nullptr : bias_.data(),
                                   .residual = residual.data,
                                   .residual_stride = residual.stride};
  std::visit([&](const auto& weights) { kernels::gemm(rows, weights, epilogue, out, {.first = panel, .count = 1}); },
             weights_);
}

std::size_t WeightOnlyLinear::out_features() const {
  return std::visit([](const auto& weights) { return weights.out_features(); }, weights_);
}

std::size_t WeightOnlyLinear::panels() const {
  return std::visit([](const auto& weights) { return weights.panels(); }, weights_);
}

std::size_t WeightOnlyLinear::size_bytes() const {
  return std::visit([](const auto& weights) { return weights.size_bytes(); }, weights_);
}

}  // namespace scalestyle::nn
