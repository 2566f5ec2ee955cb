#include "nn/precision.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>

namespace scalestyle::nn {

namespace {

constexpr std::array<std::string_view, 3> kPrecisionNames = {"f32", "bf16", "int8"};

}  // namespace

std::string_view to_string(Precision precision) { return kPrecisionNames[static_cast<std::size_t>(precision)]; }

core::Result<Precision> parse_precision(std::string_view name) {
  for (std::size_t index = 0; index < kPrecisionNames.size(); ++index) {
    if (kPrecisionNames[index] == name) return static_cast<Precision>(index);
  }
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown precision \"{}\": f32, bf16 or int8", name),
                    "precision");
}

}  // namespace scalestyle::nn
