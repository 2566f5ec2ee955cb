#pragma once
// A small antialiased rasteriser: paths to coverage masks. Only +, -, *, /, sqrt and floor on doubles, which IEEE 754
// defines to the last bit, so that pictures are the same everywhere.

#include <string_view>
#include <vector>

namespace scalestyle::catalog {

struct Point {
  double x = 0;
  double y = 0;
};
using Polyline = std::vector<Point>;

// One value a pixel, 0…1, row by row.
using Mask = std::vector<float>;

// Path text as in SVG, absolute commands only: M x y, L x y, Q cx cy x y, C x1 y1 x2 y2 x y, Z, and O cx cy r (circle).
// Each M or O begins a polyline. The text comes from our own tables; anything else is a programmer's error.
[[nodiscard]] std::vector<Polyline> parse_path(std::string_view text);

// Reflected at the vertical line x = axis.
[[nodiscard]] Polyline mirrored(const Polyline& line, double axis);

// Non-zero winding. Adds to the mask by maximum.
void fill(Mask& mask, int width, int height, const Polyline& outline);
// Round caps and joins.
void stroke(Mask& mask, int width, int height, const Polyline& line, double line_width);

}  // namespace scalestyle::catalog
