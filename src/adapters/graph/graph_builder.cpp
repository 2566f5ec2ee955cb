#include "adapters/graph/graph_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/graph/graph_file.hpp"
#include "adapters/graph/node_space_impl.hpp"

namespace scalestyle::adapters::graph {

namespace {

constexpr std::size_t kSeed = 100;  // of the levels that nodes reach
constexpr std::size_t kNodesAReport = 64;

// Nodes in the order of their first rows; all empty where every row is one.
struct NodeRows {
  std::vector<std::uint32_t> representatives;
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> members;
};

bool is_same(const retrieval::QuantizedVectors& vectors, std::size_t a, std::size_t b) {
  return vectors.scales[a] == vectors.scales[b] && vectors.projections[a] == vectors.projections[b] &&
         std::memcmp(vectors.row(a), vectors.row(b), vectors.dimension) == 0;
}

// The first row with the same int8 form, for each row.
std::vector<std::uint32_t> first_like(const retrieval::QuantizedVectors& vectors) {
  std::vector<std::pair<std::size_t, std::uint32_t>> keys(vectors.rows);
  for (std::uint32_t row = 0; row < vectors.rows; ++row) {
    const std::string_view codes(reinterpret_cast<const char*>(vectors.row(row)), vectors.dimension);
    keys[row] = {std::hash<std::string_view>()(codes), row};
  }
  std::ranges::sort(keys);
  std::vector<std::uint32_t> like(vectors.rows);
  std::vector<std::uint32_t> kinds;  // of the rows with one hash
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i == 0 || keys[i].first != keys[i - 1].first) kinds.clear();
    const std::uint32_t row = keys[i].second;
    const auto found = std::ranges::find_if(kinds, [&](std::uint32_t kind) { return is_same(vectors, kind, row); });
    like[row] = found == kinds.end() ? row : *found;
    if (found == kinds.end()) kinds.push_back(row);
  }
  return like;
}

NodeRows find_nodes(const retrieval::QuantizedVectors& vectors) {
  const auto like = first_like(vectors);
  NodeRows nodes;
  std::vector<std::uint32_t> node_of(vectors.rows);
  for (std::uint32_t row = 0; row < vectors.rows; ++row) {
    if (like[row] == row) {
      node_of[row] = static_cast<std::uint32_t>(nodes.representatives.size());
      nodes.representatives.push_back(row);
    } else {
      node_of[row] = node_of[like[row]];
    }
  }
  if (nodes.representatives.size() == vectors.rows) return {};
  nodes.first.assign(nodes.representatives.size() + 1, 0);
  for (const std::uint32_t node : node_of) ++nodes.first[node + 1];
  for (std::size_t node = 1; node < nodes.first.size(); ++node) nodes.first[node] += nodes.first[node - 1];
  nodes.members.resize(vectors.rows);
  auto next = nodes.first;
  for (std::uint32_t row = 0; row < vectors.rows; ++row) nodes.members[next[node_of[row]]++] = row;
  return nodes;
}

// What hnswlib holds of the upper levels, in the file's order.
struct UpperLevels {
  std::vector<UpperNode> nodes;
  std::vector<std::byte> lists;
};

UpperLevels upper_levels(const hnswlib::HierarchicalNSW<float>& graph, std::size_t nodes) {
  UpperLevels upper;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    const auto levels = static_cast<std::uint32_t>(graph.element_levels_[node]);
    if (levels == 0) continue;
    upper.nodes.push_back({node, levels});
    const auto* lists = reinterpret_cast<const std::byte*>(graph.linkLists_[node]);
    upper.lists.insert(upper.lists.end(), lists, lists + levels * graph.size_links_per_element_);
  }
  return upper;
}

core::Status build(const retrieval::QuantizedVectors& vectors, const GraphOptions& options, const std::filesystem::path& path,
                   const BuildProgress& progress) {
  const NodeRows rows = find_nodes(vectors);
  const std::size_t nodes = rows.representatives.empty() ? vectors.rows : rows.representatives.size();
  GraphParts parts;
  parts.shape = {.rows = vectors.rows,
                 .dimension = static_cast<std::uint32_t>(vectors.dimension),
                 .nodes = static_cast<std::uint32_t>(nodes),
                 .neighbours = static_cast<std::uint32_t>(options.neighbours),
                 .construction = static_cast<std::uint32_t>(options.construction)};
  if (nodes == 0) return write_graph_file(path, parts);
  NodeSpace space(vectors, rows.representatives);
  hnswlib::HierarchicalNSW<float> graph(&space, nodes, options.neighbours, options.construction, kSeed);
  space.lie_at(graph.data_level0_memory_, nodes, graph.size_data_per_element_);
  if (graph.size_data_per_element_ != parts.shape.base_node_bytes() ||
      graph.size_links_per_element_ != parts.shape.upper_list_bytes()) {
    return core::fail(core::ErrorCode::kInternal, "hnswlib lays its nodes out in another way than the file of a graph");
  }
  for (std::size_t node = 0; node < nodes; ++node) {
    if (node % kNodesAReport == 0) CORE_CHECK(progress(node, nodes));
    graph.addPoint(graph.getDataByInternalId(static_cast<hnswlib::tableint>(node)), node);
  }
  CORE_CHECK(progress(nodes, nodes));
  const UpperLevels upper = upper_levels(graph, nodes);
  parts.shape.entry = graph.enterpoint_node_;
  parts.shape.top_level = static_cast<std::uint32_t>(graph.maxlevel_);
  parts.shape.upper_nodes = static_cast<std::uint32_t>(upper.nodes.size());
  parts.base = {reinterpret_cast<const std::byte*>(graph.data_level0_memory_), nodes * parts.shape.base_node_bytes()};
  parts.upper = upper.nodes;
  parts.upper_lists = upper.lists;
  parts.first = rows.first;
  parts.members = rows.members;
  return write_graph_file(path, parts);
}

std::unexpected<core::Error> bad_option(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

}  // namespace

core::Status GraphOptions::validate() const {
  if (neighbours < kMinNeighbours || neighbours > kMaxNeighbours) {
    return bad_option(fmt::format("graph_m is {}, it must be {} … {}", neighbours, kMinNeighbours, kMaxNeighbours), "graph_m");
  }
  if (construction < 8 || construction > 2'000) {
    return bad_option(fmt::format("graph_ef_construction is {}, it must be 8 … 2000", construction), "graph_ef_construction");
  }
  return {};
}

core::Status build_graph(const retrieval::QuantizedVectors& vectors, const GraphOptions& options,
                         const std::filesystem::path& path, const BuildProgress& progress) {
  CORE_CHECK(options.validate());
  if (vectors.rows > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return bad_option(fmt::format("{} rows are more than a graph can have", vectors.rows), "graph");
  }
  const auto no_memory = [&] {
    return core::fail(core::ErrorCode::kResourceExhausted, fmt::format("not enough memory for a graph of {} rows", vectors.rows));
  };
  try {
    return build(vectors, options, path, progress);
  } catch (const std::bad_alloc&) {
    return no_memory();
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).starts_with("Not enough memory")) return no_memory();  // hnswlib's own
    return core::fail(core::ErrorCode::kInternal, fmt::format("building a graph of {} rows: {}", vectors.rows, error.what()));
  }
}

}  // namespace scalestyle::adapters::graph
