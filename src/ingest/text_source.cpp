#include "ingest/text_source.hpp"

#include <cstdint>
#include <utility>

namespace scalestyle::ingest {

namespace {

core::Task<core::Result<EmbeddedBatch>> embed_texts(const TextSource& source, ports::TextEncoder& encoder,
                                                    std::vector<std::string> texts) {
  const std::size_t rows = texts.size();
  CORE_CO_TRY(auto encoded, co_await encoder.encode(std::move(texts), core::Deadline::never()));
  EmbeddedBatch batch;
  batch.values = std::move(encoded.values);
  batch.tokens = encoded.tokens;
  CORE_CO_CHECK(check_batch(batch, rows, source));
  co_return batch;
}

}  // namespace

std::vector<std::optional<catalog::TextHash>> hash_texts(const catalog::Catalog& catalog) {
  std::vector<std::optional<catalog::TextHash>> hashes(catalog.size());
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    hashes[row] = catalog::hash_text(catalog::product_text_v1(catalog.row({row}).to_article()));
  }
  return hashes;
}

core::Task<core::Result<EmbeddedBatch>> TextSource::embed(const std::vector<catalog::RowIndex>& rows) {
  std::vector<std::string> texts;
  texts.reserve(rows.size());
  for (const catalog::RowIndex row : rows) texts.push_back(catalog::product_text_v1(catalog_.row(row).to_article()));
  return embed_texts(*this, encoder_, std::move(texts));
}

}  // namespace scalestyle::ingest
