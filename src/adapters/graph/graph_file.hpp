#pragma once
// The bytes of a graph's file (docs/formats/graph.md): written in one pass, opened as views of a mapped file.
// A node of the graph stands for all rows whose int8 form is the same; where every row is a node of its own, the lists of rows
// are left out.
// Thread safety: views are immutable; the writer is of one thread.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::adapters::graph {

inline constexpr std::size_t kMinNeighbours = 4;
inline constexpr std::size_t kMaxNeighbours = 64;

struct GraphShape {
  std::uint64_t rows = 0;         // of the collection
  std::uint32_t dimension = 0;
  std::uint32_t nodes = 0;        // at most rows
  std::uint32_t neighbours = 0;   // m: of a node in each upper level, at most; twice as many in the lowest
  std::uint32_t construction = 0; // candidates when it was built
  std::uint32_t entry = 0;        // node where walks begin; 0 without nodes
  std::uint32_t top_level = 0;    // of the entry
  std::uint32_t upper_nodes = 0;  // nodes above the lowest level

  [[nodiscard]] std::size_t base_node_bytes() const {
    return sizeof(std::uint32_t) * (1 + 2 * neighbours) + sizeof(std::uint64_t);
  }
  [[nodiscard]] std::size_t upper_list_bytes() const { return sizeof(std::uint32_t) * (1 + neighbours); }
};

struct UpperNode {
  std::uint32_t node = 0;
  std::uint32_t levels = 0;  // lists that it has above the lowest level, at least 1
};

// The parts of a file, in its order.
struct GraphParts {
  GraphShape shape;
  std::span<const std::byte> base;         // nodes × base_node_bytes: count, 2m neighbours, the node's own number (8 bytes)
  std::span<const UpperNode> upper;        // by ascending node
  std::span<const std::byte> upper_lists;  // of each of them, from level 1 on, upper_list_bytes each: count, m neighbours
  std::span<const std::uint32_t> first;    // nodes + 1 places in `members`; empty: node i is row i
  std::span<const std::uint32_t> members;  // rows, ascending within a node; empty with `first`
};

// Writes and syncs the file. Errors: those of the file system, with the path.
[[nodiscard]] core::Status write_graph_file(const std::filesystem::path& path, const GraphParts& parts);

// Views of `bytes`, which must outlive them and start at a multiple of 8. Checks both checksums and that every number leads
// somewhere, so that a walk cannot leave the graph: touches every page of a mapped file. `name` (the path) appears in errors.
// Errors: kDataLoss (damaged), kUnsupported (another version), kInvalidArgument (alignment).
[[nodiscard]] core::Result<GraphParts> open_graph_file(std::span<const std::byte> bytes, std::string_view name);

}  // namespace scalestyle::adapters::graph
