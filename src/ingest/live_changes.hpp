#pragma once
// Changes of articles that a shop made while the catalogue was served (DATA/changes.db, or Redis), laid over what its files say.
// They become part of the generation, which records up to which sequence; what is changed while the ingest runs comes
// after it, and the server lays it over the new generation.

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "ingest/ingest.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

[[nodiscard]] std::optional<LiveChanges> live_changes(std::string_view name);  // "newer", "all", "none"

// Changes `staged` by options.live_changes: its catalogue, the rows whose texts are not those of the files any more, and the
// sequence. `shared` has the changes; null: the data folder has. Fills the summary's counts. Errors: those of
// adapters::embedded::read_kept_changes and of `shared`; the file system's; kFailedPrecondition where both have some.
[[nodiscard]] core::Status lay_changes_over(const IngestOptions& options, ports::CatalogChanges* shared, StagedCatalog& staged,
                                            IngestSummary& summary);

}  // namespace scalestyle::ingest
