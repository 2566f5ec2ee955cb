#include "ingest/graph_building.hpp"

#include <fmt/format.h>

#include <chrono>

#include "core/files.hpp"
#include "ingest/staged_catalog.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::ingest {

namespace {

constexpr auto kNoteInterval = std::chrono::seconds(10);

core::Status write_graph(const adapters::graph::GraphOptions& options, const IngestContext& context,
                         const std::filesystem::path& quantized, const std::filesystem::path& graph) {
  CORE_TRY(const auto file, core::MappedFile::open(quantized));
  CORE_TRY(const auto vectors,
           retrieval::open_quantized_vectors(file.bytes(), quantized.string(), retrieval::VectorCheck::kHeader));
  auto told = context.clock.steady_now();
  return adapters::graph::build_graph(vectors, options, graph, [&](std::size_t done, std::size_t nodes) -> core::Status {
    if (context.clock.steady_now() - told >= kNoteInterval) {
      told = context.clock.steady_now();
      context.progress.note(fmt::format("building {}: {} of {} nodes", graph.filename().string(), done, nodes));
    }
    return check_stop(context);
  });
}

}  // namespace

adapters::embedded::GraphWriter graph_writer(const IngestOptions& options, const IngestContext& context, IngestSummary& summary) {
  if (!options.graph) return {};
  return [&](const std::filesystem::path& quantized, const std::filesystem::path& graph) -> core::Status {
    context.before_step("build a graph");
    const auto begun = context.clock.steady_now();
    const core::Status written = write_graph(*options.graph, context, quantized, graph);
    summary.graph_seconds += std::chrono::duration<double>(context.clock.steady_now() - begun).count();
    return written;
  };
}

std::uint64_t estimate_graph_bytes(const adapters::graph::GraphOptions& options, std::uint64_t articles, bool photos) {
  return articles * (10 * options.neighbours + 32) * (photos ? 2 : 1);
}

std::optional<adapters::embedded::GraphFacts> graph_facts(const IngestOptions& options) {
  if (!options.graph) return std::nullopt;
  return adapters::embedded::GraphFacts{.neighbours = options.graph->neighbours, .construction = options.graph->construction};
}

}  // namespace scalestyle::ingest
