#pragma once
// The graph of a collection, mapped from its file, and walks through it.
// A walk gives rows whose int8 form is near the query; the caller scores them by their exact vectors. It is approximate: rows
// may be missing. The same query, graph and vectors give the same rows on every processor.
// Thread safety: walks may run at the same time on any threads. Each takes two bytes of memory a node, kept for
// the next one.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "adapters/graph/graph_file.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::graph {

struct Walk {
  std::span<const float> query;               // the collection's dimension
  std::span<const std::uint64_t> eligible{};  // as retrieval::VectorQuery::eligible: a bit a row; empty: every row
  std::size_t wanted = 0;                     // rows that the caller needs, at least 1
  std::size_t breadth = 0;                    // nodes with eligible rows that are kept, at least `wanted`
  std::size_t most_steps = 0;                 // nodes whose neighbours are looked at
};

struct WalkFound {
  std::vector<std::uint32_t> rows;  // eligible; no order. Of a node with more than `wanted` of them the first
  std::size_t steps = 0;
  std::size_t products = 0;         // nodes that were compared with the query in the lowest level
  bool given_up = false;            // after most_steps: what is nearer may not have been reached
};

class VectorGraph {
 public:
  // `vectors` are those that it was built of; their bytes outlive the graph. Errors: those of open_graph_file() and of the
  // file system; kDataLoss where the file is of another number of rows or another dimension.
  [[nodiscard]] static core::Result<VectorGraph> open(const std::filesystem::path& path,
                                                      const retrieval::QuantizedVectors& vectors);
  VectorGraph(VectorGraph&&) noexcept;
  VectorGraph& operator=(VectorGraph&&) noexcept;
  ~VectorGraph();

  [[nodiscard]] const GraphShape& shape() const;

  // Errors: kDeadlineExceeded (looked at now and then), kResourceExhausted (memory).
  [[nodiscard]] core::Result<WalkFound> walk(const Walk& walk, core::Deadline deadline, const core::Clock& clock) const;

 private:
  struct State;
  explicit VectorGraph(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace scalestyle::adapters::graph
