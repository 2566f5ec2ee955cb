#include "ingest/publish.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <system_error>
#include <vector>

#include "catalog/product_text.hpp"
#include "core/files.hpp"

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

// The vectors of all rows, in row order.
core::Result<std::vector<float>> gather_vectors(const PublishInput& input, std::size_t dimension) {
  CORE_TRY(const auto work, core::MappedFile::open(input.work.vectors_path()));
  if (work.bytes().size() != input.plan.texts.size() * dimension * sizeof(float)) {
    return core::fail(core::ErrorCode::kDataLoss,
                      fmt::format("{} has {} bytes instead of {} vectors; delete its folder and ingest again",
                                  input.work.vectors_path().string(), work.bytes().size(), input.plan.texts.size()));
  }
  const std::span embedded(reinterpret_cast<const float*>(work.bytes().data()), work.bytes().size() / sizeof(float));
  std::vector<float> rows;
  rows.reserve(input.plan.rows.size() * dimension);
  for (const RowVector& row : input.plan.rows) {
    std::span<const float> vector;
    switch (row.from) {
      case RowVector::From::kEmbedded: vector = embedded.subspan(row.index * dimension, dimension); break;
      case RowVector::From::kReused: vector = input.reusable->vector(row.index); break;
      case RowVector::From::kSupplied: vector = input.supplied->find(catalog::RowIndex{row.index}); break;
    }
    rows.insert(rows.end(), vector.begin(), vector.end());
  }
  return rows;
}

GenerationManifest describe(const PublishInput& input, const IngestContext& context, const IngestOptions& options,
                            const IngestSummary& summary) {
  GenerationManifest manifest;
  manifest.info.id = input.work.generation();
  manifest.info.document_encoder = context.encoder.info();
  manifest.info.text_format = catalog::kTextFormat;
  manifest.info.currency = options.currency;
  manifest.info.price_scale = options.price_scale;
  manifest.info.created_at = core::to_iso8601(context.clock.wall_now());
  manifest.info.image_folder = input.staged.image_folder;
  manifest.info.purchases_from = input.staged.purchases_from;
  manifest.info.purchases_to = input.staged.purchases_to;
  manifest.info.changes_through = input.staged.changes_through;
  manifest.info.changes_overruled_ms = input.staged.changes_overruled_ms;
  manifest.counts = {.articles = input.staged.catalog.size(),
                     .distinct_texts = input.plan.distinct_texts,
                     .rejected_rows = summary.rejected,
                     .with_price = summary.with_price,
                     .with_image = summary.with_image,
                     .supplied_vectors = summary.supplied_vectors,
                     .reused_vectors = input.plan.reused_texts};
  manifest.price_source = input.staged.price_source;
  manifest.sources = input.staged.sources;
  return manifest;
}

}  // namespace

core::GenerationId new_generation_id(const DataFolder& folder, core::WallTime time, std::string_view fingerprint) {
  const std::string base = fmt::format("{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                                       fingerprint.substr(0, 8));
  std::error_code ignored;
  core::GenerationId id(base);
  for (int n = 2; std::filesystem::exists(folder.generation(id), ignored); ++n) id = core::GenerationId(fmt::format("{}-{}", base, n));
  return id;
}

core::Result<std::filesystem::path> assemble_generation(const PublishInput& input, const IngestContext& context,
                                                        const IngestOptions& options, const IngestSummary& summary) {
  using namespace adapters::embedded;
  const std::size_t dimension = context.encoder.info().dimension;
  const auto folder = input.work.path() / kAssemblyFolder;
  context.before_step("assemble");
  CORE_CHECK(remove_folder(folder));
  CORE_TRY(const auto vectors, gather_vectors(input, dimension));
  CORE_TRY(const auto manifest,
           write_generation(folder, {.manifest = describe(input, context, options, summary),
                                     .catalog = &input.staged.catalog,
                                     .origins = input.plan.origins,
                                     .vectors = {.rows = input.plan.rows.size(), .dimension = dimension, .values = vectors}}));
  context.before_step("verify");
  CORE_TRY(const auto reread, read_manifest(folder));
  CORE_CHECK(check_files(folder, reread, FileCheck::kHashes));
  CORE_TRY(const auto mapped, map_vectors(folder, reread, FileCheck::kSizes));
  CORE_TRY(const auto ids, read_article_ids(folder / kCatalogFile, manifest.info.articles));
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

std::uint64_t estimate_disk_bytes(const catalog::Catalog& catalog, std::size_t dimension, std::uint64_t texts_to_embed) {
  const std::uint64_t rows = catalog.size();
  std::uint64_t text_bytes = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    const auto view = catalog.row(catalog::RowIndex{row});
    text_bytes += view.id().size() * 2 + view.name().size() + view.description().size() + view.image_path().size() + 160;
    for (const catalog::Attribute attribute : catalog::all_attributes()) text_bytes += view[attribute].size() + 2;
  }
  const std::uint64_t vector_bytes = (texts_to_embed + rows) * dimension * sizeof(float) + rows * (dimension + 128);
  constexpr std::uint64_t kSlackBytes = std::uint64_t{16} << 20;
  return vector_bytes + text_bytes + text_bytes / 4 + kSlackBytes;
}

std::filesystem::path rejects_path(const DataFolder& folder, const core::GenerationId& id) {
  return folder.root() / ("rejects-" + id.value() + ".csv");
}

}  // namespace scalestyle::ingest
