#pragma once
// image_rows.bin of a generation: which article each row of its image vectors is of, and of which photo the vector was
// made. Bytes: docs/formats/generation.md. Functions block; pure values otherwise.

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "adapters/embedded/catalog_file.hpp"
#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::embedded {

struct ImageRow {
  catalog::RowIndex row{};  // of the catalogue
  // The hash is that of the photo's bytes (catalog::hash_text), zero for a supplied vector of an article without a photo.
  VectorOrigin origin{};
  friend bool operator==(const ImageRow&, const ImageRow&) = default;
};

// Replaces `path` atomically. `rows` are in ascending order of their catalogue rows. Errors: those of the file system.
[[nodiscard]] core::Status write_image_rows(const std::filesystem::path& path, std::span<const ImageRow> rows);

// `articles` is the size of the catalogue. Errors: kNotFound; kDataLoss naming what is wrong with the file (checksum, size,
// rows out of order or past the catalogue); kUnsupported (a newer version).
[[nodiscard]] core::Result<std::vector<ImageRow>> read_image_rows(const std::filesystem::path& path, std::size_t articles);

}  // namespace scalestyle::adapters::embedded
