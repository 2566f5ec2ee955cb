#pragma once
// In which numbers a model's matrix products are computed.

#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::nn {

enum class Precision : std::uint8_t { kF32, kBf16, kInt8 };
[[nodiscard]] std::string_view to_string(Precision precision);  // "f32", "bf16", "int8"
// Errors: kInvalidArgument for another name.
[[nodiscard]] core::Result<Precision> parse_precision(std::string_view name);

}  // namespace scalestyle::nn
