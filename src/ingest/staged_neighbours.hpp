#pragma once
// What the customers of the transactions bought together, for the catalogue that becomes the generation. Recomputed by every
// run: the same files and settings give the same bytes, whenever a run died.

#include "core/result.hpp"
#include "ingest/ingest.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

// Fills staged.neighbours from options.transactions, by the rows that the catalogue has now; leaves it empty, and says so in a
// note, where the transactions tell no customers or days, or none of an article of the catalogue. Purchases of other articles
// are passed over. Takes a
// minute for 30 million purchases (docs/scale.md), which a stop signal does not cut short. Errors: those of the reader; kCancelled.
[[nodiscard]] core::Status find_neighbours(const IngestOptions& options, const IngestContext& context, StagedCatalog& staged,
                                           IngestSummary& summary);

}  // namespace scalestyle::ingest
