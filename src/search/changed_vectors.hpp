#pragma once
// Search by meaning in a catalogue that was changed since its vectors were indexed: the index's rows that are the
// catalogue's still, and the new or changed rows beside it, as one list.

#include <memory>
#include <vector>

#include "core/deadline.hpp"
#include "core/task.hpp"
#include "ports/vector_index.hpp"
#include "retrieval/row_map.hpp"
#include "retrieval/side_vectors.hpp"
#include "search/eligible_search.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

// Immutable.
struct ChangedVectors {
  retrieval::RowMap to_index;                       // of the catalogue's rows whose vector the index has
  std::shared_ptr<const catalog::Bitmap> in_index;  // what every row is mapped to; not null
  retrieval::SideVectors side;                      // of the other rows
  // Of photos: all rows of the catalogue that are rows of the index, whatever became of their texts. What is new since the
  // ingest has no photo to be found by until the next one.
  retrieval::RowMap to_photos;
  std::shared_ptr<const catalog::Bitmap> in_photos;  // what every row is mapped to; not null
};

// A set of rows of `generation`'s catalogue (null: all) as one of the rows that the index of its photos has.
[[nodiscard]] std::shared_ptr<const catalog::Bitmap> rows_of_photos(const ServingGeneration& generation,
                                                                    std::shared_ptr<const catalog::Bitmap> eligible);

// As search_eligible() in the generation, whose changed_vectors() must be there; `eligible` sets are of its catalogue.
// Equal scores go by article id, wherever the vectors are.
[[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search_changed(const EligibleEngine& engine,
                                                                                      const ServingGeneration& generation,
                                                                                      std::vector<ports::VectorQuery> queries,
                                                                                      core::Deadline deadline);

}  // namespace scalestyle::search
