#pragma once
// The photos' side of an ingest: which of them need a vector, and what becomes of those that cannot have one.

#include "adapters/embedded/data_folder.hpp"
#include "core/result.hpp"
#include "ingest/ingest.hpp"
#include "ingest/photo_source.hpp"
#include "ingest/rejects.hpp"
#include "ingest/staged_catalog.hpp"
#include "ingest/vector_lane.hpp"

namespace scalestyle::ingest {

struct PhotoLane {
  Photos photos;
  VectorLane vectors;
};

// Reads the photos, opens what --update and --image-embeddings bring, and plans. context.image_encoder is not null. Fills the
// summary's counts and notes. Errors: those of SuppliedVectors, the damage of the current generation, kCancelled.
[[nodiscard]] core::Result<PhotoLane> plan_photos(const IngestOptions& options, const IngestContext& context,
                                                  const StagedCatalog& staged, RejectsFile& rejects, IngestSummary& summary);

// After the photos were embedded: lists every article whose photo could not be used, in the order of articles.
[[nodiscard]] core::Status list_rejected_photos(const PhotoLane& lane, const catalog::Catalog& catalog, RejectsFile& rejects,
                                                IngestSummary& summary);

// Without an encoder of pictures: says that photos are only linked, and what that loses.
void note_linked_photos(const adapters::embedded::DataFolder& folder, IngestSummary& summary);

}  // namespace scalestyle::ingest
