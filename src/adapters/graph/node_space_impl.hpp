#pragma once
// What hnswlib compares nodes by: the int8 forms of the vectors, which stay where they are. A node keeps no data of its own
// in the graph, so its place there tells which node it is.

#include <hnswlib/hnswlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "adapters/graph/code_product.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::graph {

struct NodeQuery {
  const std::int8_t* codes = nullptr;  // the vectors' stride
  float scale = 0;
  float common = 0;  // with the mean (retrieval/query_planes.hpp)
};

class NodeSpace final : public hnswlib::SpaceInterface<float> {
 public:
  // `rows[i]` is the row that node i is compared by; empty: row i. Both outlive the space.
  NodeSpace(const retrieval::QuantizedVectors& vectors, std::span<const std::uint32_t> rows)
      : vectors_(vectors),
        rows_(rows),
        product_(code_product()),
        mean_square_(static_cast<float>(vectors.mean_norm * vectors.mean_norm)) {}

  // The graph's memory; before the first comparison.
  void lie_at(const char* begin, std::size_t nodes, std::size_t node_bytes) {
    begin_ = reinterpret_cast<std::uintptr_t>(begin);
    size_ = nodes * node_bytes;
    nodes_a_byte_ = 1.0 / static_cast<double>(node_bytes);
  }

  std::size_t get_data_size() override { return 0; }
  hnswlib::DISTFUNC<float> get_dist_func() override { return &distance; }
  void* get_dist_func_param() override { return this; }

 private:
  // A place is inside its node, so the quotient is never a whole number and the rounding never matters.
  [[nodiscard]] std::size_t row_at(std::uintptr_t place) const {
    const auto node = static_cast<std::size_t>(static_cast<double>(place - begin_) * nodes_a_byte_);
    return rows_.empty() ? node : rows_[node];
  }

  // 1 − estimate of the inner product. `a` is a place in the graph or a NodeQuery, `b` a place.
  static float distance(const void* a, const void* b, const void* parameter) {
    const NodeSpace& space = *static_cast<const NodeSpace*>(parameter);
    const retrieval::QuantizedVectors& vectors = space.vectors_;
    const std::size_t row = space.row_at(reinterpret_cast<std::uintptr_t>(b));
    const auto place = reinterpret_cast<std::uintptr_t>(a);
    if (place - space.begin_ < space.size_) {
      const std::size_t other = space.row_at(place);
      const auto product = static_cast<float>(space.product_(vectors.row(other), vectors.row(row), vectors.stride));
      return 1.0F - (vectors.projections[other] * vectors.projections[row] * space.mean_square_ +
                     vectors.scales[other] * vectors.scales[row] * product);
    }
    const NodeQuery& query = *static_cast<const NodeQuery*>(a);
    const auto product = static_cast<float>(space.product_(query.codes, vectors.row(row), vectors.stride));
    return 1.0F - (query.common * vectors.projections[row] + query.scale * vectors.scales[row] * product);
  }

  const retrieval::QuantizedVectors& vectors_;
  std::span<const std::uint32_t> rows_;
  CodeProduct product_;
  float mean_square_;
  std::uintptr_t begin_ = 0;
  std::uintptr_t size_ = 0;
  double nodes_a_byte_ = 0;
};

}  // namespace scalestyle::adapters::graph
