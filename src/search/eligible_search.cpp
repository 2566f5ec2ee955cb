#include "search/eligible_search.hpp"

#include <algorithm>
#include <utility>

#include "search/recall_sampler.hpp"

namespace scalestyle::search {

namespace {

// Leaves out what may not be shown. Gives how much that was.
std::size_t keep_shown(std::vector<ports::VectorHit>& hits, std::size_t query, const ShownHit& shown) {
  return std::erase_if(hits, [&](const ports::VectorHit& hit) { return !shown(query, hit.article_id); });
}

// Twice as many as leave enough where the share of what may be shown stays the same: it does not, and this is the last time.
std::size_t more_than(std::size_t k, std::size_t kept) {
  if (kept == 0) return kMostVectorHits;
  return std::min(2 * k * k / kept + k, kMostVectorHits);
}

void offer(const EligibleEngine& engine, const core::GenerationId& generation, const std::vector<ports::VectorQuery>& queries,
           const std::vector<ports::VectorHits>& found) {
  if (engine.sampler == nullptr) return;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i].exact) engine.sampler->offer(generation, queries[i], found[i].hits);
  }
}

}  // namespace

EligibleEngine::EligibleEngine(ports::VectorIndex& searched, telemetry::Metrics& metrics)
    : index(searched),
      outside(metrics.counter({"scalestyle_search_hits_outside_total",
                               "Hits of a vector index that went by filters alone, left out since they may not be shown."})),
      again(metrics.counter({"scalestyle_search_topped_up_total", "Queries asked again of a vector index, for more hits."})),
      missing(metrics.counter({"scalestyle_search_hits_missing_total",
                               "Hits wanted that a vector index was not asked far enough to give, after leaving out."})) {}

std::shared_ptr<const catalog::Filter> ingested_filter(const GenerationVersion& version,
                                                       const std::shared_ptr<const catalog::Filter>& filter) {
  if (filter == nullptr || version.delta == 0 || (!filter->price_min && !filter->price_max)) return filter;
  auto rest = std::make_shared<catalog::Filter>(*filter);
  rest->price_min.reset();
  rest->price_max.reset();
  if (rest->empty()) return nullptr;
  return rest;
}

ShownHit shown_hits(const ServingGeneration& generation, const std::vector<ports::VectorQuery>& queries) {
  std::vector<std::shared_ptr<const catalog::Bitmap>> eligible;
  eligible.reserve(queries.size());
  for (const ports::VectorQuery& query : queries) eligible.push_back(query.eligible);
  return
      [&articles = generation.catalog(), eligible = std::move(eligible)](std::size_t query, const catalog::ArticleId& article) {
        const auto row = articles.find(article);
        return row && (eligible[query] == nullptr || eligible[query]->test(*row));
      };
}

core::Task<core::Result<std::vector<ports::VectorHits>>> search_eligible(const EligibleEngine& engine,
                                                                        core::GenerationId generation,
                                                                        std::vector<ports::VectorQuery> queries, ShownHit shown,
                                                                        core::Deadline deadline) {
  std::vector<ports::VectorQuery> first = queries;
  CORE_CO_TRY(auto found, co_await engine.index.search(generation, std::move(first), deadline));
  if (found.size() != queries.size()) co_return found;  // the caller tells

  std::vector<ports::VectorQuery> more;
  std::vector<std::size_t> places;  // of them among the queries
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].exact) continue;
    const std::size_t wanted = queries[i].k;
    const bool is_full = found[i].hits.size() >= wanted;
    const std::size_t lost = keep_shown(found[i].hits, i, shown);
    engine.outside.add(static_cast<double>(lost));
    if (lost == 0 || !is_full) continue;  // what is missing, the engine does not have
    if (wanted >= kMostVectorHits) {
      engine.missing.add(static_cast<double>(lost));
      continue;
    }
    queries[i].k = more_than(wanted, found[i].hits.size());
    more.push_back(queries[i]);
    queries[i].k = wanted;
    places.push_back(i);
  }
  if (more.empty()) {
    offer(engine, generation, queries, found);
    co_return found;
  }

  engine.again.add(static_cast<double>(more.size()));
  std::vector<std::size_t> asked;
  for (const ports::VectorQuery& query : more) asked.push_back(query.k);
  auto deeper = co_await engine.index.search(generation, std::move(more), deadline);
  if (deeper && deeper->size() != places.size()) {
    deeper = core::fail(core::ErrorCode::kInternal, "the vector index gave another number of results than it was asked for");
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    ports::VectorHits& kept = found[places[i]];
    const std::size_t wanted = queries[places[i]].k;
    if (!deeper) {
      if (kept.hits.empty()) co_return std::unexpected(std::move(deeper).error());
      engine.missing.add(static_cast<double>(wanted - kept.hits.size()));
      continue;
    }
    ports::VectorHits& answer = (*deeper)[i];
    const bool is_full = answer.hits.size() >= asked[i];
    engine.outside.add(static_cast<double>(keep_shown(answer.hits, places[i], shown)));
    if (answer.hits.size() > wanted)
      answer.hits.erase(answer.hits.begin() + static_cast<std::ptrdiff_t>(wanted), answer.hits.end());
    if (is_full && answer.hits.size() < wanted) engine.missing.add(static_cast<double>(wanted - answer.hits.size()));
    answer.rows_scanned += kept.rows_scanned;
    answer.rows_rescored += kept.rows_rescored;
    kept = std::move(answer);
  }
  offer(engine, generation, queries, found);
  co_return found;
}

}  // namespace scalestyle::search
