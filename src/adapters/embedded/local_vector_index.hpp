#pragma once
// VectorIndex over the mapped files of a generation: exact int8 scan with f32 rescore, so every answer is that of a
// brute-force f32 search. A batch is one pass over the data, shared by the pool's threads.
//
// One object serves the vectors of the texts, or those of the photos: the latter have rows of their own, and an eligible set
// is carried over to them by words of 64 rows.
// Only VectorQuery::eligible restricts a search; `filter` is for engines without the catalogue. A search ends with
// kDeadlineExceeded when its deadline passes before its pass begins (64 queries take one pass of a millisecond or two).
// The work of a batch is shared out evenly among its VectorHits.
// Thread safety: as the port.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "adapters/embedded/generation_files.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "ports/vector_index.hpp"
#include "retrieval/row_map.hpp"
#include "retrieval/vector_scan.hpp"

namespace scalestyle::adapters::embedded {

inline constexpr std::size_t kMaxVectorHits = 16384;

enum class VectorCollection : std::uint8_t { kTexts, kPhotos };

// One collection of a generation, open.
struct GenerationVectors {
  bool has_vectors = true;
  std::size_t articles = 0;  // of the catalogue: the size of eligible sets
  MappedVectors vectors;
  std::vector<catalog::ArticleId> ids;            // by row of `vectors`, ascending
  std::optional<retrieval::RowMap> from_catalog;  // nothing: the rows are the catalogue's
};

// kInvalidArgument where the query does not fit the vectors (dimension, k, size of the eligible set).
[[nodiscard]] core::Status check_query(const ports::VectorQuery& query, const GenerationVectors& vectors);

class LocalVectorIndex final : public ports::VectorIndex {
 public:
  struct Options {
    std::filesystem::path data_dir;
    FileCheck check = FileCheck::kSizes;
    VectorCollection collection = VectorCollection::kTexts;
    core::WorkerPool* opening = nullptr;  // reads generations, whose work may wait long; null: `pool`. Must outlive the index
  };

  // `pool` and `clock` must outlive the index.
  LocalVectorIndex(Options options, core::WorkerPool& pool, const core::Clock& clock);
  ~LocalVectorIndex() override;

  [[nodiscard]] core::Task<core::Status> open(core::GenerationId generation, core::Deadline deadline) override;
  void close(const core::GenerationId& generation) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId generation,
                                                                                std::vector<ports::VectorQuery> queries,
                                                                                core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation,
                                                                       catalog::ArticleId article,
                                                                       core::Deadline deadline) override;

  // What open() opened, and what stays valid after close(). Errors: kFailedPrecondition (not open, or without such vectors).
  using Generation = std::shared_ptr<const GenerationVectors>;
  [[nodiscard]] core::Result<Generation> find_with_vectors(const core::GenerationId& id) const;

  // search() in what was found so, whether it is still open or not; computes on the calling thread, one of the pool's.
  [[nodiscard]] core::Result<std::vector<ports::VectorHits>> search_here(const GenerationVectors& opened,
                                                                         std::span<const ports::VectorQuery> queries,
                                                                         core::Deadline deadline);
  // vector_of() in what was found so.
  [[nodiscard]] static core::Result<std::vector<float>> vector_here(const GenerationVectors& opened,
                                                                    const core::GenerationId& generation,
                                                                    const catalog::ArticleId& article);

 private:

  [[nodiscard]] core::Result<Generation> read_generation(const core::GenerationId& id) const;
  [[nodiscard]] core::Result<Generation> find(const core::GenerationId& id) const;
  [[nodiscard]] core::Status scan(const GenerationVectors& generation, std::span<const ports::VectorQuery> queries,
                                  std::vector<ports::VectorHits>& results);
  [[nodiscard]] retrieval::VectorScanJob borrow_job();
  void return_job(retrieval::VectorScanJob job);

  Options options_;
  core::WorkerPool& pool_;
  const core::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<core::GenerationId, Generation> open_;    // guarded by mutex_
  std::vector<retrieval::VectorScanJob> idle_jobs_;  // guarded by mutex_
};

}  // namespace scalestyle::adapters::embedded
