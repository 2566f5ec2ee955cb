#pragma once
// CatalogTarget: a store outside the data folder that an ingest fills with the generation which it made, before anybody is
// told to serve it. Distributed: Redis (articles), Milvus (vectors). The data folder is no target: it is what is read.
//
// The order of calls is current, begin, write_articles, write_vectors (any number), finish, switch_to, remove_others; abort
// instead of what is left, after any failure. Until switch_to() nothing that is served changes, so a run that dies leaves
// the old generation served, and the next one begins anew. What it left is overwritten, or goes by itself.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::ports {

struct PopularArticle {
  catalog::RowIndex row{};
  double score = 0;  // > 0
};

// How popular articles are by the purchases of the past, for readers that do not take it from the articles' purchase counts.
// Each best first, then by row.
struct PopularitySeeds {
  std::vector<PopularArticle> all_time{};    // ranking::purchase_prior: the scale of live events
  std::vector<PopularArticle> last_24h{};    // weights of the purchases of the last day that is known
  std::vector<PopularArticle> last_7d{};     // of the last seven
};

struct TargetGeneration {
  std::shared_ptr<const CatalogSnapshot> snapshot{};  // not null; with all articles and neighbours
  std::shared_ptr<const PopularitySeeds> popular{};   // not null
  std::size_t text_vectors = 0;   // that will be given
  std::size_t image_vectors = 0;
};

enum class VectorsOf : std::uint8_t { kTexts, kPhotos };

// Some vectors, of ascending rows of the catalogue; a later slice goes on behind an earlier one of the same kind.
struct VectorSlice {
  VectorsOf kind = VectorsOf::kTexts;
  std::span<const std::uint32_t> rows{};
  std::size_t dimension = 0;
  std::span<const float> values{};  // rows.size() of them, row-major, of unit length
};

// What a target has, as it says itself when it is asked anew; nothing where it does not keep such things.
struct TargetCounts {
  std::optional<std::size_t> articles{};
  std::optional<std::size_t> text_vectors{};
  std::optional<std::size_t> image_vectors{};
  std::optional<std::size_t> neighbours{};
  std::optional<std::size_t> popular{};  // articles of PopularitySeeds::all_time
};

// Not thread-safe: one call at a time. Errors of every method: kUnavailable, kDeadlineExceeded, kPermissionDenied (what this
// user may not do), kResourceExhausted (full), kFailedPrecondition (something else is in the place of what is written), each with
// the place.
class CatalogTarget {
 public:
  virtual ~CatalogTarget() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;  // "redis"

  // The generation that it tells gateways to serve; nothing where it tells none. Also shows that it answers, before much is done.
  [[nodiscard]] virtual core::Task<core::Result<std::optional<core::GenerationId>>> current(core::Deadline deadline) = 0;

  // Makes room for the generation, which must not be current(). kInvalidArgument for what it cannot hold.
  [[nodiscard]] virtual core::Task<core::Status> begin(TargetGeneration generation, core::Deadline deadline) = 0;
  [[nodiscard]] virtual core::Task<core::Status> write_articles(core::Deadline deadline) = 0;
  // What the slice views must stay until the task ends.
  [[nodiscard]] virtual core::Task<core::Status> write_vectors(VectorSlice slice, core::Deadline deadline) = 0;

  // Completes it, reads it back, and tells what is there. kDataLoss where that is not what was written.
  [[nodiscard]] virtual core::Task<core::Result<TargetCounts>> finish(core::Deadline deadline) = 0;

  // Tells gateways to serve it. May be repeated.
  [[nodiscard]] virtual core::Task<core::Status> switch_to(core::Deadline deadline) = 0;

  // Gives up what was begun; what cannot be removed now goes by itself, or with the next fill.
  [[nodiscard]] virtual core::Task<core::Status> abort(core::Deadline deadline) = 0;

  // Removes all complete generations but these. Returns how many.
  [[nodiscard]] virtual core::Task<core::Result<std::size_t>> remove_others(std::set<core::GenerationId> keep,
                                                                            core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
