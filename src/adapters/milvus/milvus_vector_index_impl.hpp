#pragma once
// What a MilvusVectorIndex and its work in progress share.

#include <map>
#include <mutex>
#include <string>

#include "adapters/milvus/milvus_calls_impl.hpp"
#include "adapters/milvus/milvus_vector_index.hpp"

namespace scalestyle::adapters::milvus {

// A generation that is open.
struct OpenCollection {
  std::string name;
  bool has_vectors = true;   // false: a generation without photos
  bool is_ready = false;     // it was described and loaded; all below is guarded by State::mutex
  bool is_trying = false;    // somebody is about to make it so
  core::SteadyTime next_try = core::SteadyTime::min();
  std::string trouble{};     // why it is not
  CollectionFacts facts{};   // once it was ready; not changed while it is
};

struct MilvusVectorIndex::State : std::enable_shared_from_this<MilvusVectorIndex::State> {
  State(Options wanted, Dependencies dependencies)
      : options(std::move(wanted)), calls(dependencies.client), clock(dependencies.clock), use(dependencies.use) {}

  // Describes, checks and loads.
  core::Task<core::Result<OpenCollection>> prepare(core::GenerationId generation, core::Deadline deadline);

  // The facts of a generation that is open and ready; tries to make it ready where that is due.
  core::Task<core::Result<std::shared_ptr<const CollectionFacts>>> ready(core::GenerationId generation, core::Deadline deadline);

  core::Task<core::Status> release_later(core::GenerationId generation);

  // What an error of a search is to its caller. A collection that is not in memory, or gone, is not ready any more.
  core::Error judge(const core::GenerationId& generation, core::Error error);

  [[nodiscard]] core::Result<proto::milvus::SearchRequest> search_request(const CollectionFacts& facts,
                                                                          const ports::VectorQuery& query) const;

  Options options;
  MilvusCalls calls;
  const core::Clock& clock;
  ports::GenerationUse* use;

  std::mutex mutex;
  std::map<core::GenerationId, OpenCollection> open;  // guarded by mutex
};

[[nodiscard]] proto::common::ConsistencyLevel to_proto(MilvusConsistency consistency);

// One query's answer: best first, equal scores by article id. kDataLoss when it is not what was asked for.
[[nodiscard]] core::Result<ports::VectorHits> read_hits(const proto::milvus::SearchResults& response, std::size_t k);

}  // namespace scalestyle::adapters::milvus
