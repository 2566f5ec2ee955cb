#pragma once
// The vectors of the generation that is served now, by text: what `--update` need not embed again.
// Immutable after open(): safe to share.

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "catalog/article_id.hpp"
#include "catalog/product_text.hpp"
#include "core/result.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

class ReusableVectors {
 public:
  // Opens the current generation and checks all of its files. Errors: kNotFound (nothing ingested yet), kDataLoss,
  // kFailedPrecondition when its vectors are not those that `encoder` would make: says what differs.
  [[nodiscard]] static core::Result<ReusableVectors> open(const adapters::embedded::DataFolder& folder,
                                                          const ports::EncoderInfo& encoder);

  // The row of the old generation that has the vector of this text: one that the model made or, for the same article,
  // one that a file supplied.
  struct Match {
    std::uint32_t row = 0;
    adapters::embedded::VectorSource source = adapters::embedded::VectorSource::kModel;
  };
  [[nodiscard]] std::optional<Match> find(const catalog::TextHash& text, const catalog::ArticleId& article) const;
  [[nodiscard]] std::span<const float> vector(std::uint32_t row) const { return vectors_.exact.row(row); }
  [[nodiscard]] const core::GenerationId& generation() const { return generation_; }

 private:
  core::GenerationId generation_;
  adapters::embedded::MappedVectors vectors_;
  std::unordered_map<catalog::TextHash, std::uint32_t> by_text_;
  struct Supplied {
    catalog::TextHash text;
    std::uint32_t row = 0;
  };
  std::unordered_map<catalog::ArticleId, Supplied> supplied_;
};

}  // namespace scalestyle::ingest
