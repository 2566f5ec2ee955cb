#include "ingest/publish.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <system_error>
#include <vector>

#include "adapters/embedded/neighbour_file.hpp"
#include "adapters/graph/vector_graph.hpp"
#include "core/files.hpp"
#include "ingest/graph_building.hpp"

namespace scalestyle::ingest {

namespace {

using adapters::embedded::DataFolder;
using adapters::embedded::GenerationManifest;

constexpr std::string_view kAssemblyFolder = "generation";
constexpr std::string_view kWorkPrefix = ".building-";
constexpr std::string_view kRemovingPrefix = ".removing-";

core::Status remove_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return std::unexpected(core::system_error("remove", path, error.value()));
  return {};
}

core::Status rename_path(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error) return std::unexpected(core::system_error("rename", from, error.value()));
  return {};
}

retrieval::ExactVectors vectors_of(const VectorLane& lane, const GatheredVectors& gathered) {
  return {.rows = gathered.rows.size(), .dimension = lane.encoder.dimension, .values = gathered.values};
}

GenerationManifest describe(const PublishInput& input, const IngestContext& context, const IngestOptions& options,
                            const IngestSummary& summary) {
  GenerationManifest manifest;
  manifest.info.id = input.texts.work->generation();
  manifest.info.document_encoder = input.texts.encoder;
  manifest.info.text_format = input.texts.format;
  manifest.info.currency = options.currency;
  manifest.info.price_scale = options.price_scale;
  manifest.info.created_at = core::to_iso8601(context.clock.wall_now());
  manifest.info.image_folder = input.staged.image_folder;
  manifest.info.purchases_from = input.staged.purchases_from;
  manifest.info.purchases_to = input.staged.purchases_to;
  manifest.info.changes_through = input.staged.changes_through;
  manifest.info.changes_overruled_ms = input.staged.changes_overruled_ms;
  manifest.counts = {.articles = input.staged.catalog.size(),
                     .distinct_texts = input.texts.plan.distinct,
                     .rejected_rows = summary.rejected,
                     .with_price = summary.with_price,
                     .with_image = summary.with_image,
                     .supplied_vectors = summary.supplied_vectors,
                     .reused_vectors = input.texts.plan.reused};
  manifest.price_source = input.staged.price_source;
  manifest.sources = input.staged.sources;
  if (input.staged.neighbours) manifest.neighbours = input.staged.neighbours->facts;
  if (input.photos != nullptr && summary.image_vectors > 0) {
    manifest.info.image_encoder = input.photos->encoder;
    manifest.images = {.format = input.photos->format,
                       .distinct_photos = input.photos->plan.distinct,
                       .rejected_photos = summary.rejected_photos,
                       .supplied_vectors = summary.supplied_image_vectors,
                       .reused_vectors = input.photos->plan.reused};
  }
  return manifest;
}

}  // namespace

core::GenerationId new_generation_id(const DataFolder& folder, core::WallTime time, std::string_view fingerprint,
                                     const std::function<bool(const core::GenerationId&)>& is_taken) {
  const std::string base = fmt::format("{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                                       fingerprint.substr(0, 8));
  std::error_code ignored;
  core::GenerationId id(base);
  for (int n = 2; std::filesystem::exists(folder.generation(id), ignored) || is_taken(id); ++n) {
    id = core::GenerationId(fmt::format("{}-{}", base, n));
  }
  return id;
}

core::Result<std::filesystem::path> assemble_generation(const PublishInput& input, const IngestContext& context,
                                                        const IngestOptions& options, IngestSummary& summary) {
  using namespace adapters::embedded;
  const auto folder = input.texts.work->path() / kAssemblyFolder;
  context.before_step("assemble");
  CORE_CHECK(remove_folder(folder));
  CORE_TRY(const auto texts, gather_vectors(input.texts));
  GatheredVectors photos;
  if (input.photos != nullptr) {
    CORE_TRY(photos, gather_vectors(*input.photos));
  }
  summary.image_vectors = photos.rows.size();
  GenerationContents contents{.manifest = describe(input, context, options, summary),
                              .catalog = &input.staged.catalog,
                              .origins = input.texts.plan.origins,
                              .vectors = vectors_of(input.texts, texts)};
  if (!photos.rows.empty()) contents.images = {.rows = photos.rows, .vectors = vectors_of(*input.photos, photos)};
  if (input.staged.neighbours) contents.neighbours = &input.staged.neighbours->neighbours;
  contents.manifest.graph = graph_facts(options);
  contents.write_graph = graph_writer(options, context, summary);
  CORE_TRY(const auto manifest, write_generation(folder, contents));
  context.before_step("verify");
  CORE_TRY(const auto reread, read_manifest(folder));
  CORE_CHECK(check_files(folder, reread, FileCheck::kHashes));
  CORE_TRY(const auto mapped, map_vectors(folder, reread, FileCheck::kSizes));
  if (reread.graph) {
    CORE_TRY(const auto graph, adapters::graph::VectorGraph::open(folder / kGraphFile, mapped.quantized));
  }
  CORE_TRY(const auto ids, read_article_ids(folder / kCatalogFile, manifest.info.articles));
  if (reread.info.image_encoder) {
    CORE_TRY(const auto mapped_photos, map_image_vectors(folder, reread, FileCheck::kSizes));
    if (reread.graph) {
      CORE_TRY(const auto graph, adapters::graph::VectorGraph::open(folder / kImageGraphFile, mapped_photos.vectors.quantized));
    }
  }
  if (reread.neighbours) {
    CORE_TRY(const auto neighbours, read_neighbours(folder / kNeighboursFile, manifest.info.articles));
  }
  return folder;
}

core::Result<std::optional<core::GenerationId>> switch_generation(const DataFolder& folder,
                                                                  const std::filesystem::path& built,
                                                                  const core::GenerationId& id,
                                                                  const IngestContext& context) {
  std::optional<core::GenerationId> previous;
  if (auto current = folder.read_current()) previous = std::move(*current);
  const auto place = folder.generation(id);
  // Left by a run that died before it made this generation current: nobody can be using it.
  if (previous != id) CORE_CHECK(remove_folder(place));
  context.before_step("move the generation in place");
  CORE_CHECK(rename_path(built, place));
  CORE_CHECK(core::sync_folder(folder.generations()));
  context.before_step("switch");
  CORE_CHECK(folder.write_current(id));
  context.before_step("switched");
  return previous;
}

void remove_old_generations(const DataFolder& folder, const core::GenerationId& current,
                            const std::optional<core::GenerationId>& previous, const IngestContext& context,
                            IngestSummary& summary) {
  std::vector<std::filesystem::path> doomed;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder.generations(), error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const bool is_work = name.starts_with(kWorkPrefix) || name.starts_with(kRemovingPrefix);
    std::error_code ignored;
    const bool is_old = adapters::embedded::is_generation_id(name) && name != current.value() &&
                        (!previous || name != previous->value()) &&
                        std::filesystem::exists(entries->path() / adapters::embedded::kManifestFile, ignored);
    if (is_work || is_old) doomed.push_back(entries->path());
  }
  for (const auto& path : doomed) {
    const std::string name = path.filename().string();
    auto removing = path;
    context.before_step("remove old files");
    core::Status status;
    if (!name.starts_with(".")) {
      // A generation that is half removed must not look like one.
      removing = folder.generations() / (std::string(kRemovingPrefix) + name);
      status = rename_path(path, removing);
      std::filesystem::remove(rejects_path(folder, core::GenerationId(name)), error);
    }
    if (status) status = remove_folder(removing);
    if (!status) summary.notes.push_back("old files stay: " + status.error().message);
  }
}

std::uint64_t estimate_catalog_bytes(const catalog::Catalog& catalog) {
  std::uint64_t text_bytes = 0;
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    const auto view = catalog.row(catalog::RowIndex{row});
    text_bytes += view.id().size() * 2 + view.name().size() + view.description().size() + view.image_path().size() + 160;
    for (const catalog::Attribute attribute : catalog::all_attributes()) text_bytes += view[attribute].size() + 2;
  }
  constexpr std::uint64_t kSlackBytes = std::uint64_t{16} << 20;
  return text_bytes + text_bytes / 4 + kSlackBytes;
}

std::uint64_t estimate_vector_bytes(const VectorLane& lane) {
  const std::uint64_t dimension = lane.encoder.dimension;
  const auto rows = static_cast<std::uint64_t>(
      std::ranges::count_if(lane.plan.rows, [](const RowVector& row) { return row.from != RowVector::From::kNone; }));
  return (lane.plan.items.size() + rows) * dimension * sizeof(float) + rows * (dimension + 128);
}

std::filesystem::path rejects_path(const DataFolder& folder, const core::GenerationId& id) {
  return folder.root() / ("rejects-" + id.value() + ".csv");
}

}  // namespace scalestyle::ingest
