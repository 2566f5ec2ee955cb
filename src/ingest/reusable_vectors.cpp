#include "ingest/reusable_vectors.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "ingest/photo_source.hpp"

namespace scalestyle::ingest {

namespace {

using adapters::embedded::FileCheck;
using adapters::embedded::GenerationManifest;
using adapters::embedded::VectorSource;

// What made vectors, and of what.
struct Making {
  const ports::EncoderInfo& encoder;
  std::string_view format;
};

// What of `old` differs from what this run would write, as "precision f32 instead of int8, …".
std::string differences(const Making& now, const Making& old) {
  std::string found;
  const auto compare = [&found](std::string_view what, const auto& ours, const auto& theirs) {
    if (ours == theirs) return;
    found += fmt::format("{}{} {} instead of {}", found.empty() ? "" : ", ", what, ours, theirs);
  };
  compare("model", now.encoder.model, old.encoder.model);
  compare("weights", now.encoder.weights_hash, old.encoder.weights_hash);
  compare("precision", now.encoder.precision, old.encoder.precision);
  compare("dimension", now.encoder.dimension, old.encoder.dimension);
  compare("token limit", now.encoder.max_tokens, old.encoder.max_tokens);
  compare("format", now.format, old.format);
  return found;
}

struct OldGeneration {
  std::filesystem::path path;
  GenerationManifest manifest;
};

core::Result<OldGeneration> open_current(const adapters::embedded::DataFolder& folder) {
  OldGeneration old;
  CORE_TRY(const auto id, folder.read_current());
  old.path = folder.generation(id);
  CORE_TRY(old.manifest, adapters::embedded::read_manifest(old.path));
  return old;
}

}  // namespace

core::Result<ReusableVectors> ReusableVectors::open_texts(const adapters::embedded::DataFolder& folder,
                                                          const ports::EncoderInfo& encoder) {
  CORE_TRY(const auto old, open_current(folder));
  const auto& info = old.manifest.info;
  const std::string found = differences({encoder, catalog::kTextFormat}, {info.document_encoder, info.text_format});
  if (!found.empty()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("--update cannot reuse the vectors of generation {}: this run has {}; leave --update out to "
                                  "embed every text again",
                                  info.id.value(), found),
                      "update");
  }
  CORE_CHECK(adapters::embedded::check_files(old.path, old.manifest, FileCheck::kHashes));
  ReusableVectors reusable;
  CORE_TRY(reusable.vectors_, adapters::embedded::map_vectors(old.path, old.manifest, FileCheck::kSizes));
  CORE_TRY(const auto rows, adapters::embedded::read_vector_origins(old.path / adapters::embedded::kCatalogFile, info.articles));
  for (std::uint32_t row = 0; row < rows.size(); ++row) reusable.add(row, rows[row].article_id, rows[row].origin);
  return reusable;
}

core::Result<ReusableVectors> ReusableVectors::open_photos(const adapters::embedded::DataFolder& folder,
                                                           const ports::EncoderInfo& encoder) {
  CORE_TRY(const auto old, open_current(folder));
  const auto& info = old.manifest.info;
  if (!info.image_encoder) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("generation {} has no vectors of photos", info.id.value()));
  }
  const std::string found = differences({encoder, kPhotoFormat}, {*info.image_encoder, old.manifest.images.format});
  if (!found.empty()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("this run has {} for the photos of generation {}", found, info.id.value()), "update");
  }
  ReusableVectors reusable;
  CORE_TRY(auto images, adapters::embedded::map_image_vectors(old.path, old.manifest, FileCheck::kHashes));
  reusable.vectors_ = std::move(images.vectors);
  CORE_TRY(const auto ids, adapters::embedded::read_article_ids(old.path / adapters::embedded::kCatalogFile, info.articles));
  for (std::uint32_t row = 0; row < images.rows.size(); ++row) {
    reusable.add(row, ids[images.rows[row].row.value], images.rows[row].origin);
  }
  return reusable;
}

void ReusableVectors::add(std::uint32_t row, const catalog::ArticleId& article, const adapters::embedded::VectorOrigin& origin) {
  if (origin.source == VectorSource::kModel) by_content_.try_emplace(origin.text_hash, row);
  else supplied_.try_emplace(article, Supplied{origin.text_hash, row});
}

std::optional<ReusableVectors::Match> ReusableVectors::find(const catalog::TextHash& content,
                                                            const catalog::ArticleId& article) const {
  if (const auto own = supplied_.find(article); own != supplied_.end() && own->second.content == content) {
    return Match{own->second.row, VectorSource::kSupplied};
  }
  if (const auto found = by_content_.find(content); found != by_content_.end()) return Match{found->second, VectorSource::kModel};
  return std::nullopt;
}

}  // namespace scalestyle::ingest
