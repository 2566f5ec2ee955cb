#include "adapters/graph/graph_vector_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "adapters/graph/vector_graph.hpp"
#include "nn/kernels/scan.hpp"

namespace scalestyle::adapters::graph {

namespace {

telemetry::Counter queries_by(telemetry::Metrics& metrics, const char* way) {
  return metrics.counter({"scalestyle_graph_queries_total",
                          "Queries of the graph of vectors by the way they went: a walk, the exact scan, a walk that the scan "
                          "answered.",
                          {{"way", way}}});
}

}  // namespace

struct GraphVectorIndex::OpenGraph {
  OpenGraph(embedded::LocalVectorIndex::Generation kept, VectorGraph opened)
      : vectors(std::move(kept)), graph(std::move(opened)) {}

  embedded::LocalVectorIndex::Generation vectors;  // not null
  VectorGraph graph;
};

// One query on its way. A walk's part is used by one thread at a time.
struct GraphVectorIndex::Walking {
  const ports::VectorQuery* query = nullptr;
  std::optional<catalog::Bitmap> mapped{};  // what is eligible, in the collection's rows; nothing: `query` has it
  std::size_t eligible = 0;                 // rows
  WalkPlan plan{};
  core::Status status{};
  std::size_t steps = 0;
  std::optional<ports::VectorHits> hits{};  // nothing: the exact scan is to answer
};

GraphVectorIndex::GraphVectorIndex(Options options, Dependencies dependencies)
    : options_(std::move(options)),
      use_(dependencies),
      exact_(options_.vectors, use_.pool, use_.clock),
      walked_(queries_by(use_.metrics, "walk")),
      scanned_(queries_by(use_.metrics, "scan")),
      fell_back_(queries_by(use_.metrics, "fallback")),
      steps_(use_.metrics.histogram({"scalestyle_graph_walk_steps", "Nodes whose neighbours a walk looked at."},
                                    {64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})) {}

GraphVectorIndex::~GraphVectorIndex() = default;

core::Result<embedded::GenerationManifest> GraphVectorIndex::manifest_with_graph(const core::GenerationId& id) const {
  CORE_TRY(auto manifest, embedded::read_manifest(embedded::DataFolder(options_.vectors.data_dir).generation(id)));
  if (!manifest.graph) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("generation {} has no graph, which vector_store=graph searches through: run scalestyle ingest "
                                  "with --graph (and --update, which embeds nothing anew), or serve with vector_store=embedded",
                                  id.value()));
  }
  return manifest;
}

core::Result<GraphVectorIndex::Graph> GraphVectorIndex::read_graph(const core::GenerationId& id) const {
  const auto folder = embedded::DataFolder(options_.vectors.data_dir).generation(id);
  CORE_TRY(const auto manifest, manifest_with_graph(id));
  const bool photos = options_.vectors.collection == embedded::VectorCollection::kPhotos;
  if (photos && !manifest.info.image_encoder) return Graph();
  const auto name = photos ? embedded::kImageGraphFile : embedded::kGraphFile;
  CORE_CHECK(embedded::check_file(folder, manifest, name, options_.vectors.check));
  CORE_TRY(auto vectors, exact_.find_with_vectors(id));
  CORE_TRY(auto graph, VectorGraph::open(folder / name, vectors->vectors.quantized));
  return std::make_shared<const OpenGraph>(std::move(vectors), std::move(graph));
}

// Null where the generation has no vectors of photos.
core::Result<GraphVectorIndex::Graph> GraphVectorIndex::find(const core::GenerationId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found != open_.end()) return found->second;
  return core::fail(core::ErrorCode::kFailedPrecondition, fmt::format("generation {} is not open for search", id.value()));
}

core::Task<core::Status> GraphVectorIndex::open(core::GenerationId generation, core::Deadline deadline) {
  core::GenerationId id = generation;
  core::WorkerPool& opening = options_.vectors.opening != nullptr ? *options_.vectors.opening : use_.pool;
  CORE_CO_CHECK(co_await opening.schedule(deadline));
  // Before the vectors are read, which a server would else do again and again.
  auto manifest = manifest_with_graph(generation);
  if (!manifest) co_return std::unexpected(std::move(manifest).error());
  CORE_CO_CHECK(co_await exact_.open(std::move(id), deadline));
  if (find(generation)) co_return core::Status{};
  auto opened = read_graph(generation);
  if (!opened) {
    exact_.close(generation);
    co_return std::unexpected(std::move(opened).error());
  }
  const std::lock_guard lock(mutex_);
  open_.emplace(std::move(generation), std::move(*opened));
  co_return core::Status{};
}

void GraphVectorIndex::close(const core::GenerationId& generation) {
  exact_.close(generation);
  Graph closed;  // unmapped outside the lock
  const std::lock_guard lock(mutex_);
  if (auto node = open_.extract(generation)) closed = std::move(node.mapped());
}

std::vector<GraphVectorIndex::Walking> GraphVectorIndex::plan(const OpenGraph& graph,
                                                              std::span<const ports::VectorQuery> queries) const {
  const embedded::GenerationVectors& vectors = *graph.vectors;
  const std::size_t rows = vectors.vectors.quantized.rows;
  std::vector<Walking> all(queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    Walking& walking = all[i];
    walking.query = &queries[i];
    walking.eligible = rows;
    if (queries[i].eligible != nullptr) {
      if (vectors.from_catalog) walking.mapped = vectors.from_catalog->map(*queries[i].eligible);
      walking.eligible = walking.mapped ? walking.mapped->count() : queries[i].eligible->count();
    }
    walking.plan = plan_walk({.rows = rows, .eligible = walking.eligible, .wanted = queries[i].k}, options_.walk);
  }
  return all;
}

void GraphVectorIndex::walk(const OpenGraph& graph, Walking& walking, core::Deadline deadline) const {
  const embedded::GenerationVectors& vectors = *graph.vectors;
  const ports::VectorQuery& query = *walking.query;
  const catalog::Bitmap* eligible = walking.mapped ? &*walking.mapped : query.eligible.get();
  const std::size_t wanted = std::min(query.k, walking.eligible);
  const bool all = walking.eligible == vectors.vectors.quantized.rows;
  auto found = graph.graph.walk({.query = query.vector,
                                 .eligible = all ? std::span<const std::uint64_t>{} : eligible->words(),
                                 .wanted = wanted,
                                 .breadth = walking.plan.breadth,
                                 .most_steps = walking.plan.most_steps},
                                deadline, use_.clock);
  if (!found) {
    walking.status = std::unexpected(std::move(found).error());
    return;
  }
  walking.steps = found->steps;
  if (found->given_up || found->rows.size() < wanted) return;
  std::ranges::sort(found->rows);
  std::vector<float> scores(found->rows.size());
  nn::kernels::dot_f32_rows(query.vector, vectors.vectors.exact.values.data(), found->rows, scores.data());
  std::vector<std::uint32_t> order(found->rows.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto best = order.begin() + static_cast<std::ptrdiff_t>(wanted);
  std::ranges::partial_sort(order, best, [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;  // rows ascend
  });
  ports::VectorHits& hits = walking.hits.emplace();
  hits.exact = false;
  hits.rows_scanned = found->products;
  hits.rows_rescored = found->rows.size();
  hits.hits.reserve(wanted);
  for (auto i = order.begin(); i != best; ++i) hits.hits.push_back({vectors.ids[found->rows[*i]], scores[*i]});
}

core::Task<core::Result<std::vector<ports::VectorHits>>> GraphVectorIndex::search(core::GenerationId generation,
                                                                                  std::vector<ports::VectorQuery> queries,
                                                                                  core::Deadline deadline) {
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  CORE_CO_TRY(const Graph graph, find(generation));
  if (graph == nullptr) {
    // Says what is missing.
    co_return co_await exact_.search(std::move(generation), std::move(queries), deadline);
  }
  for (const ports::VectorQuery& query : queries) CORE_CO_CHECK(embedded::check_query(query, *graph->vectors));
  std::vector<Walking> all = plan(*graph, queries);
  std::vector<Walking*> walks;
  for (Walking& walking : all) {
    if (walking.plan.walk) walks.push_back(&walking);
  }
  const std::function<void(std::size_t)> body = [&](std::size_t i) { walk(*graph, *walks[i], deadline); };
  use_.pool.parallel_for(walks.size(), body);

  std::vector<ports::VectorQuery> rest;
  for (Walking& walking : all) {
    if (!walking.status) co_return std::unexpected(std::move(walking.status).error());
    if (walking.plan.walk) steps_.observe(static_cast<double>(walking.steps));
    if (walking.hits) {
      walked_.add();
      continue;
    }
    (walking.plan.walk ? fell_back_ : scanned_).add();
    rest.push_back(*walking.query);
  }
  std::vector<ports::VectorHits> scanned;
  if (!rest.empty()) {
    core::Result<std::vector<ports::VectorHits>> answer = exact_.search_here(*graph->vectors, rest, deadline);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    scanned = std::move(*answer);
  }
  std::vector<ports::VectorHits> results;
  results.reserve(all.size());
  auto next = scanned.begin();
  for (Walking& walking : all) results.push_back(walking.hits ? std::move(*walking.hits) : std::move(*next++));
  co_return results;
}

core::Task<core::Result<std::vector<float>>> GraphVectorIndex::vector_of(core::GenerationId generation,
                                                                         catalog::ArticleId article,
                                                                         core::Deadline deadline) {
  CORE_CO_CHECK(co_await use_.pool.schedule(deadline));
  CORE_CO_TRY(const Graph graph, find(generation));
  if (graph == nullptr) co_return co_await exact_.vector_of(std::move(generation), std::move(article), deadline);
  co_return embedded::LocalVectorIndex::vector_here(*graph->vectors, generation, article);
}

}  // namespace scalestyle::adapters::graph
