#pragma once
// CatalogStore: the article data of a generation, held in memory by whoever serves it. Embedded: the generation's
// folder on disk. Distributed: Redis hashes with a version key.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "catalog/catalog.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/text_encoder.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::ports {

struct GenerationInfo {
  core::GenerationId id;
  std::size_t articles = 0;
  EncoderInfo document_encoder;  // dense search is refused when the query encoder's model or weights differ
  std::string text_format;       // "product_text_v1"
  std::string currency;          // empty: prices have the unit of the input
  double price_scale = 1.0;
  std::string created_at;        // UTC, ISO 8601
  std::string image_folder{};    // absolute; holds the articles' pictures by image_path; empty: no pictures
  // First and last day of the purchases that purchase counts come from, "YYYY-MM-DD"; both empty when not known.
  std::string purchases_from{};
  std::string purchases_to{};
  // Changes of articles (CatalogChanges) up to and including this sequence are part of it, or were overruled by its files.
  std::int64_t changes_through = 0;
  // Of these, its files overruled those that were made up to this time (milliseconds since 1970).
  std::int64_t changes_overruled_ms = 0;
  // What made the vectors of the articles' photos; visual search is refused when the query encoder's model or weights
  // differ. Absent: the generation has no such vectors, and image_vectors is 0.
  std::optional<EncoderInfo> image_encoder{};
  std::size_t image_vectors = 0;  // articles that have one; the others are never found by pictures
};

struct CatalogSnapshot {
  GenerationInfo info;
  std::shared_ptr<const catalog::Catalog> catalog;  // never null
  std::shared_ptr<const ranking::ItemNeighbours> neighbours{};  // by row of `catalog`; null: none are known
};

// Thread safety: every method may be called from any thread, concurrently.
class CatalogStore {
 public:
  virtual ~CatalogStore() = default;

  // The generation that should be served now; cheap, meant to be polled.
  // Errors: kNotFound (nothing ingested yet; says how), kDataLoss, kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Result<core::GenerationId>> current(core::Deadline deadline) = 0;

  // Reads one generation whole; the caller keeps and shares the immutable result.
  // Errors: kNotFound, kDataLoss (names the damaged file), kFailedPrecondition (made by a newer version),
  // kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Result<std::shared_ptr<const CatalogSnapshot>>> load(
      core::GenerationId generation, core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
