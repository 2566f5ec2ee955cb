#pragma once
// A product of prepared rows by packed weights, shared with a team's helpers where there is one. Linear is a type of
// linear.hpp.

#include <algorithm>
#include <cstddef>

#include "nn/kernels/matrix.hpp"
#include "nn/linear.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

struct ProductRows {
  const kernels::Matrix& values;
  const RowBuffers& prepared;  // Linear::prepare() of `values`
  Team* team;                  // null: none
};

// Chunks small enough that leader and helper end within a few microseconds of each other.
inline constexpr std::size_t kChunksPerProduct = 8;

// A panel is computed by one thread, and in the same way whichever that is. Allocates nothing.
template <class Linear>
void multiply(const Linear& linear, const ProductRows& rows, const LinearCall& call, const kernels::Matrix& out) {
  if (rows.team == nullptr) return linear.apply(rows.values, rows.prepared, call, out);
  const std::size_t width = std::max<std::size_t>(linear.panels() / kChunksPerProduct, 1);
  rows.team->run((linear.panels() + width - 1) / width, [&](std::size_t chunk) {
    LinearCall part = call;
    part.panels = {.first = chunk * width, .count = width};
    linear.apply(rows.values, rows.prepared, part, out);
  });
}

}  // namespace scalestyle::nn
