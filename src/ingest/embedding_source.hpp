#pragma once
// EmbeddingSource: what an ingest embeds, texts or photos, behind one face: rows of the catalogue in, vectors out. A row
// whose content cannot be embedded is told apart from a failure that ends the run.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

struct RejectedItem {
  std::uint64_t item = 0;  // its place in the batch; in a work folder, in the plan
  std::string cause;
  friend bool operator==(const RejectedItem&, const RejectedItem&) = default;
};

struct EmbeddedBatch {
  std::vector<float> values;           // one vector a row; zeros for a rejected one
  std::uint64_t tokens = 0;
  std::vector<RejectedItem> rejected;  // in ascending order
};

// Used by one thread; tasks complete on any.
class EmbeddingSource {
 public:
  virtual ~EmbeddingSource() = default;

  [[nodiscard]] virtual const ports::EncoderInfo& info() const = 0;
  [[nodiscard]] virtual std::string_view noun() const = 0;  // "text" or "photo", for messages
  [[nodiscard]] virtual std::size_t batch_items() const = 0;  // rows to give to embed() at once, at least 1

  // One vector for each row. What it reads of the rows it reads before it returns. Errors end the run: the encoder's;
  // kInternal when the encoder does not give one vector of unit length each.
  [[nodiscard]] virtual core::Task<core::Result<EmbeddedBatch>> embed(const std::vector<catalog::RowIndex>& rows) = 0;
};

// kInternal, naming the first row at fault, when `batch` is not `rows` vectors of the encoder's dimension, of unit length or,
// where rejected, zero: an encoder that breaks its contract must not be written to disk.
[[nodiscard]] core::Status check_batch(const EmbeddedBatch& batch, std::size_t rows, const EmbeddingSource& source);

}  // namespace scalestyle::ingest
