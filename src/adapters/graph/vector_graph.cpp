#include "adapters/graph/vector_graph.hpp"

#include <fmt/format.h>

#include <new>
#include <stdexcept>
#include <utility>

#include "adapters/graph/node_space_impl.hpp"
#include "core/files.hpp"
#include "retrieval/query_planes.hpp"

namespace scalestyle::adapters::graph {

namespace {

constexpr std::size_t kStepsALook = 64;  // at the clock

bool is_set(std::span<const std::uint64_t> bits, std::uint32_t row) { return (bits[row / 64] >> (row % 64) & 1U) != 0; }

// Nodes that have an eligible row.
class EligibleNodes final : public hnswlib::BaseFilterFunctor {
 public:
  EligibleNodes(const GraphParts& parts, std::span<const std::uint64_t> eligible) : parts_(parts), eligible_(eligible) {}

  bool operator()(hnswlib::labeltype label) override {
    const auto node = static_cast<std::uint32_t>(label);
    if (parts_.first.empty()) return is_set(eligible_, node);
    for (std::uint32_t i = parts_.first[node]; i < parts_.first[node + 1]; ++i) {
      if (is_set(eligible_, parts_.members[i])) return true;
    }
    return false;
  }

 private:
  const GraphParts& parts_;
  std::span<const std::uint64_t> eligible_;
};

// Ends a walk when what is left is farther than the `breadth` nodes that are kept, when it took too many steps, or too long.
class WalkEnd final : public hnswlib::BaseSearchStopCondition<float> {
 public:
  WalkEnd(const Walk& walk, core::Deadline deadline, const core::Clock& clock)
      : breadth_(walk.breadth), most_steps_(walk.most_steps), deadline_(deadline), clock_(clock) {}

  void add_point_to_result(hnswlib::labeltype, const void*, float) override { ++kept_; }
  void remove_point_from_result(hnswlib::labeltype, const void*, float) override { --kept_; }
  bool should_stop_search(float candidate, float farthest) override {
    if (candidate > farthest && kept_ >= breadth_) return true;
    given_up_ = steps_ >= most_steps_;
    late_ = steps_ % kStepsALook == kStepsALook - 1 && deadline_.expired(clock_);
    if (given_up_ || late_) return true;
    ++steps_;
    return false;
  }
  bool should_consider_candidate(float candidate, float farthest) override {
    ++products_;
    return kept_ < breadth_ || farthest > candidate;
  }
  bool should_remove_extra() override { return kept_ > breadth_; }
  void filter_results(std::vector<std::pair<float, hnswlib::labeltype>>&) override {}

  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] std::size_t products() const { return products_; }
  [[nodiscard]] bool given_up() const { return given_up_; }
  [[nodiscard]] bool late() const { return late_; }

 private:
  const std::size_t breadth_;
  const std::size_t most_steps_;
  const core::Deadline deadline_;
  const core::Clock& clock_;
  std::size_t kept_ = 0;
  std::size_t steps_ = 0;
  std::size_t products_ = 0;
  bool given_up_ = false;
  bool late_ = false;
};

// The eligible rows of nodes, nearest node first, until `breadth` are there.
std::vector<std::uint32_t> rows_of(const std::vector<std::pair<float, hnswlib::labeltype>>& nodes, const GraphParts& parts,
                                   const Walk& walk) {
  std::vector<std::uint32_t> rows;
  rows.reserve(nodes.size());
  for (const auto& [distance, label] : nodes) {
    const auto node = static_cast<std::uint32_t>(label);
    if (parts.first.empty()) {
      rows.push_back(node);
      continue;
    }
    if (rows.size() >= walk.breadth) break;
    std::size_t taken = 0;
    for (std::uint32_t i = parts.first[node]; i < parts.first[node + 1] && taken < walk.wanted; ++i) {
      if (!walk.eligible.empty() && !is_set(walk.eligible, parts.members[i])) continue;
      rows.push_back(parts.members[i]);
      ++taken;
    }
  }
  return rows;
}

std::vector<std::uint32_t> representatives_of(const GraphParts& parts) {
  std::vector<std::uint32_t> rows;
  if (parts.first.empty()) return rows;
  rows.reserve(parts.shape.nodes);
  for (std::uint32_t node = 0; node < parts.shape.nodes; ++node) rows.push_back(parts.members[parts.first[node]]);
  return rows;
}

}  // namespace

struct VectorGraph::State {
  State(core::MappedFile mapped, const GraphParts& opened, const retrieval::QuantizedVectors& codes)
      : file(std::move(mapped)),
        parts(opened),
        vectors(codes),
        representatives(representatives_of(parts)),
        upper(parts.shape.nodes, nullptr),
        space(vectors, representatives),
        graph(&space) {
    if (parts.shape.nodes > 0) lay_out();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    // What it would free is the file's.
    graph.cur_element_count = 0;
    graph.data_level0_memory_ = nullptr;
    graph.linkLists_ = nullptr;
  }

  // hnswlib reads its graph where the file has it. A search changes nothing of it.
  void lay_out() {
    const GraphShape& shape = parts.shape;
    // First, as it allocates: where it throws, hnswlib must not hold what it would free.
    graph.visited_list_pool_ = std::make_unique<hnswlib::VisitedListPool>(1, static_cast<int>(shape.nodes));
    auto* const base = const_cast<char*>(reinterpret_cast<const char*>(parts.base.data()));
    auto* list = const_cast<char*>(reinterpret_cast<const char*>(parts.upper_lists.data()));
    for (const UpperNode& node : parts.upper) {
      upper[node.node] = list;
      list += node.levels * shape.upper_list_bytes();
    }
    space.lie_at(base, shape.nodes, shape.base_node_bytes());
    graph.max_elements_ = shape.nodes;
    graph.cur_element_count = shape.nodes;
    graph.M_ = shape.neighbours;
    graph.maxM_ = shape.neighbours;
    graph.maxM0_ = std::size_t{2} * shape.neighbours;
    graph.ef_construction_ = shape.construction;
    graph.size_data_per_element_ = shape.base_node_bytes();
    graph.size_links_per_element_ = shape.upper_list_bytes();
    graph.size_links_level0_ = shape.base_node_bytes() - sizeof(hnswlib::labeltype);
    graph.offsetData_ = graph.size_links_level0_;
    graph.label_offset_ = graph.size_links_level0_;
    graph.data_level0_memory_ = base;
    graph.linkLists_ = upper.data();
    graph.enterpoint_node_ = shape.entry;
    graph.maxlevel_ = static_cast<int>(shape.top_level);
    graph.fstdistfunc_ = space.get_dist_func();
    graph.dist_func_param_ = space.get_dist_func_param();
  }

  core::MappedFile file;
  GraphParts parts;
  retrieval::QuantizedVectors vectors;
  std::vector<std::uint32_t> representatives;  // rows; empty: node i is row i
  std::vector<char*> upper;                    // a node's lists above the lowest level; null: none
  NodeSpace space;
  hnswlib::HierarchicalNSW<float> graph;
};

VectorGraph::VectorGraph(std::unique_ptr<State> state) : state_(std::move(state)) {}
VectorGraph::VectorGraph(VectorGraph&&) noexcept = default;
VectorGraph& VectorGraph::operator=(VectorGraph&&) noexcept = default;
VectorGraph::~VectorGraph() = default;

const GraphShape& VectorGraph::shape() const { return state_->parts.shape; }

core::Result<VectorGraph> VectorGraph::open(const std::filesystem::path& path, const retrieval::QuantizedVectors& vectors) {
  CORE_TRY(auto file, core::MappedFile::open(path));
  CORE_TRY(const auto parts, open_graph_file(file.bytes(), path.string()));
  if (parts.shape.rows != vectors.rows || parts.shape.dimension != vectors.dimension) {
    return core::fail(core::ErrorCode::kDataLoss,
                      fmt::format("{}: it is of {} rows of dimension {}, the vectors are {} of {}; the file is damaged, ingest "
                                  "again",
                                  path.string(), parts.shape.rows, parts.shape.dimension, vectors.rows, vectors.dimension));
  }
  try {
    return VectorGraph(std::make_unique<State>(std::move(file), parts, vectors));
  } catch (const std::bad_alloc&) {
    return core::fail(core::ErrorCode::kResourceExhausted,
                      fmt::format("{}: not enough memory for a graph of {} nodes", path.string(), parts.shape.nodes));
  }
}

core::Result<WalkFound> VectorGraph::walk(const Walk& walk, core::Deadline deadline, const core::Clock& clock) const {
  WalkFound found;
  if (state_->parts.shape.nodes == 0) return found;
  try {
    std::vector<std::int8_t> codes(state_->vectors.stride);
    const auto planes = retrieval::quantize_query(walk.query, state_->vectors, codes, 1);
    const NodeQuery query{.codes = codes.data(), .scale = planes.scales[0], .common = planes.common};
    EligibleNodes eligible(state_->parts, walk.eligible);
    WalkEnd end(walk, deadline, clock);
    const auto nodes = state_->graph.searchStopConditionClosest(&query, end, walk.eligible.empty() ? nullptr : &eligible);
    if (end.late()) {
      return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed during the walk through the graph");
    }
    found.rows = rows_of(nodes, state_->parts, walk);
    found.steps = end.steps();
    found.products = end.products();
    found.given_up = end.given_up();
    return found;
  } catch (const std::bad_alloc&) {
    return core::fail(core::ErrorCode::kResourceExhausted, "not enough memory to walk through the graph");
  } catch (const std::runtime_error& error) {
    return core::fail(core::ErrorCode::kInternal, fmt::format("a walk through the graph: {}", error.what()));
  }
}

}  // namespace scalestyle::adapters::graph
