#pragma once
// catalog.db of a generation: one SQLite table with a row an article, in the order of article ids, so that the row
// number is the RowIndex of the catalogue and the row of both vector files. Columns: docs/formats/generation.md.
// All functions block; each call opens and closes its own connection. The reader never writes beside the file.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/product_text.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::embedded {

enum class VectorSource : std::uint8_t { kModel = 0, kSupplied = 1 };

// What the file knows of a row's vector, beside the article.
struct VectorOrigin {
  catalog::TextHash text_hash;
  VectorSource source = VectorSource::kModel;
  friend bool operator==(const VectorOrigin&, const VectorOrigin&) = default;
};

// Creates `path` (which must not exist) and syncs it. origins.size() == catalog.size().
// Errors: kResourceExhausted (disk full), kPermissionDenied, kUnavailable, all with the path.
[[nodiscard]] core::Status write_catalog_file(const std::filesystem::path& path, const catalog::Catalog& catalog,
                                              std::span<const VectorOrigin> origins);

// Errors of the readers: kNotFound, kDataLoss (not such a database, damaged, rows out of order or not `expected_rows`).
[[nodiscard]] core::Result<std::shared_ptr<const catalog::Catalog>> read_catalog_file(const std::filesystem::path& path,
                                                                                      std::size_t expected_rows);
[[nodiscard]] core::Result<std::vector<catalog::ArticleId>> read_article_ids(const std::filesystem::path& path,
                                                                             std::size_t expected_rows);

struct StoredVector {
  catalog::ArticleId article_id;
  VectorOrigin origin;
};
[[nodiscard]] core::Result<std::vector<StoredVector>> read_vector_origins(const std::filesystem::path& path,
                                                                          std::size_t expected_rows);

}  // namespace scalestyle::adapters::embedded
