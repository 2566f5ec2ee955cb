#pragma once
// MilvusCollectionWriter: fills the collections that MilvusVectorIndex searches, follows changes of articles, and removes what
// nobody needs any more.
//
// A collection is searched only once it is complete: all articles inserted, flushed, indexed, loaded and counted. A run that
// dies before leaves one that is refused; the next run drops it and begins anew.
// Thread safety: every method may be called from any thread; the collections of a generation are filled by one caller at a
// time. Nothing blocks. Tasks complete on the client's I/O thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_collection.hpp"
#include "adapters/milvus/milvus_rows.hpp"
#include "catalog/article.hpp"
#include "catalog/catalog.hpp"
#include "core/clock.hpp"
#include "ports/generation_use.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::adapters::milvus {

// The vectors of a generation, as its files hold them. Borrowed: they stay until the task has ended.
struct GenerationVectors {
  ports::EncoderInfo encoder{};                 // that made them
  const catalog::Catalog* catalog = nullptr;    // not null
  std::span<const float> values{};              // row-major, encoder.dimension numbers a row
  std::span<const catalog::RowIndex> rows{};    // of the catalogue, that `values` are of; empty: all, in order
};

class MilvusCollectionWriter {
 public:
  struct Options {
    std::string collection_prefix = "scalestyle_";
    MilvusCollectionKind kind = MilvusCollectionKind::kTexts;
    MilvusIndexType index = MilvusIndexType::kHnsw;
    std::size_t m = 16;                  // HNSW; 4 … 64
    std::size_t ef_construction = 200;   // HNSW; 8 … 512
    std::size_t nlist = 1024;            // IVF_FLAT; 1 … 65,536
    std::size_t shards = 1;              // 1 … 16
    std::size_t batch_bytes = std::size_t{4} << 20U;  // of a message; 64 KiB … 32 MiB
    std::chrono::milliseconds write_timeout{60'000};     // of an insertion, an upsert, a deletion
    std::chrono::milliseconds build_timeout{1'800'000};  // of flushing, indexing and loading, each
    std::chrono::milliseconds abandoned_after{86'400'000};  // a collection that is filled for longer belongs to a dead run

    // kInvalidArgument with the setting as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    MilvusClient& client;
    const core::Clock& clock;
  };

  // What is referred to must outlive the client's run(). Errors: those of validate().
  [[nodiscard]] static core::Result<std::unique_ptr<MilvusCollectionWriter>> create(Options options, Dependencies dependencies);
  ~MilvusCollectionWriter();

  // Makes the generation's collection whole: begin(), insert() of all, complete(). One that is complete with the same facts is
  // left as it is. Errors: kFailedPrecondition (a complete collection of other facts has that name), kInvalidArgument (a row
  // that cannot be kept), kDataLoss (the count is not what was inserted), and those of the client.
  [[nodiscard]] core::Task<core::Status> fill(core::GenerationId generation, GenerationVectors vectors, core::Deadline deadline);

  // An empty collection. One of that name that is not complete is dropped; kAlreadyExists for one that is.
  [[nodiscard]] core::Task<core::Status> begin(core::GenerationId generation, ports::EncoderInfo encoder,
                                               core::Deadline deadline);

  // Articles that the collection does not have; each once.
  [[nodiscard]] core::Task<core::Status> insert(core::GenerationId generation, std::vector<MilvusRow> rows,
                                                core::Deadline deadline);

  // Flushes, indexes, loads and counts; from then on it may be searched. kDataLoss, with both numbers, when there are not
  // `articles` of them.
  [[nodiscard]] core::Task<core::Status> complete(core::GenerationId generation, std::uint64_t articles, core::Deadline deadline);

  // Changes, seen by searches within the bound of their consistency. May be repeated.
  // What is there of the same ids is replaced.
  [[nodiscard]] core::Task<core::Status> upsert(core::GenerationId generation, std::vector<MilvusRow> rows,
                                                core::Deadline deadline);
  // New prices, availability and attributes of articles whose vectors stay. Gives how many of them the collection has; the
  // others are left out.
  [[nodiscard]] core::Task<core::Result<std::size_t>> update(core::GenerationId generation,
                                                             std::vector<catalog::Article> articles, core::Deadline deadline);
  // Ids that it does not have are ignored.
  [[nodiscard]] core::Task<core::Status> remove(core::GenerationId generation, std::vector<catalog::ArticleId> ids,
                                                core::Deadline deadline);

  // Whether there was one or not.
  [[nodiscard]] core::Task<core::Status> drop(core::GenerationId generation, core::Deadline deadline);

  // Drops the complete collections of both kinds of generations that are not in `keep` (the current one, and the one before)
  // and that no gateway reports, and those whose filling was abandoned. Gives the names of what was dropped. Errors besides:
  // those of GenerationUse; then nothing was dropped.
  [[nodiscard]] core::Task<core::Result<std::vector<std::string>>> drop_unused(ports::GenerationUse& use,
                                                                              std::vector<core::GenerationId> keep,
                                                                              core::Deadline deadline);

 private:
  struct Impl;
  explicit MilvusCollectionWriter(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::milvus
