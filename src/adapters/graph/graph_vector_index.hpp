#pragma once
// VectorIndex through the graphs of a generation (ingest --graph): for collections that an exact scan takes too long over.
// Each query goes the way that plan_walk() finds cheaper: through the graph, whose rows are then scored by their exact f32
// vectors, or over its eligible rows by the exact scan (adapters/embedded/local_vector_index.hpp). A walk that is given up, or
// finds fewer rows than are wanted and eligible, is answered by the exact scan: an answer is short of hits only where there
// are no more.
//
// VectorHits::exact tells the way: true, the scan; false, the graph. The rows that a walk compared are its rows_scanned.
// Shows scalestyle_graph_queries_total by way (walk, scan, fallback: a walk that the scan answered) and
// scalestyle_graph_walk_steps, a histogram.
// A generation without a graph does not open. Only VectorQuery::eligible restricts a search.
// Thread safety: as the port.

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "adapters/embedded/generation_manifest.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "adapters/graph/walk_plan.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "ports/vector_index.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::graph {

class GraphVectorIndex final : public ports::VectorIndex {
 public:
  struct Options {
    embedded::LocalVectorIndex::Options vectors;
    WalkOptions walk{};
  };
  // All outlive the index.
  struct Dependencies {
    core::WorkerPool& pool;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
  };

  GraphVectorIndex(Options options, Dependencies dependencies);
  ~GraphVectorIndex() override;

  // Also kFailedPrecondition: the generation has no graph; says what makes one.
  [[nodiscard]] core::Task<core::Status> open(core::GenerationId generation, core::Deadline deadline) override;
  void close(const core::GenerationId& generation) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId generation,
                                                                                std::vector<ports::VectorQuery> queries,
                                                                                core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation,
                                                                       catalog::ArticleId article,
                                                                       core::Deadline deadline) override;

  // The exact scan of the same vectors, which this index opens and closes too. Closing a generation there ends none of the
  // searches here.
  [[nodiscard]] ports::VectorIndex& exact() { return exact_; }

 private:
  struct OpenGraph;
  struct Walking;
  using Graph = std::shared_ptr<const OpenGraph>;

  // kFailedPrecondition: it has no graph.
  [[nodiscard]] core::Result<embedded::GenerationManifest> manifest_with_graph(const core::GenerationId& id) const;
  [[nodiscard]] core::Result<Graph> read_graph(const core::GenerationId& id) const;
  [[nodiscard]] core::Result<Graph> find(const core::GenerationId& id) const;
  [[nodiscard]] std::vector<Walking> plan(const OpenGraph& graph, std::span<const ports::VectorQuery> queries) const;
  void walk(const OpenGraph& graph, Walking& walking, core::Deadline deadline) const;

  const Options options_;
  const Dependencies use_;
  embedded::LocalVectorIndex exact_;
  telemetry::Counter walked_;
  telemetry::Counter scanned_;
  telemetry::Counter fell_back_;
  telemetry::Histogram steps_;
  mutable std::mutex mutex_;
  std::map<core::GenerationId, Graph> open_;  // guarded by mutex_
};

}  // namespace scalestyle::adapters::graph
