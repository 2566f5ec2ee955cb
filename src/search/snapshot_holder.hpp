#pragma once
// SnapshotHolder: the generation being served, swapped whole while requests run.
//
// A request takes serving() once and keeps it to its end; the vector index of a generation is closed when the last
// holder of it lets go, so that a switch fails no request.
// Thread safety: every method may be called from any thread.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/catalog_store.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "retrieval/lexical_index.hpp"
#include "retrieval/query_understanding.hpp"
#include "search/browse_orders.hpp"

namespace scalestyle::recommend {
class Popularity;
class PopularityBoard;
}  // namespace scalestyle::recommend

namespace scalestyle::search {

namespace detail {
struct OpenGenerations;
}

// One generation with its catalogue in memory and its vectors open. Immutable, but for what its popularity board holds.
class ServingGeneration {
 public:
  struct Parts {
    std::shared_ptr<const ports::CatalogSnapshot> snapshot;    // not null
    std::shared_ptr<recommend::PopularityBoard> popularity{};  // null without popular lists
    std::string dense_refusal{};
    std::shared_ptr<const retrieval::LexicalIndex> lexical{};  // not null; of snapshot's catalogue
    std::shared_ptr<const retrieval::QueryUnderstanding> understanding{};  // the same
  };
  ServingGeneration(std::shared_ptr<detail::OpenGenerations> open, Parts parts)
      : open_(std::move(open)), parts_(std::move(parts)), orders_(*parts_.snapshot->catalog) {}
  ~ServingGeneration();
  ServingGeneration(const ServingGeneration&) = delete;
  ServingGeneration& operator=(const ServingGeneration&) = delete;

  [[nodiscard]] const ports::GenerationInfo& info() const { return parts_.snapshot->info; }
  [[nodiscard]] const catalog::Catalog& catalog() const { return *parts_.snapshot->catalog; }

  // Why dense search cannot be served from this generation; empty when it can.
  [[nodiscard]] const std::string& dense_refusal() const { return parts_.dense_refusal; }

  // Over the words of its catalogue.
  [[nodiscard]] const retrieval::LexicalIndex& lexical() const { return *parts_.lexical; }

  // What its columns can answer of a query.
  [[nodiscard]] const retrieval::QueryUnderstanding& understanding() const { return *parts_.understanding; }

  // How popular its articles are now; null where the holder has no Popularity.
  [[nodiscard]] const std::shared_ptr<recommend::PopularityBoard>& popularity() const { return parts_.popularity; }
  [[nodiscard]] const BrowseOrders& orders() const { return orders_; }

 private:
  std::shared_ptr<detail::OpenGenerations> open_;
  Parts parts_;
  BrowseOrders orders_;
};

// Empty when queries embedded by `query` can be compared with documents embedded by `documents`; else what differs and
// what to do. The precision may differ; a weights hash that one side does not tell is not compared.
[[nodiscard]] std::string dense_mismatch(const ports::EncoderInfo& documents, const ports::EncoderInfo& query);

enum class RefreshOutcome : std::uint8_t {
  kUnchanged,
  kSwitched,
  kBusy,  // another refresh is in progress
};

// How queries are looked up in what is served.
struct LookupOptions {
  retrieval::LexicalOptions lexical{};
  retrieval::UnderstandingOptions understanding{};
};

class SnapshotHolder {
 public:
  // The ports and `popularity` must outlive this object and everything that serving() gave. `popularity`, when not
  // null, prepares the board of each generation before it is served. `lookup` must be valid.
  SnapshotHolder(ports::CatalogStore& store, ports::VectorIndex& index, ports::EncoderInfo query_encoder,
                 recommend::Popularity* popularity = nullptr, LookupOptions lookup = {});
  ~SnapshotHolder();
  SnapshotHolder(const SnapshotHolder&) = delete;
  SnapshotHolder& operator=(const SnapshotHolder&) = delete;

  // The generation to serve from; null before the first successful refresh().
  [[nodiscard]] std::shared_ptr<const ServingGeneration> serving() const;

  // Asks the store for the current generation and switches to it when it is another one. A failure leaves what is
  // served as it was, and is kept as last_error() until a refresh succeeds. Must not outlive this object.
  // Errors: those of CatalogStore::current and load, of LexicalIndex::build and of VectorIndex::open.
  [[nodiscard]] core::Task<core::Result<RefreshOutcome>> refresh(core::Deadline deadline);

  // Why the last refresh failed; empty when it did not.
  [[nodiscard]] std::string last_error() const;

 private:
  [[nodiscard]] core::Task<core::Result<RefreshOutcome>> refresh_alone(core::Deadline deadline);

  ports::CatalogStore& store_;
  ports::VectorIndex& index_;
  const ports::EncoderInfo query_encoder_;
  recommend::Popularity* const popularity_;
  const LookupOptions lookup_;
  std::shared_ptr<detail::OpenGenerations> open_;

  mutable std::mutex mutex_;
  std::shared_ptr<const ServingGeneration> serving_;  // guarded by mutex_
  std::string last_error_;                            // guarded by mutex_
  bool refreshing_ = false;                           // guarded by mutex_
};

}  // namespace scalestyle::search
