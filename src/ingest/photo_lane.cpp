#include "ingest/photo_lane.hpp"

#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <utility>

#include "adapters/embedded/generation_files.hpp"
#include "catalog/table_file.hpp"

namespace scalestyle::ingest {

namespace {

core::Status open_reusable(const IngestOptions& options, const IngestContext& context, VectorLane& lane, IngestSummary& summary) {
  auto reusable = ReusableVectors::open_photos(adapters::embedded::DataFolder(options.data_dir), lane.encoder);
  if (reusable) {
    lane.reusable = std::move(*reusable);
    return {};
  }
  const core::Error& error = reusable.error();
  if (error.code != core::ErrorCode::kNotFound && error.code != core::ErrorCode::kFailedPrecondition) {
    return std::unexpected(std::move(reusable).error());
  }
  // The texts' vectors are reused all the same: another model for photos does not concern them.
  summary.notes.push_back(fmt::format("every photo is embedded: {}", error.message));
  context.progress.note(summary.notes.back());
  return {};
}

core::Status open_supplied(const IngestOptions& options, const IngestContext& context, const StagedCatalog& staged,
                           RejectsFile& rejects, PhotoLane& lane) {
  const SuppliedFile file{.path = options.image_embeddings,
                          .kind = catalog::EmbeddingKind::kPhotos,
                          .encoder = lane.vectors.encoder};
  CORE_TRY(lane.vectors.supplied, SuppliedVectors::read(file, options, context, staged.catalog, rejects));
  return {};
}

core::Status check_supplied(const IngestOptions& options, const IngestContext& context, const StagedCatalog& staged,
                            PhotoLane& lane, IngestSummary& summary) {
  const SuppliedVectors& supplied = *lane.vectors.supplied;
  PhotoSource source(staged.catalog, lane.photos, *context.image_encoder, options);
  CORE_TRY(const std::size_t compared, supplied.check_sample(staged.catalog, source, [&lane](catalog::RowIndex row) {
    return lane.photos.hashes[row.value].has_value();
  }));
  summary.supplied_image_vectors = supplied.size();
  summary.unknown_image_vectors = supplied.unknown();
  if (compared == 0) {
    summary.notes.push_back(fmt::format("no article of {} has a photo that can be read: its vectors could not be compared with "
                                        "those of {}",
                                        options.image_embeddings.string(), lane.vectors.encoder.model));
  }
  if (supplied.unknown() > 0) {
    summary.notes.push_back(fmt::format("{} vectors of photos belong to articles that the catalogue does not have",
                                        supplied.unknown()));
  }
  return {};
}

}  // namespace

core::Result<PhotoLane> plan_photos(const IngestOptions& options, const IngestContext& context, const StagedCatalog& staged,
                                    RejectsFile& rejects, IngestSummary& summary) {
  PhotoLane lane;
  lane.vectors.encoder = context.image_encoder->info();
  lane.vectors.format = kPhotoFormat;
  CORE_TRY(lane.photos, find_photos(staged.catalog, staged.image_folder, options, context));
  if (options.update) CORE_CHECK(open_reusable(options, context, lane.vectors, summary));
  if (!options.image_embeddings.empty()) {
    CORE_CHECK(open_supplied(options, context, staged, rejects, lane));
    CORE_CHECK(check_supplied(options, context, staged, lane, summary));
  }
  lane.vectors.plan = plan_embeddings({.catalog = staged.catalog,
                                       .encoder = lane.vectors.encoder,
                                       .format = lane.vectors.format,
                                       .contents = lane.photos.hashes,
                                       .reusable = lane.vectors.reusable ? &*lane.vectors.reusable : nullptr,
                                       .supplied = lane.vectors.supplied ? &*lane.vectors.supplied : nullptr});
  summary.distinct_photos = lane.vectors.plan.distinct;
  summary.reused_photos = lane.vectors.plan.reused;
  if (options.images.empty() && options.image_embeddings.empty()) {
    summary.notes.push_back("there is no folder of photos (--images): nothing can be found by pictures");
  }
  return lane;
}

core::Status list_rejected_photos(const PhotoLane& lane, const catalog::Catalog& catalog, RejectsFile& rejects,
                                  IngestSummary& summary) {
  std::unordered_map<std::uint64_t, const std::string*> causes;  // by item of the plan
  if (lane.vectors.work) {
    for (const RejectedItem& item : lane.vectors.work->rejected()) causes.emplace(item.item, &item.cause);
  }
  for (std::uint32_t row = 0; row < lane.vectors.plan.rows.size(); ++row) {
    const RowVector& from = lane.vectors.plan.rows[row];
    const std::string* cause = nullptr;
    if (from.from == RowVector::From::kNone) {
      if (const auto found = lane.photos.rejected.find({row}); found != lane.photos.rejected.end()) cause = &found->second;
    } else if (from.from == RowVector::From::kEmbedded) {
      if (const auto found = causes.find(from.index); found != causes.end()) cause = found->second;
    }
    if (cause == nullptr) continue;
    ++summary.rejected_photos;
    const auto path = catalog::excerpt(catalog.row({row}).image_path());
    CORE_CHECK(rejects.add("images", {.column = "", .excerpt = path, .cause = *cause}));
  }
  return {};
}

void note_linked_photos(const adapters::embedded::DataFolder& folder, IngestSummary& summary) {
  if (summary.with_image > 0) {
    summary.notes.push_back("photos are only linked: with vision_enabled=true (--vision-enabled) they are embedded, and articles "
                            "can be found by pictures");
  }
  const auto current = folder.read_current();
  if (!current) return;
  const auto manifest = adapters::embedded::read_manifest(folder.generation(*current));
  if (!manifest || manifest->info.image_vectors == 0) return;
  summary.notes.push_back(fmt::format("the {} vectors of photos of generation {} are not carried over: vision_enabled is false",
                                      manifest->info.image_vectors, current->value()));
}

}  // namespace scalestyle::ingest
