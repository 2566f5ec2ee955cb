#pragma once
// SnapshotHolder: the generation being served, swapped whole while requests run.
//
// A request takes serving() once and keeps it to its end; the vector index of a generation is closed when the last
// holder of it lets go, so that a switch fails no request.
// Thread safety: every method may be called from any thread.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "catalog/product_counter.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/catalog_store.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "ranking/colour_match.hpp"
#include "ranking/outfit_slots.hpp"
#include "retrieval/lexical_index.hpp"
#include "retrieval/query_understanding.hpp"
#include "retrieval/suggestions.hpp"
#include "search/browse_orders.hpp"
#include "search/facet_counter.hpp"

namespace scalestyle::recommend {
class Popularity;
class PopularityBoard;
}  // namespace scalestyle::recommend

namespace scalestyle::search {

struct ChangedVectors;

namespace detail {
struct OpenGenerations;
}

// What is served: a generation with what was changed since. Two states with equal versions answer alike: caches carry it.
struct GenerationVersion {
  core::GenerationId generation;
  std::uint64_t delta = 0;  // grows with every change that became visible

  friend auto operator<=>(const GenerationVersion&, const GenerationVersion&) = default;
};

// One generation with its catalogue in memory and its vectors open, and what was changed of it up to one moment.
// Immutable, but for what its popularity board holds.
class ServingGeneration {
 public:
  struct Parts {
    std::shared_ptr<const ports::CatalogSnapshot> snapshot;    // not null; the catalogue as changed
    std::shared_ptr<recommend::PopularityBoard> popularity{};  // null without popular lists
    std::string dense_refusal{};
    std::string picture_refusal{};
    // Not null; of a catalogue with the rows of snapshot's, which it keeps.
    std::shared_ptr<const retrieval::LexicalIndex> lexical{};
    std::shared_ptr<const retrieval::QueryUnderstanding> understanding{};  // the same
    std::shared_ptr<const retrieval::Suggestions> suggestions{};  // not null; of the catalogue as of its last rebuild
    std::shared_ptr<const BrowseOrders> orders{};              // not null
    std::shared_ptr<const ranking::OutfitSlots> slots{};       // not null
    std::shared_ptr<const ranking::RowHues> hues{};            // not null
    std::shared_ptr<const ChangedVectors> changed_vectors{};   // null: rows and texts are those of the vector index
    std::uint64_t delta = 0;
  };
  ServingGeneration(std::shared_ptr<detail::OpenGenerations> open, Parts parts)
      : open_(std::move(open)),
        parts_(std::move(parts)),
        products_(*parts_.snapshot->catalog),
        facets_(*parts_.snapshot->catalog) {}
  ~ServingGeneration();
  ServingGeneration(const ServingGeneration&) = delete;
  ServingGeneration& operator=(const ServingGeneration&) = delete;

  [[nodiscard]] const ports::GenerationInfo& info() const { return parts_.snapshot->info; }
  [[nodiscard]] const catalog::Catalog& catalog() const { return *parts_.snapshot->catalog; }

  // Why dense search cannot be served from this generation; empty when it can.
  [[nodiscard]] const std::string& dense_refusal() const { return parts_.dense_refusal; }

  // Why nothing can be found in its photos; empty when it can.
  [[nodiscard]] const std::string& picture_refusal() const { return parts_.picture_refusal; }

  // Over the words of its catalogue.
  [[nodiscard]] const retrieval::LexicalIndex& lexical() const { return *parts_.lexical; }
  [[nodiscard]] const retrieval::Suggestions& suggestions() const { return *parts_.suggestions; }

  // What its columns can answer of a query.
  [[nodiscard]] const retrieval::QueryUnderstanding& understanding() const { return *parts_.understanding; }

  // What was bought together in the purchases of the ingest, by row of catalog(); null: not known.
  [[nodiscard]] const std::shared_ptr<const ranking::ItemNeighbours>& neighbours() const { return parts_.snapshot->neighbours; }

  // How popular its articles are now; null where the holder has no Popularity.
  [[nodiscard]] const std::shared_ptr<recommend::PopularityBoard>& popularity() const { return parts_.popularity; }
  [[nodiscard]] const BrowseOrders& orders() const { return *parts_.orders; }
  // Which part of an outfit each row is, and its colour.
  [[nodiscard]] const ranking::OutfitSlots& slots() const { return *parts_.slots; }
  [[nodiscard]] const ranking::RowHues& hues() const { return *parts_.hues; }
  [[nodiscard]] const catalog::ProductCounter& products() const { return products_; }
  [[nodiscard]] const FacetCounter& facets() const { return facets_; }

  // The rows that may be shown now, whatever a list says: asked when a page is made.
  [[nodiscard]] const catalog::Bitmap& available() const { return catalog().available(); }

  // How the catalogue's rows and the vector index's go together; null where they are the same.
  [[nodiscard]] const ChangedVectors* changed_vectors() const { return parts_.changed_vectors.get(); }

  [[nodiscard]] GenerationVersion version() const { return {info().id, parts_.delta}; }
  // For the next state, which shares what stays.
  [[nodiscard]] const Parts& parts() const { return parts_; }

 private:
  std::shared_ptr<detail::OpenGenerations> open_;
  Parts parts_;
  catalog::ProductCounter products_;
  FacetCounter facets_;
};

// Who lays changes over what a SnapshotHolder loads.
class BaseFollower {
 public:
  virtual ~BaseFollower() = default;

  // Publishes `base` with all changes that it does not have yet, and goes on from it; after an error, from what it had.
  [[nodiscard]] virtual core::Task<core::Status> switch_base(std::shared_ptr<const ports::CatalogSnapshot> base,
                                                             core::Deadline deadline) = 0;
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

  // From now on the vectors of photos are opened and closed in `index` with each generation; what is looked for in them is
  // embedded by `query_encoder`. Without, every generation refuses. Before the first refresh; `index` must outlive this object
  // and everything that serving() gave.
  void look_into_pictures(ports::VectorIndex& index, ports::EncoderInfo query_encoder);

  // From now on refresh() leaves publishing to `follower`, which must outlive every refresh. Before the first refresh.
  void leave_publishing_to(BaseFollower& follower) { follower_ = &follower; }

  // Why dense search cannot be served from such a generation; empty when it can.
  [[nodiscard]] std::string dense_refusal(const ports::GenerationInfo& info) const;
  // The same of its photos.
  [[nodiscard]] std::string picture_refusal(const ports::GenerationInfo& info) const;

  // The steps of publishing, for a BaseFollower; the last two by one caller at a time.
  // All that is made from a catalogue: takes about a second of the calling thread for 10⁵ articles. What is added to Parts
  // is made here, and shared by later states of the same rows: it must not keep prices or availability.
  [[nodiscard]] core::Task<core::Result<ServingGeneration::Parts>> prepare(std::shared_ptr<const ports::CatalogSnapshot> snapshot,
                                                                           core::Deadline deadline);
  // Serves another generation than before, once its vectors are open.
  [[nodiscard]] core::Task<core::Status> publish_base(ServingGeneration::Parts parts, core::Deadline deadline);
  // Serves another state of the generation that is served.
  void publish(ServingGeneration::Parts parts);

 private:
  [[nodiscard]] core::Task<core::Result<RefreshOutcome>> refresh_alone(core::Deadline deadline);
  [[nodiscard]] std::shared_ptr<const ServingGeneration> make(ServingGeneration::Parts parts);
  void serve(std::shared_ptr<const ServingGeneration> next);

  ports::CatalogStore& store_;
  ports::VectorIndex& index_;
  const ports::EncoderInfo query_encoder_;
  ports::VectorIndex* image_index_ = nullptr;  // null: nothing is looked for in photos
  ports::EncoderInfo image_encoder_;
  recommend::Popularity* const popularity_;
  const LookupOptions lookup_;
  BaseFollower* follower_ = nullptr;
  std::shared_ptr<detail::OpenGenerations> open_;

  mutable std::mutex mutex_;
  std::shared_ptr<const ServingGeneration> serving_;  // guarded by mutex_
  std::string last_error_;                            // guarded by mutex_
  bool refreshing_ = false;                           // guarded by mutex_
};

}  // namespace scalestyle::search
