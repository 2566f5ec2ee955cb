#pragma once
// One collection of vectors on its way through an ingest: where each row's comes from, and what holds those vectors.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "adapters/embedded/image_rows.hpp"
#include "core/result.hpp"
#include "ingest/embedding_plan.hpp"
#include "ingest/reusable_vectors.hpp"
#include "ingest/supplied_vectors.hpp"
#include "ingest/work_folder.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

struct VectorLane {
  ports::EncoderInfo encoder;
  std::string format;  // what is embedded: "product_text_v1"
  EmbeddingPlan plan{};
  std::optional<ReusableVectors> reusable{};
  std::optional<SuppliedVectors> supplied{};
  std::optional<WorkFolder> work{};  // nothing: nothing is to be embedded
};

// The vectors of the rows that have one, in the order of rows.
struct GatheredVectors {
  std::vector<adapters::embedded::ImageRow> rows;
  std::vector<float> values;  // [rows, dimension]
};

// After everything was embedded. A row whose content was rejected has no vector. kDataLoss when the work is not whole.
[[nodiscard]] core::Result<GatheredVectors> gather_vectors(const VectorLane& lane);

}  // namespace scalestyle::ingest
