#pragma once
// The texts of articles as an EmbeddingSource.

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/product_text.hpp"
#include "ingest/embedding_source.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

// The hash of each row's text, by row; every row has one.
[[nodiscard]] std::vector<std::optional<catalog::TextHash>> hash_texts(const catalog::Catalog& catalog);

class TextSource final : public EmbeddingSource {
 public:
  // Both must outlive the source.
  TextSource(const catalog::Catalog& catalog, ports::TextEncoder& encoder, std::size_t batch_items)
      : catalog_(catalog), encoder_(encoder), batch_items_(batch_items) {}

  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] std::string_view noun() const override { return "text"; }
  [[nodiscard]] std::size_t batch_items() const override { return batch_items_; }
  [[nodiscard]] core::Task<core::Result<EmbeddedBatch>> embed(const std::vector<catalog::RowIndex>& rows) override;

 private:
  const catalog::Catalog& catalog_;
  ports::TextEncoder& encoder_;
  std::size_t batch_items_;
};

}  // namespace scalestyle::ingest
