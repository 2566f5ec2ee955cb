#pragma once
// VectorIndex on Milvus: one collection a generation, filled by MilvusCollectionWriter.
//
// Milvus goes by expressions over typed fields, not by bitmaps: what it finds is within VectorQuery::filter, the caller leaves
// out what is beyond `eligible` (search/eligible_search.hpp). Answers are never called exact. Each query is a call of its own,
// all of a batch at once, so that none depends on its batch mates. Equal scores are ordered by article id; which of those at
// the very end of a full answer are in it is Milvus' choice.
//
// open() has the collection loaded into Milvus' memory and waits for it. Afterwards the index looks after itself: a search
// that meets a collection which is not in memory (Milvus was restarted; somebody released it) fails with kUnavailable, and has
// it loaded again, within a part of its own deadline and at most once in `ready_interval`.
// Thread safety: as the port. Tasks complete on the client's I/O thread, or on the caller's where nothing was to be asked.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_collection.hpp"
#include "core/clock.hpp"
#include "ports/generation_use.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"

namespace scalestyle::adapters::milvus {

inline constexpr std::size_t kMaxMilvusHits = 16'384;

// How much of what was written before a search must be in its answer.
enum class MilvusConsistency : std::uint8_t {
  kStrong,      // all; costs about 200 ms a search
  kBounded,     // all but the last seconds
  kEventually,  // whatever is there
};
[[nodiscard]] std::string_view to_string(MilvusConsistency consistency);  // "strong", "bounded", "eventually"
[[nodiscard]] std::optional<MilvusConsistency> milvus_consistency(std::string_view name);

class MilvusVectorIndex final : public ports::VectorIndex {
 public:
  struct Options {
    std::string collection_prefix = "scalestyle_";
    MilvusCollectionKind kind = MilvusCollectionKind::kTexts;
    ports::EncoderInfo query_encoder{};  // a collection of another is refused; an empty model, or dimension 0: any
    std::size_t ef = 128;      // HNSW: candidates of a search, never less than k; 1 … 32,768
    std::size_t nprobe = 64;   // IVF_FLAT: cells searched; 1 … 65,536
    MilvusConsistency consistency = MilvusConsistency::kBounded;
    // Articles that the collection knows to be unavailable are not searched. An article that comes back is found again once
    // its change was written to the collection.
    bool only_available = false;
    std::chrono::milliseconds load_timeout{120'000};   // of open()
    std::chrono::milliseconds search_timeout{2'000};   // of a search, within its deadline
    std::chrono::milliseconds ready_interval{1'000};
    std::chrono::milliseconds release_delay{60'000};   // from close() to looking whether nobody uses it; more than a report's ttl

    // kInvalidArgument with the setting as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    MilvusClient& client;
    const core::Clock& clock;
    ports::GenerationUse* use = nullptr;  // null: close() leaves collections in Milvus' memory
  };

  // What is referred to must outlive the client's run(). Errors: those of validate().
  [[nodiscard]] static core::Result<std::unique_ptr<MilvusVectorIndex>> create(Options options, Dependencies dependencies);
  ~MilvusVectorIndex() override;

  // Errors besides: kFailedPrecondition (the collection is not complete, or of another dimension, metric or model: both are
  // named), kPermissionDenied, kResourceExhausted (Milvus has no memory for it).
  [[nodiscard]] core::Task<core::Status> open(core::GenerationId generation, core::Deadline deadline) override;

  // Later, where nobody reports the generation any more, has Milvus free its memory.
  void close(const core::GenerationId& generation) override;

  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId generation,
                                                                                std::vector<ports::VectorQuery> queries,
                                                                                core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation,
                                                                       catalog::ArticleId article,
                                                                       core::Deadline deadline) override;

 private:
  struct State;
  explicit MilvusVectorIndex(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace scalestyle::adapters::milvus
