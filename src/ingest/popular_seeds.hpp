#pragma once
// How popular articles are by the purchases of a shop's past, for the stores that an ingest fills.

#include "core/result.hpp"
#include "ingest/ingest.hpp"
#include "ingest/staged_catalog.hpp"
#include "ports/catalog_target.hpp"

namespace scalestyle::ingest {

// All time: by purchase counts, on the scale of live events. The last day and the last seven: of the transactions file, whose
// last day stands for today; empty, with a note, where it does not tell customers and days. At most options.popular_top each.
// kInvalidArgument, field "transactions", where no article of the catalogue has a purchase, unless options.allow_no_purchases.
// Else the readers' errors.
[[nodiscard]] core::Result<ports::PopularitySeeds> find_popular(const IngestOptions& options, const IngestContext& context,
                                                                const StagedCatalog& staged, IngestSummary& summary);

}  // namespace scalestyle::ingest
