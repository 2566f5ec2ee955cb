#include "search/near_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "ranking/side_blend.hpp"
#include "search/changed_vectors.hpp"
#include "search/in_time.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kEntryOverhead = 192;  // nodes of list and table, the shared list's head
constexpr double kLeastScore = 1e-6;         // of the last one found

std::size_t bytes_of(std::string_view key, const NearRows& rows) { return kEntryOverhead + key.size() + rows.bytes(); }

std::string key_of(const NearQuery& query) {
  const GenerationVersion version = query.generation->version();
  return fmt::format("{} {} {} {}", version.generation.value(), version.delta, static_cast<int>(query.space), query.row.value);
}

core::Result<NearRows> take(const ports::VectorHits& hits, const NearQuery& query) {
  const catalog::Catalog& articles = query.generation->catalog();
  std::vector<double> cosines;
  NearRows near;
  near.is_cut = hits.hits.size() > kMaxNearRows;
  for (const ports::VectorHit& hit : hits.hits) {
    if (near.rows.size() == kMaxNearRows) break;
    const bool is_in_order = cosines.empty() || static_cast<double>(hit.score) <= cosines.back();
    if (!std::isfinite(hit.score) || !is_in_order) {
      return core::fail(core::ErrorCode::kDataLoss,
                        fmt::format("the vector index gave article {} the score {}, which is no number or out of order",
                                    hit.article_id.text(), hit.score));
    }
    // What was removed since is left out.
    const auto row = articles.find(hit.article_id);
    if (!row || *row == query.row || (query.eligible != nullptr && !query.eligible->test(*row))) continue;
    near.rows.push_back({*row, 0});
    cosines.push_back(static_cast<double>(hit.score));
  }
  const auto scaled = ranking::scale_to_one(cosines);
  for (std::size_t i = 0; i < scaled.size(); ++i) near.rows[i].score = static_cast<float>(std::max(kLeastScore, scaled[i]));
  return near;
}

}  // namespace

core::Task<core::Result<NearRowsFinder::Found>> NearRowsFinder::find(NearQuery query) {
  const bool is_kept = query.eligible == nullptr;
  std::string key;
  if (is_kept) {
    key = key_of(query);
    if (Found found = find_kept(key)) co_return found;
    const std::lock_guard lock(mutex_);
    ++misses_;
  }
  const core::Deadline deadline = query.deadline;
  auto looking = look_up(std::move(query));
  CORE_CO_TRY(Found found, co_await result_in_time(std::move(looking), use_.timers, deadline));
  if (is_kept) keep(std::move(key), found);
  co_return found;
}

NearRowsFinder::Found NearRowsFinder::kept(const NearQuery& query) {
  return query.eligible == nullptr ? find_kept(key_of(query)) : nullptr;
}

core::Task<core::Result<std::vector<float>>> NearRowsFinder::vector_of(const NearQuery& query) {
  const ChangedVectors* const changed = query.generation->changed_vectors();
  if (query.space == NearSpace::kTexts && changed != nullptr) {
    if (const auto* vector = changed->side.vector_of(query.row)) co_return *vector;
  }
  const std::string id(query.generation->catalog().row(query.row).id());
  CORE_CO_TRY(auto article, catalog::ArticleId::parse(id));
  ports::VectorIndex& index = query.space == NearSpace::kTexts ? use_.texts : *use_.photos;
  co_return co_await index.vector_of(query.generation->info().id, std::move(article), query.deadline);
}

core::Task<core::Result<NearRowsFinder::Found>> NearRowsFinder::look_up(NearQuery query) {
  CORE_CO_TRY(auto vector, co_await vector_of(query));
  const ServingGeneration& generation = *query.generation;
  std::vector<ports::VectorQuery> queries(1);
  queries[0].vector = std::move(vector);
  queries[0].k = kMaxNearRows + 2;  // the article itself, and one more to know whether there are more
  queries[0].filter = ingested_filter(generation.version(), query.filter);
  queries[0].eligible = query.eligible;
  ShownHit shown = shown_hits(generation, queries);
  core::GenerationId id = generation.info().id;
  std::vector<ports::VectorHits> hits;
  if (query.space == NearSpace::kPhotos) {
    queries[0].eligible = rows_of_photos(generation, query.eligible);
    CORE_CO_TRY(hits, co_await search_eligible(photos_, std::move(id), std::move(queries), std::move(shown), query.deadline));
  } else if (generation.changed_vectors() != nullptr) {
    CORE_CO_TRY(hits, co_await search_changed(texts_, generation, std::move(queries), query.deadline));
  } else {
    CORE_CO_TRY(hits, co_await search_eligible(texts_, std::move(id), std::move(queries), std::move(shown), query.deadline));
  }
  if (hits.size() != 1) {
    co_return core::fail(core::ErrorCode::kInternal, fmt::format("the vector index gave {} results for one query", hits.size()));
  }
  CORE_CO_TRY(auto near, take(hits.front(), query));
  co_return std::make_shared<const NearRows>(std::move(near));
}

NearRowsFinder::Found NearRowsFinder::find_kept(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  ++hits_;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->rows;
}

void NearRowsFinder::keep(std::string key, Found rows) {
  const std::size_t bytes = bytes_of(key, *rows);
  if (bytes > max_bytes_) return;
  const std::lock_guard lock(mutex_);
  if (places_.contains(key)) return;  // the same rows
  entries_.push_front({std::move(key), std::move(rows)});
  places_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > max_bytes_) {
    const Entry& oldest = entries_.back();
    bytes_ -= bytes_of(oldest.key, *oldest.rows);
    places_.erase(oldest.key);
    entries_.pop_back();
    ++evictions_;
  }
}

VectorCache::Statistics NearRowsFinder::statistics() const {
  const std::lock_guard lock(mutex_);
  return {.hits = hits_, .misses = misses_, .evictions = evictions_, .entries = entries_.size(), .bytes = bytes_,
          .max_bytes = max_bytes_};
}

}  // namespace scalestyle::search
