#pragma once
// How far two pictures are apart.

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "image/decode.hpp"

namespace scalestyle::image {

struct Difference {
  double mean = 0;  // of a value's distance
  int most = 0;
};

// Of pictures of the same size.
inline Difference difference(const Picture& a, const Picture& b) {
  Difference out;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    const int distance = std::abs(a.rgb[i] - b.rgb[i]);
    out.mean += distance;
    out.most = std::max(out.most, distance);
  }
  out.mean /= static_cast<double>(std::max<std::size_t>(a.rgb.size(), 1));
  return out;
}

}  // namespace scalestyle::image
