#include "retrieval/query_planes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "retrieval/vector_samples.hpp"

namespace scalestyle::retrieval {
namespace {

// The promise that the scan's proof rests on, in f32 arithmetic as the scan does it.
TEST(QueryPlanes, TheIntervalOfEveryRowHoldsItsScore) {
  for (const std::size_t dimension : {1U, 65U, 384U}) {
    for (const std::size_t plane_count : {1U, 2U}) {
      SampleCollection sample(clustered_vectors(300, dimension, 1), dimension);
      const QuantizedVectors& rows = sample.quantized;
      std::vector<float> queries = clustered_vectors(20, dimension, 2);
      for (std::size_t j = 0; j < dimension; ++j) queries[j] *= 1000.0F;  // the first is long
      queries[2 * dimension] += 3.0F;                                      // the third has an outlier
      double widest = 0;
      for (std::size_t q = 0; q < 20; ++q) {
        const auto query = std::span(queries).subspan(q * dimension, dimension);
        std::vector<std::int8_t> codes(plane_count * rows.stride);
        const QueryPlanes planes = quantize_query(query, rows, codes, plane_count);
        for (std::size_t row = 0; row < rows.rows; ++row) {
          float product = 0;
          for (std::size_t p = 0; p < plane_count; ++p) {
            std::int32_t dot = 0;
            for (std::size_t j = 0; j < rows.stride; ++j) dot += codes[p * rows.stride + j] * rows.row(row)[j];
            product += planes.scales[p] * static_cast<float>(dot);
          }
          const float estimate = planes.common * rows.projections[row] + rows.scales[row] * product;
          const float bound = planes.norm * rows.errors[row] + planes.loss * rows.norms[row] + planes.slack;
          const float score = nn::kernels::dot_f32(query.data(), sample.exact.row(row).data(), dimension);
          ASSERT_LE(std::abs(score - estimate), bound) << "dimension " << dimension << ", query " << q << ", row " << row;
          ASSERT_LE(std::abs(estimate), planes.range);
          if (q > 2) widest = std::max(widest, static_cast<double>(bound));
        }
      }
      EXPECT_LT(widest, 0.03);  // tight enough to leave most rows out
    }
  }
}

}  // namespace
}  // namespace scalestyle::retrieval
