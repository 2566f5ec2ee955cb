// scalestyle evaluate vectors: recall of the vector index of a data folder against a plain scan of its vectors.

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "adapters/graph/graph_vector_index.hpp"
#include "command_list.hpp"
#include "core/files.hpp"
#include "core/task.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/vector_recall.hpp"
#include "ports/vector_index.hpp"
#include "runtime.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDefaultSample = 200;
constexpr std::size_t kMaxQueriesFileBytes = std::size_t{512} << 20U;
constexpr std::size_t kTextsAtOnce = 64;

core::Result<std::vector<std::size_t>> parse_depths(std::string_view text) {
  std::vector<std::size_t> depths;
  while (true) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::size_t depth = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + end, depth);
    if (error != std::errc{} || stopped != text.data() + end) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("--depths: \"{}\" is not a whole number", text.substr(0, end)),
                        "depths");
    }
    depths.push_back(depth);
    if (end == text.size()) return depths;
    text.remove_prefix(end + 1);
  }
}

core::Result<evaluation::VectorRecallOptions> recall_options(const core::Settings& settings) {
  evaluation::VectorRecallOptions options;
  CORE_TRY(options.depths, parse_depths(settings.text("depths")));
  options.eligible_share = settings.number("eligible_share");
  options.resamples = static_cast<std::size_t>(settings.integer("resamples"));
  options.seed = static_cast<std::uint64_t>(settings.integer("bootstrap_seed"));
  CORE_CHECK(options.validate());
  return options;
}

// Texts as the search embeds them.
core::Result<std::vector<std::vector<float>>> embed_queries(const core::Settings& settings, std::size_t count, Compute& compute) {
  CORE_TRY(const std::string text, core::read_text_file(settings.text("queries"), kMaxQueriesFileBytes));
  evaluation::QuerySet set;
  CORE_TRY(set.queries, evaluation::parse_queries(text, settings.text("queries")));
  evaluation::sample_queries(set, count, static_cast<std::uint64_t>(settings.integer("seed")));
  CORE_TRY(const auto encoder, load_encoder(settings, settings.text("query_precision"), compute));
  CORE_TRY(const std::string prefix, query_prefix(settings));
  std::vector<std::vector<float>> queries;
  for (std::size_t begin = 0; begin < set.queries.size(); begin += kTextsAtOnce) {
    std::vector<std::string> texts;
    for (std::size_t i = begin; i < std::min(begin + kTextsAtOnce, set.queries.size()); ++i) {
      texts.push_back(prefix + set.queries[i].text);
    }
    CORE_TRY(const auto batch, core::sync_wait(encoder->encode(std::move(texts), core::Deadline::never())));
    for (std::size_t at = 0; at < batch.values.size(); at += batch.dimension) {
      const auto row = batch.values.begin() + static_cast<std::ptrdiff_t>(at);
      queries.emplace_back(row, row + static_cast<std::ptrdiff_t>(batch.dimension));
    }
  }
  return queries;
}

core::Result<std::unique_ptr<ports::VectorIndex>> open_index(const core::Settings& settings, const std::filesystem::path& data,
                                                            Compute& compute, telemetry::Metrics& metrics) {
  const std::string& store = settings.text("vector_store");
  if (store == "embedded") {
    return std::make_unique<adapters::embedded::LocalVectorIndex>(adapters::embedded::LocalVectorIndex::Options{.data_dir = data},
                                                                  compute.pool(), compute.clock());
  }
  if (store != "graph") {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      "evaluate vectors looks into the data folder: vector_store must be embedded or graph", "vector_store");
  }
  return std::make_unique<adapters::graph::GraphVectorIndex>(
      adapters::graph::GraphVectorIndex::Options{.vectors = {.data_dir = data},
                                                 .walk = {.breadth = static_cast<std::size_t>(settings.integer("graph_ef")),
                                                          .rows_a_step = settings.number("graph_step_cost")}},
      adapters::graph::GraphVectorIndex::Dependencies{.pool = compute.pool(), .clock = compute.clock(), .metrics = metrics});
}

core::Result<evaluation::VectorRecall> evaluate(const core::Settings& settings) {
  CORE_TRY(const auto options, recall_options(settings));
  CORE_CHECK(choose_kernels(settings));
  CORE_TRY(const auto data, data_folder(settings));
  Compute compute(compute_threads(settings));
  const auto deadline = core::Deadline::after(60s, compute.clock());
  adapters::embedded::LocalCatalogStore store({.data_dir = data}, compute.pool());
  CORE_TRY(const auto id, core::sync_wait(store.current(deadline)));
  CORE_TRY(const auto snapshot, core::sync_wait(store.load(id, deadline)));
  const auto file = adapters::embedded::DataFolder(data).generation(id) / adapters::embedded::kExactVectorsFile;
  CORE_TRY(const auto bytes, core::MappedFile::open(file));
  CORE_TRY(const auto vectors,
           retrieval::open_exact_vectors(bytes.bytes(), file.string(), retrieval::VectorCheck::kHeader));
  telemetry::Metrics metrics;  // of the index; nobody asks for them
  CORE_TRY(const auto index, open_index(settings, data, compute, metrics));
  CORE_CHECK(core::sync_wait(index->open(id, deadline)));
  const auto wanted = static_cast<std::size_t>(settings.integer("sample"));
  std::vector<std::vector<float>> queries;
  if (settings.is_set("queries")) {
    CORE_TRY(queries, embed_queries(settings, wanted > 0 ? wanted : evaluation::kMaxQueries, compute));
  } else {
    queries = evaluation::sample_rows(vectors, wanted > 0 ? wanted : kDefaultSample,
                                      static_cast<std::uint64_t>(settings.integer("seed")));
  }
  return evaluation::evaluate_vectors({*index, id, *snapshot->catalog, vectors}, queries, compute.clock(), options);
}

int run_evaluate(const Invocation& invocation) {
  const auto recall = evaluate(invocation.settings);
  if (!recall) return report(recall.error());
  fmt::print("{}\n", invocation.settings.boolean("json") ? evaluation::to_json(*recall) : evaluation::to_text(*recall));
  return kExitOk;
}

}  // namespace

Command evaluate_vectors_command() {
  return {.path = {"evaluate", "vectors"},
          .help = "Recall of the vector index against a plain scan, for sampled articles or for queries",
          .settings = {"data", "depths", "sample", "seed", "queries", "eligible_share", "models", "model", "query_precision",
                       "query_prefix", "compute_threads", "isa", "vector_store", "graph_ef", "graph_step_cost", "resamples", "bootstrap_seed", "json"},
          .run = run_evaluate};
}

}  // namespace scalestyle::app
