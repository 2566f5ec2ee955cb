#pragma once
// A catalogue store and a vector index in memory. Generations are added by the test; an article's vector is that of its
// name (vector_of_text). The index searches by brute force in f32 and refuses a generation that is not open.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/worker_pool.hpp"
#include "ports/catalog_store.hpp"
#include "ports/vector_index.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::support {

inline catalog::Article make_article(const std::string& id, const std::string& name) {
  catalog::Article article{catalog::ArticleId::parse(id).value(), id.substr(0, 7), name, "A fine " + name + "."};
  return article;
}

inline std::shared_ptr<const ports::CatalogSnapshot> make_snapshot(const std::string& generation,
                                                                   const std::vector<catalog::Article>& articles,
                                                                   ports::EncoderInfo documents) {
  catalog::CatalogBuilder builder;
  for (const auto& article : articles) builder.add(article).value();
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->info.id = core::GenerationId(generation);
  snapshot->info.articles = articles.size();
  snapshot->info.document_encoder = std::move(documents);
  snapshot->info.text_format = "product_text_v1";
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  return snapshot;
}

class FakeCatalogStore final : public ports::CatalogStore {
 public:
  [[nodiscard]] core::Task<core::Result<core::GenerationId>> current(core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (fault_) co_return std::unexpected(*fault_);
    if (current_.empty()) co_return core::fail(core::ErrorCode::kNotFound, "nothing ingested; run ingest");
    co_return current_;
  }
  [[nodiscard]] core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> load(core::GenerationId id,
                                                                                             core::Deadline) override {
    const std::lock_guard lock(mutex_);
    ++loads_;
    const auto found = snapshots_.find(id);
    if (found == snapshots_.end()) co_return core::fail(core::ErrorCode::kNotFound, "no such generation");
    co_return found->second;
  }

  void publish(std::shared_ptr<const ports::CatalogSnapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    current_ = snapshot->info.id;
    snapshots_[current_] = std::move(snapshot);
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  [[nodiscard]] std::shared_ptr<const ports::CatalogSnapshot> snapshot(const core::GenerationId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = snapshots_.find(id);
    return found == snapshots_.end() ? nullptr : found->second;
  }
  [[nodiscard]] std::size_t loads() const {
    const std::lock_guard lock(mutex_);
    return loads_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<core::GenerationId, std::shared_ptr<const ports::CatalogSnapshot>> snapshots_;
  core::GenerationId current_;
  std::optional<core::Error> fault_;
  std::size_t loads_ = 0;
};

class FakeVectorIndex final : public ports::VectorIndex {
 public:
  // What an article's vector is made of; nothing: it has none.
  using TextOf = std::function<std::optional<std::string>(const catalog::ArticleView&)>;

  FakeVectorIndex(const FakeCatalogStore& store, core::WorkerPool& pool, TextOf text_of = name_of)
      : store_(store), pool_(pool), text_of_(std::move(text_of)) {}

  static std::optional<std::string> name_of(const catalog::ArticleView& article) { return std::string(article.name()); }

  [[nodiscard]] core::Task<core::Status> open(core::GenerationId generation, core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (open_fault_) co_return std::unexpected(*open_fault_);
    open_.insert({generation, true});
    co_return core::Status();
  }
  void close(const core::GenerationId& generation) override {
    const std::lock_guard lock(mutex_);
    open_.erase(generation);
  }

  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId generation,
                                                                                std::vector<ports::VectorQuery> queries,
                                                                                core::Deadline deadline) override {
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    std::optional<core::Error> fault;
    bool is_open = false;
    {
      const std::lock_guard lock(mutex_);
      batch_sizes_.push_back(queries.size());
      for (auto& query : queries) {
        asked_.push_back(query.k);
        if (ignores_bitmaps_) query.eligible = nullptr;
      }
      fault = search_fault_;
      is_open = open_.contains(generation);
    }
    if (fault) co_return std::unexpected(*fault);
    if (!is_open) co_return core::fail(core::ErrorCode::kFailedPrecondition, "generation " + generation.value() + " is not open");
    const auto snapshot = store_.snapshot(generation);
    std::vector<ports::VectorHits> results;
    results.reserve(queries.size());
    for (const auto& query : queries) results.push_back(brute_force(*snapshot->catalog, query));
    const std::lock_guard lock(mutex_);
    for (auto& result : results) result.exact = !ignores_bitmaps_;
    co_return results;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation, catalog::ArticleId article,
                                                                       core::Deadline deadline) override {
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    {
      const std::lock_guard lock(mutex_);
      if (search_fault_) co_return std::unexpected(*search_fault_);
      if (!open_.contains(generation)) {
        co_return core::fail(core::ErrorCode::kFailedPrecondition, "generation " + generation.value() + " is not open");
      }
    }
    const auto snapshot = store_.snapshot(generation);
    const auto row = snapshot->catalog->find(article);
    const auto text = row ? text_of_(snapshot->catalog->row(*row)) : std::nullopt;
    if (!text) co_return core::fail(core::ErrorCode::kNotFound, "article " + article.text() + " has no vector");
    co_return vector_of_text(*text, snapshot->info.document_encoder.dimension);
  }

  void fail_search_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    search_fault_ = std::move(fault);
  }
  // As an engine that takes no bitmaps: finds what is not eligible too, and says that it is not exact.
  void ignore_bitmaps(bool ignore) {
    const std::lock_guard lock(mutex_);
    ignores_bitmaps_ = ignore;
  }
  // The k of every query so far.
  [[nodiscard]] std::vector<std::size_t> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  void fail_open_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    open_fault_ = std::move(fault);
  }
  [[nodiscard]] bool is_open(const std::string& generation) const {
    const std::lock_guard lock(mutex_);
    return open_.contains(core::GenerationId(generation));
  }
  [[nodiscard]] std::vector<std::size_t> batch_sizes() const {
    const std::lock_guard lock(mutex_);
    return batch_sizes_;
  }

 private:
  [[nodiscard]] ports::VectorHits brute_force(const catalog::Catalog& articles, const ports::VectorQuery& query) const {
    ports::VectorHits hits;
    for (std::uint32_t i = 0; i < articles.size(); ++i) {
      const catalog::RowIndex row{i};
      if (query.eligible != nullptr && !query.eligible->test(row)) continue;
      const auto view = articles.row(row);
      const auto text = text_of_(view);
      if (!text) continue;
      const auto vector = vector_of_text(*text, query.vector.size());
      float score = 0;
      for (std::size_t d = 0; d < vector.size(); ++d) score += vector[d] * query.vector[d];
      hits.hits.push_back({catalog::ArticleId::parse(view.id()).value(), score});
    }
    hits.rows_scanned = hits.hits.size();
    std::ranges::sort(hits.hits, [](const ports::VectorHit& a, const ports::VectorHit& b) {
      return a.score != b.score ? a.score > b.score : a.article_id < b.article_id;
    });
    if (hits.hits.size() > query.k) hits.hits.erase(hits.hits.begin() + static_cast<std::ptrdiff_t>(query.k), hits.hits.end());
    return hits;
  }

  const FakeCatalogStore& store_;
  core::WorkerPool& pool_;
  const TextOf text_of_;
  mutable std::mutex mutex_;
  std::map<core::GenerationId, bool> open_;
  std::optional<core::Error> search_fault_;
  std::optional<core::Error> open_fault_;
  bool ignores_bitmaps_ = false;
  std::vector<std::size_t> asked_;
  std::vector<std::size_t> batch_sizes_;
};

}  // namespace scalestyle::support
