#include "retrieval/query_planes.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/kernels/scan.hpp"

namespace scalestyle::retrieval {
namespace {

double norm_of(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

// A little more than `value`: covers the double rounding of its computation and the conversion to f32.
float bound_of(double value) { return static_cast<float>(value * (1.0 + 1e-6)); }

}  // namespace

QueryPlanes quantize_query(std::span<const float> query, const QuantizedVectors& vectors,
                           std::span<std::int8_t> planes, std::size_t plane_count) {
  QueryPlanes result;
  double common = 0.0;
  for (std::size_t j = 0; j < query.size(); ++j) {
    common += static_cast<double>(query[j]) * static_cast<double>(vectors.mean[j]);
  }
  const double share = vectors.mean_norm > 0.0 ? common / (vectors.mean_norm * vectors.mean_norm) : 0.0;
  std::vector<float> rest(query.size());
  for (std::size_t j = 0; j < rest.size(); ++j) {
    rest[j] = static_cast<float>(static_cast<double>(query[j]) - share * static_cast<double>(vectors.mean[j]));
  }
  const double norm = norm_of(query);
  // Computing `rest` rounds by at most 2⁻²³ of the query's largest value, here and for each plane.
  const double rounding = norm * std::sqrt(static_cast<double>(query.size())) * 2.4e-7;
  result.norm = bound_of(norm_of(rest) + rounding);
  std::ranges::fill(planes, std::int8_t{0});
  for (std::size_t plane = 0; plane < plane_count; ++plane) {
    const std::span<std::int8_t> codes = planes.subspan(plane * vectors.stride, query.size());
    const float scale = nn::kernels::quantize_symmetric(rest, codes.data());
    result.scales[plane] = scale;
    for (std::size_t j = 0; j < rest.size(); ++j) rest[j] -= scale * static_cast<float>(codes[j]);
  }
  const double loss = norm_of(rest) + rounding;
  result.loss = bound_of(loss);
  result.common = static_cast<float>(common);
  // f32 product over sixteen lanes: dimension/16 + a few roundings of 2⁻²⁴ each, relative to |q| · |v|; projection,
  // estimate and interval: fewer than sixteen, relative to no more than that. Doubled for comfort.
  const double projected = vectors.mean_norm * static_cast<double>(vectors.largest_projection);
  const double length =
      projected + static_cast<double>(vectors.largest_norm) + static_cast<double>(vectors.largest_error);
  const double roundings = static_cast<double>(query.size()) / 16.0 + 32.0;
  result.slack = bound_of(2.0 * roundings * 0x1p-24 * norm * length);
  const double residual = (static_cast<double>(result.norm) + loss) * static_cast<double>(vectors.largest_norm);
  result.range = bound_of(std::abs(common) * static_cast<double>(vectors.largest_projection) + residual) + result.slack;
  return result;
}

}  // namespace scalestyle::retrieval
