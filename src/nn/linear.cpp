#include "nn/linear.hpp"

#include "nn/kernels/elementwise.hpp"

namespace scalestyle::nn {

namespace {

kernels::Epilogue epilogue(const std::vector<float>& bias, const LinearCall& call) {
  return {.bias = bias.empty() ? nullptr : bias.data(),
          .activation = call.activation,
          .residual = call.residual.data,
          .residual_stride = call.residual.stride};
}

}  // namespace

core::Result<LinearF32> LinearF32::pack(const LinearTensors& tensors) {
  LinearF32 linear;
  CORE_TRY(linear.weights_, kernels::PackedF32::pack(tensors.weight, tensors.out, tensors.in));
  linear.bias_ = tensors.bias;
  return linear;
}

void LinearF32::apply(const kernels::Matrix& values, const RowBuffers& /*buffers*/, const LinearCall& call,
                      const kernels::Matrix& out) const {
  kernels::gemm(kernels::ConstMatrix(values), weights_, epilogue(bias_, call), out, call.panels);
}

core::Result<LinearBf16> LinearBf16::pack(const LinearTensors& tensors) {
  LinearBf16 linear;
  CORE_TRY(linear.weights_, kernels::PackedBf16::pack(tensors.weight, tensors.out, tensors.in));
  linear.bias_ = tensors.bias;
  return linear;
}

void LinearBf16::prepare(const kernels::Matrix& values, RowBuffers& buffers, RowKind /*kind*/) {
  kernels::round_to_bf16(values, *buffers.bf16);
}

void LinearBf16::apply(const kernels::Matrix& /*values*/, const RowBuffers& buffers, const LinearCall& call,
                       const kernels::Matrix& out) const {
  kernels::gemm(buffers.bf16->view(), weights_, epilogue(bias_, call), out, call.panels);
}

}  // namespace scalestyle::nn
