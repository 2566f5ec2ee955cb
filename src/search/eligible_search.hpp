#pragma once
// Search in a vector index of any kind, inside an eligible set. An engine that takes no bitmaps goes by the typed filter
// alone and also finds what may not be shown (rules, removals, availability, words): that is left out here, and where too few
// are left of a full answer, the engine is asked once more, for more. An exact answer is taken as it is.

#include <functional>
#include <memory>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/filters.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/task.hpp"
#include "ports/vector_index.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class RecallSampler;

inline constexpr std::size_t kMostVectorHits = 16'384;  // of VectorQuery::k

// An engine, and what is counted of its answers. The index must outlive every search. Thread safety: as the port.
struct EligibleEngine {
  EligibleEngine(ports::VectorIndex& searched, telemetry::Metrics& metrics);

  ports::VectorIndex& index;
  telemetry::Counter outside;  // hits that were left out
  telemetry::Counter again;    // queries asked once more
  telemetry::Counter missing;  // hits wanted that a full answer did not have, also after that
  RecallSampler* sampler = nullptr;  // is offered what was found, where that is not exact; null: nobody asks
};

// Whether a hit of the query at that place may be shown.
using ShownHit = std::function<bool(std::size_t query, const catalog::ArticleId& article)>;

// Those whose article is a row of the generation's catalogue now, within the query's `eligible` (of the catalogue; null: any).
// Refers to `generation`.
[[nodiscard]] ShownHit shown_hits(const ServingGeneration& generation, const std::vector<ports::VectorQuery>& queries);

// What of a filter an engine can be given that holds articles as they were ingested: without prices once some article was
// changed since, so that what came into the range is not left out. Null: nothing.
[[nodiscard]] std::shared_ptr<const catalog::Filter> ingested_filter(const GenerationVersion& version,
                                                                     const std::shared_ptr<const catalog::Filter>& filter);

// As VectorIndex::search, but that no hit is beyond what `shown` lets pass. A second question that fails leaves the hits of
// the first where there are any.
[[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search_eligible(const EligibleEngine& engine,
                                                                                       core::GenerationId generation,
                                                                                       std::vector<ports::VectorQuery> queries,
                                                                                       ShownHit shown, core::Deadline deadline);

}  // namespace scalestyle::search
