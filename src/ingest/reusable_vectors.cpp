#include "ingest/reusable_vectors.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace scalestyle::ingest {

namespace {

using adapters::embedded::FileCheck;
using adapters::embedded::VectorSource;

// What of `old_info` differs from what this run would write, as "precision f32 instead of int8, …".
std::string differences(const ports::GenerationInfo& old_info, const ports::EncoderInfo& encoder) {
  const ports::EncoderInfo& old = old_info.document_encoder;
  std::string found;
  const auto compare = [&found](std::string_view what, const auto& now, const auto& then) {
    if (now == then) return;
    found += fmt::format("{}{} {} instead of {}", found.empty() ? "" : ", ", what, now, then);
  };
  compare("model", encoder.model, old.model);
  compare("weights", encoder.weights_hash, old.weights_hash);
  compare("precision", encoder.precision, old.precision);
  compare("dimension", encoder.dimension, old.dimension);
  compare("token limit", encoder.max_tokens, old.max_tokens);
  compare("text format", std::string(catalog::kTextFormat), old_info.text_format);
  return found;
}

}  // namespace

core::Result<ReusableVectors> ReusableVectors::open(const adapters::embedded::DataFolder& folder,
                                                    const ports::EncoderInfo& encoder) {
  ReusableVectors reusable;
  CORE_TRY(reusable.generation_, folder.read_current());
  const auto path = folder.generation(reusable.generation_);
  CORE_TRY(const auto manifest, adapters::embedded::read_manifest(path));
  if (const std::string found = differences(manifest.info, encoder); !found.empty()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("--update cannot reuse the vectors of generation {}: this run has {}; leave --update "
                                  "out to embed every text again",
                                  reusable.generation_.value(), found),
                      "update");
  }
  CORE_CHECK(adapters::embedded::check_files(path, manifest, FileCheck::kHashes));
  CORE_TRY(reusable.vectors_, adapters::embedded::map_vectors(path, manifest, FileCheck::kSizes));
  CORE_TRY(const auto rows, adapters::embedded::read_vector_origins(path / adapters::embedded::kCatalogFile,
                                                                    manifest.info.articles));
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    const auto& origin = rows[row].origin;
    if (origin.source == VectorSource::kModel) reusable.by_text_.try_emplace(origin.text_hash, row);
    else reusable.supplied_.try_emplace(rows[row].article_id, Supplied{origin.text_hash, row});
  }
  return reusable;
}

std::optional<ReusableVectors::Match> ReusableVectors::find(const catalog::TextHash& text,
                                                            const catalog::ArticleId& article) const {
  if (const auto own = supplied_.find(article); own != supplied_.end() && own->second.text == text) {
    return Match{own->second.row, VectorSource::kSupplied};
  }
  if (const auto found = by_text_.find(text); found != by_text_.end()) return Match{found->second, VectorSource::kModel};
  return std::nullopt;
}

}  // namespace scalestyle::ingest
