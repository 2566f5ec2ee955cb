#include "adapters/embedded/local_vector_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "adapters/embedded/data_folder.hpp"

namespace scalestyle::adapters::embedded {

core::Status check_query(const ports::VectorQuery& query, const GenerationVectors& vectors) {
  const std::size_t dimension = vectors.vectors.exact.dimension;
  if (query.vector.size() != dimension) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("the query has dimension {}, the index {}", query.vector.size(), dimension));
  }
  if (query.k == 0 || query.k > kMaxVectorHits) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("k is {}, it must be 1 … {}", query.k, kMaxVectorHits));
  }
  if (query.eligible != nullptr && query.eligible->size() != vectors.articles) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("the eligible set is of {} rows, the catalogue has {}",
                                                                     query.eligible->size(), vectors.articles));
  }
  return {};
}

LocalVectorIndex::LocalVectorIndex(Options options, core::WorkerPool& pool, const core::Clock& clock)
    : options_(std::move(options)), pool_(pool), clock_(clock) {}

LocalVectorIndex::~LocalVectorIndex() = default;

core::Result<LocalVectorIndex::Generation> LocalVectorIndex::read_generation(const core::GenerationId& id) const {
  if (!is_generation_id(id.value())) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("not the id of a generation: \"{}\"", id.value()));
  }
  const auto folder = DataFolder(options_.data_dir).generation(id);
  CORE_TRY(const auto manifest, read_manifest(folder));
  CORE_CHECK(check_file(folder, manifest, kCatalogFile, options_.check));
  auto opened = std::make_shared<GenerationVectors>();
  opened->articles = manifest.info.articles;
  if (options_.collection == VectorCollection::kPhotos && !manifest.info.image_encoder) {
    opened->has_vectors = false;
    return opened;
  }
  CORE_TRY(auto ids, read_article_ids(folder / kCatalogFile, manifest.info.articles));
  if (options_.collection == VectorCollection::kTexts) {
    CORE_TRY(opened->vectors, map_vectors(folder, manifest, options_.check));
    opened->ids = std::move(ids);
    return opened;
  }
  CORE_TRY(auto images, map_image_vectors(folder, manifest, options_.check));
  opened->vectors = std::move(images.vectors);
  opened->from_catalog.emplace(manifest.info.articles, images.rows.size());
  opened->ids.reserve(images.rows.size());
  for (std::uint32_t row = 0; row < images.rows.size(); ++row) {
    opened->from_catalog->add(images.rows[row].row.value, row);
    opened->ids.push_back(std::move(ids[images.rows[row].row.value]));
  }
  return opened;
}

core::Result<LocalVectorIndex::Generation> LocalVectorIndex::find(const core::GenerationId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found != open_.end()) return found->second;
  return core::fail(core::ErrorCode::kFailedPrecondition, fmt::format("generation {} is not open for search", id.value()));
}

core::Result<LocalVectorIndex::Generation> LocalVectorIndex::find_with_vectors(const core::GenerationId& id) const {
  CORE_TRY(auto opened, find(id));
  if (opened->has_vectors) return opened;
  return core::fail(core::ErrorCode::kFailedPrecondition,
                    fmt::format("generation {} has no vectors of photos: ingest with --images and vision_enabled=true",
                                id.value()));
}

core::Task<core::Status> LocalVectorIndex::open(core::GenerationId generation, core::Deadline deadline) {
  core::WorkerPool& opening = options_.opening != nullptr ? *options_.opening : pool_;
  CORE_CO_CHECK(co_await opening.schedule(deadline));
  if (find(generation)) co_return core::Status{};
  CORE_CO_TRY(auto opened, read_generation(generation));
  const std::lock_guard lock(mutex_);
  open_.emplace(std::move(generation), std::move(opened));
  co_return core::Status{};
}

void LocalVectorIndex::close(const core::GenerationId& generation) {
  Generation closed;  // unmapped outside the lock
  const std::lock_guard lock(mutex_);
  if (auto node = open_.extract(generation)) closed = std::move(node.mapped());
}

retrieval::VectorScanJob LocalVectorIndex::borrow_job() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_jobs_.empty()) {
      auto job = std::move(idle_jobs_.back());
      idle_jobs_.pop_back();
      return job;
    }
  }
  return {};
}

void LocalVectorIndex::return_job(retrieval::VectorScanJob job) {
  const std::lock_guard lock(mutex_);
  if (idle_jobs_.size() < pool_.threads()) idle_jobs_.push_back(std::move(job));
}

core::Status LocalVectorIndex::scan(const GenerationVectors& generation, std::span<const ports::VectorQuery> queries,
                                    std::vector<ports::VectorHits>& results) {
  std::vector<retrieval::VectorQuery> wanted;
  wanted.reserve(queries.size());
  std::vector<catalog::Bitmap> mapped;  // of this collection's rows
  mapped.reserve(queries.size());
  const catalog::Bitmap* last_mapped = nullptr;  // what mapped.back() was: queries of a batch often share one set
  for (const ports::VectorQuery& query : queries) {
    const catalog::Bitmap* eligible = query.eligible.get();
    if (eligible != nullptr && generation.from_catalog) {
      if (eligible != last_mapped) mapped.push_back(generation.from_catalog->map(*eligible));
      last_mapped = eligible;
      eligible = &mapped.back();
    }
    wanted.push_back({.vector = query.vector,
                      .eligible = eligible != nullptr ? eligible->words() : std::span<const std::uint64_t>{},
                      .k = query.k});
  }
  const std::size_t parts = std::clamp<std::size_t>(pool_.threads(), 1, retrieval::kMaxScanParts);
  auto job = borrow_job();
  CORE_CHECK(job.begin(generation.vectors.quantized, generation.vectors.exact, wanted, parts));
  job.run([this](std::size_t count, const std::function<void(std::size_t)>& body) { pool_.parallel_for(count, body); });
  const auto work = job.work();
  for (std::size_t i = 0; i < queries.size(); ++i) {
    ports::VectorHits& found = results.emplace_back();
    found.rows_scanned = work.rows_estimated / queries.size();
    found.rows_rescored = work.rows_rescored / queries.size();
    const auto hits = job.hits(i);
    found.hits.reserve(hits.size());
    for (const retrieval::VectorHit& hit : hits) found.hits.push_back({generation.ids[hit.row], hit.score});
  }
  return_job(std::move(job));
  return {};
}

core::Task<core::Result<std::vector<ports::VectorHits>>> LocalVectorIndex::search(core::GenerationId generation,
                                                                                  std::vector<ports::VectorQuery> queries,
                                                                                  core::Deadline deadline) {
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  CORE_CO_TRY(const Generation opened, find_with_vectors(generation));
  co_return search_here(*opened, queries, deadline);
}

core::Result<std::vector<ports::VectorHits>> LocalVectorIndex::search_here(const GenerationVectors& opened,
                                                                           std::span<const ports::VectorQuery> queries,
                                                                           core::Deadline deadline) {
  std::vector<ports::VectorHits> results;
  results.reserve(queries.size());
  for (const ports::VectorQuery& query : queries) CORE_CHECK(check_query(query, opened));
  for (std::size_t first = 0; first < queries.size(); first += retrieval::kMaxBatchQueries) {
    if (deadline.expired(clock_)) {
      return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the vector scan");
    }
    const std::size_t count = std::min(retrieval::kMaxBatchQueries, queries.size() - first);
    CORE_CHECK(scan(opened, queries.subspan(first, count), results));
  }
  return results;
}

core::Task<core::Result<std::vector<float>>> LocalVectorIndex::vector_of(core::GenerationId generation,
                                                                         catalog::ArticleId article,
                                                                         core::Deadline deadline) {
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  CORE_CO_TRY(const Generation opened, find_with_vectors(generation));
  co_return vector_here(*opened, generation, article);
}

core::Result<std::vector<float>> LocalVectorIndex::vector_here(const GenerationVectors& opened, const core::GenerationId& generation,
                                                               const catalog::ArticleId& article) {
  const auto found = std::ranges::lower_bound(opened.ids, article);
  if (found == opened.ids.end() || *found != article) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("article {} has no such vector in generation {}", article.text(),
                                                              generation.value()));
  }
  const auto row = opened.vectors.exact.row(static_cast<std::size_t>(found - opened.ids.begin()));
  return std::vector<float>(row.begin(), row.end());
}

}  // namespace scalestyle::adapters::embedded
