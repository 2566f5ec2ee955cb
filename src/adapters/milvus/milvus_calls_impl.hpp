#pragma once
// The calls that reader and writer of collections share.

#include <map>
#include <string>
#include <vector>

#include "adapters/milvus/milvus_client_impl.hpp"
#include "adapters/milvus/milvus_collection.hpp"
#include "catalog/article_id.hpp"

namespace scalestyle::adapters::milvus {

enum class LoadState : std::uint8_t { kAbsent, kNotLoaded, kLoading, kLoaded };

class MilvusCalls {
 public:
  explicit MilvusCalls(MilvusClient& client) : client_(client.impl()) {}

  // What the collection says of itself. kNotFound; kFailedPrecondition when it was not made by ingest.
  [[nodiscard]] core::Task<core::Result<CollectionFacts>> describe(std::string collection, core::Deadline deadline);

  [[nodiscard]] core::Task<core::Result<LoadState>> load_state(std::string collection, core::Deadline deadline);

  // Has it loaded where it is not, and waits until it is.
  [[nodiscard]] core::Task<core::Status> load(std::string collection, core::Deadline deadline);

  [[nodiscard]] core::Task<core::Status> release(std::string collection, core::Deadline deadline);

  // An absent collection is no error.
  [[nodiscard]] core::Task<core::Status> drop(std::string collection, core::Deadline deadline);

  [[nodiscard]] core::Task<core::Result<std::vector<std::string>>> list(core::Deadline deadline);

  struct QueryTerms {
    std::size_t dimension = 0;
    proto::common::ConsistencyLevel consistency = proto::common::Strong;
  };
  // The vectors of those of `ids` (1,000 at most) that the collection has.
  using Vectors = std::map<catalog::ArticleId, std::vector<float>>;
  [[nodiscard]] core::Task<core::Result<Vectors>> vectors_of(std::string collection, std::vector<catalog::ArticleId> ids,
                                                             QueryTerms terms, core::Deadline deadline);

  // How many articles there are, by a count of them.
  [[nodiscard]] core::Task<core::Result<std::uint64_t>> count(std::string collection, core::Deadline deadline);

  // Waits, for something that the server does: kDeadlineExceeded, naming it, when the deadline passes first.
  [[nodiscard]] core::Task<core::Status> wait_a_little(std::string what, core::Deadline deadline);

  [[nodiscard]] MilvusClient::Impl& client() { return client_; }

 private:
  MilvusClient::Impl& client_;
};

// `article_id in ["…", "…"]`
[[nodiscard]] std::string ids_expression(const std::vector<catalog::ArticleId>& ids);

}  // namespace scalestyle::adapters::milvus
