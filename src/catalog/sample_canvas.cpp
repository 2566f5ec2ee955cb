#include "catalog/sample_canvas.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

namespace scalestyle::catalog {
namespace {

constexpr int kCurveSteps = 18;
constexpr int kSubRows = 5;

class PathText {
 public:
  explicit PathText(std::string_view text) : text_(text) {}
  bool at_end() {
    skip_blanks();
    return text_.empty();
  }
  char command() {
    skip_blanks();
    const char letter = text_.front();
    text_.remove_prefix(1);
    return letter;
  }
  double number() {
    skip_blanks();
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    assert(error == std::errc());
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }
  Point point() {
    const double x = number();
    return {x, number()};
  }

 private:
  void skip_blanks() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }
  std::string_view text_;
};

Point mix(Point a, Point b, double t) { return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t}; }

void add_cubic(Polyline& line, Point first, Point second, Point end) {
  const Point start = line.back();
  for (int i = 1; i <= kCurveSteps; ++i) {
    const double t = static_cast<double>(i) / kCurveSteps;
    const Point a = mix(start, first, t);
    const Point b = mix(first, second, t);
    const Point c = mix(second, end, t);
    line.push_back(mix(mix(a, b, t), mix(b, c, t), t));
  }
}

// Four cubic arcs; 0.5523 makes the error less than 0.03 %.
Polyline circle(Point centre, double radius) {
  const double k = 0.5523 * radius;
  const auto [x, y] = centre;
  Polyline line{{x, y - radius}};
  add_cubic(line, {x + k, y - radius}, {x + radius, y - k}, {x + radius, y});
  add_cubic(line, {x + radius, y + k}, {x + k, y + radius}, {x, y + radius});
  add_cubic(line, {x - k, y + radius}, {x - radius, y + k}, {x - radius, y});
  add_cubic(line, {x - radius, y - k}, {x - k, y - radius}, {x, y - radius});
  return line;
}

// Adds to `row` how much of each pixel lies in [left, right].
void add_span(float* row, int width, double left, double right) {
  left = std::max(left, 0.0);
  right = std::min(right, static_cast<double>(width));
  for (int x = static_cast<int>(left); x < width && x < right; ++x) {
    const double covered = std::min(right, x + 1.0) - std::max(left, static_cast<double>(x));
    if (covered > 0) row[x] += static_cast<float>(covered / kSubRows);
  }
}

}  // namespace

std::vector<Polyline> parse_path(std::string_view text) {
  std::vector<Polyline> lines;
  PathText path(text);
  while (!path.at_end()) {
    const char command = path.command();
    assert(command == 'M' || command == 'O' || !lines.empty());
    switch (command) {
      case 'M': lines.push_back({path.point()}); break;
      case 'L': lines.back().push_back(path.point()); break;
      case 'Q': {
        const Point control = path.point();
        const Point end = path.point();
        const Point start = lines.back().back();
        add_cubic(lines.back(), mix(start, control, 2.0 / 3), mix(end, control, 2.0 / 3), end);
        break;
      }
      case 'C': {
        const Point first = path.point();
        const Point second = path.point();
        add_cubic(lines.back(), first, second, path.point());
        break;
      }
      case 'O': {
        const Point centre = path.point();
        lines.push_back(circle(centre, path.number()));
        break;
      }
      case 'Z': lines.back().push_back(lines.back().front()); break;
      default: assert(false); return lines;
    }
  }
  return lines;
}

Polyline mirrored(const Polyline& line, double axis) {
  Polyline other(line.rbegin(), line.rend());
  for (Point& point : other) point.x = 2 * axis - point.x;
  return other;
}

void fill(Mask& mask, int width, int height, const Polyline& outline) {
  if (outline.empty()) return;
  std::vector<std::pair<double, int>> crossings;
  std::vector<float> row(static_cast<std::size_t>(width));
  const auto [highest, lowest] =
      std::minmax_element(outline.begin(), outline.end(), [](Point a, Point b) { return a.y < b.y; });
  const int first_row = std::clamp(static_cast<int>(highest->y), 0, height);
  const int end_row = std::clamp(static_cast<int>(lowest->y) + 1, 0, height);
  for (int y = first_row; y < end_row; ++y) {
    std::fill(row.begin(), row.end(), 0.F);
    for (int sub = 0; sub < kSubRows; ++sub) {
      const double sample_y = y + (sub + 0.5) / kSubRows;
      crossings.clear();
      for (std::size_t i = 0; i < outline.size(); ++i) {
        const Point a = outline[i];
        const Point b = outline[(i + 1) % outline.size()];
        if ((a.y <= sample_y) == (b.y <= sample_y)) continue;
        crossings.emplace_back(a.x + (sample_y - a.y) / (b.y - a.y) * (b.x - a.x), a.y < b.y ? 1 : -1);
      }
      std::sort(crossings.begin(), crossings.end());
      int winding = 0;
      for (std::size_t i = 0; i + 1 < crossings.size(); ++i) {
        winding += crossings[i].second;
        if (winding != 0) add_span(row.data(), width, crossings[i].first, crossings[i + 1].first);
      }
    }
    float* target = mask.data() + static_cast<std::ptrdiff_t>(y) * width;
    for (int x = 0; x < width; ++x) target[x] = std::max(target[x], std::min(row[static_cast<std::size_t>(x)], 1.F));
  }
}

void stroke(Mask& mask, int width, int height, const Polyline& line, double line_width) {
  const double radius = line_width / 2;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const Point a = line[i];
    const Point b = line[i + 1];
    const double dx = b.x - a.x;
    const double dy = b.y - a.y;
    const double length2 = dx * dx + dy * dy;
    const int left = std::max(0, static_cast<int>(std::min(a.x, b.x) - radius - 1));
    const int right = std::min(width - 1, static_cast<int>(std::max(a.x, b.x) + radius + 1));
    const int top = std::max(0, static_cast<int>(std::min(a.y, b.y) - radius - 1));
    const int bottom = std::min(height - 1, static_cast<int>(std::max(a.y, b.y) + radius + 1));
    for (int y = top; y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const double px = x + 0.5 - a.x;
        const double py = y + 0.5 - a.y;
        const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0.0;
        const double ex = px - t * dx;
        const double ey = py - t * dy;
        const double covered = std::clamp(radius + 0.5 - std::sqrt(ex * ex + ey * ey), 0.0, std::min(1.0, line_width));
        float& pixel = mask[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
        pixel = std::max(pixel, static_cast<float>(covered));
      }
    }
  }
}

}  // namespace scalestyle::catalog
