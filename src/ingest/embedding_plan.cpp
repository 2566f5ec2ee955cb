#include "ingest/embedding_plan.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "catalog/product_text.hpp"
#include "core/hash.hpp"

namespace scalestyle::ingest {

using adapters::embedded::VectorSource;

EmbeddingPlan plan_embeddings(const catalog::Catalog& catalog, const ports::EncoderInfo& encoder,
                              const ReusableVectors* reusable, const SuppliedVectors* supplied) {
  EmbeddingPlan plan;
  plan.rows.resize(catalog.size());
  plan.origins.resize(catalog.size());
  core::Sha256 fingerprint;
  fingerprint.update(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", encoder.model, encoder.weights_hash, encoder.precision,
                                 encoder.dimension, encoder.max_tokens, catalog::kTextFormat));
  std::unordered_map<catalog::TextHash, std::uint32_t> place_of_text;
  std::unordered_set<catalog::TextHash> distinct;
  std::unordered_set<catalog::TextHash> reused;
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    const auto article = catalog.row(catalog::RowIndex{row}).to_article();
    const catalog::TextHash hash = catalog::hash_text(catalog::product_text_v1(article));
    distinct.insert(hash);
    plan.origins[row] = {hash, VectorSource::kModel};
    if (supplied != nullptr && !supplied->find(catalog::RowIndex{row}).empty()) {
      plan.rows[row] = {RowVector::From::kSupplied, row};
      plan.origins[row].source = VectorSource::kSupplied;
      continue;
    }
    if (reusable != nullptr) {
      if (const auto match = reusable->find(hash, article.id)) {
        plan.rows[row] = {RowVector::From::kReused, match->row};
        plan.origins[row].source = match->source;
        reused.insert(hash);
        continue;
      }
    }
    const auto [place, is_new] = place_of_text.try_emplace(hash, static_cast<std::uint32_t>(plan.texts.size()));
    if (is_new) {
      plan.texts.push_back({row});
      fingerprint.update(std::as_bytes(std::span(hash.bytes)));
    }
    plan.rows[row] = {RowVector::From::kEmbedded, place->second};
  }
  plan.distinct_texts = distinct.size();
  plan.reused_texts = reused.size();
  plan.fingerprint = core::to_hex(fingerprint.finish());
  return plan;
}

}  // namespace scalestyle::ingest
