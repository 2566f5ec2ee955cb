#pragma once
// Builds the graph of a collection of vectors (HNSW: Malkov and Yashunin, arXiv 1603.09320) and writes its file.
//
// Nodes are added one by one, in the order of their rows, on the calling thread: the same vectors and options give the same
// bytes, whenever and wherever it is built. Rows whose int8 form is the same are one node: many equal vectors would fill each
// other's lists and be cut off from the rest.
// Memory: about (8m + 16) bytes a node for the graph, and 100 more while it is built.

#include <cstddef>
#include <filesystem>
#include <functional>

#include "core/result.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::graph {

struct GraphOptions {
  std::size_t neighbours = 16;     // m: of a node in each upper level; twice as many in the lowest. 4 … 64
  std::size_t construction = 200;  // candidates when a node is added, 8 … 2,000

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

// Told how many of the nodes are added, often; an error ends the building, which returns it.
using BuildProgress = std::function<core::Status(std::size_t done, std::size_t nodes)>;

// Errors: kInvalidArgument (options; more than 2³¹ − 1 rows), kResourceExhausted (memory), `progress`', those of the file
// system with the path. A file that an ended building left must not be used.
[[nodiscard]] core::Status build_graph(const retrieval::QuantizedVectors& vectors, const GraphOptions& options,
                                       const std::filesystem::path& path, const BuildProgress& progress);

}  // namespace scalestyle::adapters::graph
