#include "search/changed_vectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::search {

namespace {

bool better(const ports::VectorHit& a, const ports::VectorHit& b) {
  return a.score != b.score ? a.score > b.score : a.article_id < b.article_id;
}

std::vector<ports::VectorHit> side_hits(const ServingGeneration& generation, const ports::VectorQuery& query) {
  std::vector<ports::VectorHit> hits;
  for (const auto& found : generation.changed_vectors()->side.search(query.vector, query.eligible.get(), query.k)) {
    // Ids of a catalogue are canonical: parsing leaves them as they are.
    hits.push_back({catalog::ArticleId::parse(generation.catalog().row(found.row).id()).value(), found.score});
  }
  return hits;
}

void merge(ports::VectorHits& hits, const std::vector<ports::VectorHit>& side, std::size_t k) {
  const auto middle = static_cast<std::ptrdiff_t>(hits.hits.size());
  hits.hits.insert(hits.hits.end(), side.begin(), side.end());
  std::inplace_merge(hits.hits.begin(), hits.hits.begin() + middle, hits.hits.end(), better);
  if (hits.hits.size() > k) hits.hits.erase(hits.hits.begin() + static_cast<std::ptrdiff_t>(k), hits.hits.end());
}

}  // namespace

std::shared_ptr<const catalog::Bitmap> rows_of_photos(const ServingGeneration& generation,
                                                      std::shared_ptr<const catalog::Bitmap> eligible) {
  const ChangedVectors* const changed = generation.changed_vectors();
  if (changed == nullptr) return eligible;
  if (eligible == nullptr) return changed->in_photos;
  return std::make_shared<const catalog::Bitmap>(changed->to_photos.map(*eligible));
}

core::Task<core::Result<std::vector<ports::VectorHits>>> search_changed(const EligibleEngine& engine,
                                                                       const ServingGeneration& generation,
                                                                       std::vector<ports::VectorQuery> queries,
                                                                       core::Deadline deadline) {
  const ChangedVectors& changed = *generation.changed_vectors();
  std::vector<std::vector<ports::VectorHit>> side;
  std::vector<std::size_t> wanted;
  const ShownHit in_catalogue = shown_hits(generation, queries);
  side.reserve(queries.size());
  for (ports::VectorQuery& query : queries) {
    if (query.vector.size() != changed.side.dimension()) {
      co_return core::fail(core::ErrorCode::kInvalidArgument,
                           fmt::format("the query has dimension {}, the changed articles {}", query.vector.size(),
                                       changed.side.dimension()));
    }
    side.push_back(side_hits(generation, query));
    wanted.push_back(query.k);
    query.eligible = query.eligible == nullptr ? changed.in_index
                                               : std::make_shared<const catalog::Bitmap>(changed.to_index.map(*query.eligible));
  }
  // An engine without bitmaps also finds articles by the vectors that they had: those have others, beside it.
  ShownHit shown = [&](std::size_t query, const catalog::ArticleId& article) {
    return in_catalogue(query, article) && changed.side.vector_of(*generation.catalog().find(article)) == nullptr;
  };
  core::GenerationId id = generation.info().id;
  CORE_CO_TRY(auto found, co_await search_eligible(engine, std::move(id), std::move(queries), std::move(shown), deadline));
  for (std::size_t i = 0; i < found.size() && i < side.size(); ++i) {
    merge(found[i], side[i], wanted[i]);
    found[i].rows_scanned += changed.side.size();
  }
  co_return found;
}

}  // namespace scalestyle::search
