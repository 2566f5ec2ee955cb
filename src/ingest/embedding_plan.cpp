#include "ingest/embedding_plan.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "core/hash.hpp"

namespace scalestyle::ingest {

using adapters::embedded::VectorSource;

EmbeddingPlan plan_embeddings(const PlanInput& input) {
  const ports::EncoderInfo& encoder = input.encoder;
  EmbeddingPlan plan;
  plan.rows.resize(input.catalog.size());
  plan.origins.resize(input.catalog.size());
  core::Sha256 fingerprint;
  fingerprint.update(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", encoder.model, encoder.weights_hash, encoder.precision,
                                 encoder.dimension, encoder.max_tokens, input.format));
  std::unordered_map<catalog::TextHash, std::uint32_t> place_of_content;
  std::unordered_set<catalog::TextHash> distinct;
  std::unordered_set<catalog::TextHash> reused;
  for (std::uint32_t row = 0; row < input.catalog.size(); ++row) {
    const auto& content = input.contents[row];
    if (content) distinct.insert(*content);
    plan.origins[row] = {content.value_or(catalog::TextHash{}), VectorSource::kModel};
    if (input.supplied != nullptr && !input.supplied->find({row}).empty()) {
      plan.rows[row] = {RowVector::From::kSupplied, row};
      plan.origins[row].source = VectorSource::kSupplied;
      continue;
    }
    if (input.reusable != nullptr) {
      if (const auto match = input.reusable->find(plan.origins[row].text_hash, input.catalog.row({row}).to_article().id)) {
        plan.rows[row] = {RowVector::From::kReused, match->row};
        plan.origins[row].source = match->source;
        if (content) reused.insert(*content);
        continue;
      }
    }
    if (!content) continue;
    const auto [place, is_new] = place_of_content.try_emplace(*content, static_cast<std::uint32_t>(plan.items.size()));
    if (is_new) {
      plan.items.push_back({row});
      fingerprint.update(std::as_bytes(std::span(content->bytes)));
    }
    plan.rows[row] = {RowVector::From::kEmbedded, place->second};
  }
  plan.distinct = distinct.size();
  plan.reused = reused.size();
  plan.fingerprint = core::to_hex(fingerprint.finish());
  return plan;
}

}  // namespace scalestyle::ingest
