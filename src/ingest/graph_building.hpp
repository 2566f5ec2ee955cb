#pragma once
// The graphs of a generation's vectors, as a part of writing its files. Built anew by every run that gets that far: the same
// vectors and settings give the same bytes, whenever a run died.

#include <cstdint>
#include <optional>

#include "adapters/embedded/generation_files.hpp"
#include "ingest/ingest.hpp"

namespace scalestyle::ingest {

// What writes the graph of a collection; empty where options.graph is. It tells the context's progress now and then, and ends
// with kCancelled at its stop signal; adds the time it took to the summary, which it refers to, as to both others.
[[nodiscard]] adapters::embedded::GraphWriter graph_writer(const IngestOptions& options, const IngestContext& context,
                                                           IngestSummary& summary);

// Bytes that the graphs will take, generously.
[[nodiscard]] std::uint64_t estimate_graph_bytes(const adapters::graph::GraphOptions& options, std::uint64_t articles,
                                                 bool photos);

// What the manifest says of it.
[[nodiscard]] std::optional<adapters::embedded::GraphFacts> graph_facts(const IngestOptions& options);

}  // namespace scalestyle::ingest
