#include "nn/outliers.hpp"

namespace scalestyle::nn {

namespace {

constexpr std::size_t kRegisterBytes = 16;
#include "nn/generic_outliers.hpp"

}  // namespace

OutlierKernels outlier_kernels_scalar() { return {deviation, find_above, add}; }

}  // namespace scalestyle::nn
