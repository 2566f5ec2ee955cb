#pragma once
// What a product applies before its residual is added.

#include <cstdint>

namespace scalestyle::nn::kernels {

enum class Activation : std::uint8_t {
  kNone,
  kGeluErf,    // x * (1 + erf(x / sqrt 2)) / 2
  kQuickGelu,  // x * sigmoid(1.702 x), CLIP's
};

}  // namespace scalestyle::nn::kernels
