#pragma once
// The last part of an ingest: the generation's files, written and checked in the work folder, moved in place, made
// current; then what nobody needs any more is removed. A crash between any two of these leaves either the old or the
// new generation served, whole.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "adapters/embedded/data_folder.hpp"
#include "core/result.hpp"
#include "ingest/ingest.hpp"
#include "ingest/staged_catalog.hpp"
#include "ingest/vector_lane.hpp"

namespace scalestyle::ingest {

struct PublishInput {
  const StagedCatalog& staged;
  const VectorLane& texts;             // with work
  const VectorLane* photos = nullptr;  // null: no vectors of photos
};

// A name for a generation begun at `time` that no folder has, nor is taken elsewhere: "20260301T120000Z-1a2b3c4d".
[[nodiscard]] core::GenerationId new_generation_id(const adapters::embedded::DataFolder& folder, core::WallTime time,
                                                   std::string_view fingerprint,
                                                   const std::function<bool(const core::GenerationId&)>& is_taken);

// Writes the files of the generation into the texts' work folder, reads them back and compares their hashes; tells the
// summary how many vectors of photos there are. Returns their folder. Errors: those of the file system; kDataLoss when what is
// read is not what was written.
[[nodiscard]] core::Result<std::filesystem::path> assemble_generation(const PublishInput& input,
                                                                      const IngestContext& context,
                                                                      const IngestOptions& options, IngestSummary& summary);

// Moves `built` to its place and makes it current. Returns the generation that was current before.
[[nodiscard]] core::Result<std::optional<core::GenerationId>> switch_generation(
    const adapters::embedded::DataFolder& folder, const std::filesystem::path& built, const core::GenerationId& id,
    const IngestContext& context);

// Removes all work folders and all generations but these two, with their rejects files. What cannot be removed is told
// as a note: the new generation is served all the same.
void remove_old_generations(const adapters::embedded::DataFolder& folder, const core::GenerationId& current,
                            const std::optional<core::GenerationId>& previous, const IngestContext& context,
                            IngestSummary& summary);

// Bytes that the rest of a run will write, generously: the articles, and one collection of vectors.
[[nodiscard]] std::uint64_t estimate_catalog_bytes(const catalog::Catalog& catalog);
[[nodiscard]] std::uint64_t estimate_vector_bytes(const VectorLane& lane);

[[nodiscard]] std::filesystem::path rejects_path(const adapters::embedded::DataFolder& folder,
                                                 const core::GenerationId& id);

}  // namespace scalestyle::ingest
