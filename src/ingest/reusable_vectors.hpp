#pragma once
// The vectors of the generation that is served now, by text or photo: what `--update` need not embed again.
// Immutable after opening: safe to share.

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
  // Opens the current generation and checks every byte of the files it uses. Errors: kNotFound (nothing ingested yet, or no
  // vectors of photos), kDataLoss, kFailedPrecondition when its vectors are not those that `encoder` would make: says what differs.
  [[nodiscard]] static core::Result<ReusableVectors> open_texts(const adapters::embedded::DataFolder& folder,
                                                                const ports::EncoderInfo& encoder);
  [[nodiscard]] static core::Result<ReusableVectors> open_photos(const adapters::embedded::DataFolder& folder,
                                                                 const ports::EncoderInfo& encoder);

  // The old row that has the vector of this content: one that the model made or, for the same article, one that a file
  // supplied.
  struct Match {
    std::uint32_t row = 0;
    adapters::embedded::VectorSource source = adapters::embedded::VectorSource::kModel;
  };
  [[nodiscard]] std::optional<Match> find(const catalog::TextHash& content, const catalog::ArticleId& article) const;
  [[nodiscard]] std::span<const float> vector(std::uint32_t row) const { return vectors_.exact.row(row); }

 private:
  void add(std::uint32_t row, const catalog::ArticleId& article, const adapters::embedded::VectorOrigin& origin);

  adapters::embedded::MappedVectors vectors_;
  std::unordered_map<catalog::TextHash, std::uint32_t> by_content_;
  struct Supplied {
    catalog::TextHash content;
    std::uint32_t row = 0;
  };
  std::unordered_map<catalog::ArticleId, Supplied> supplied_;
};

}  // namespace scalestyle::ingest
