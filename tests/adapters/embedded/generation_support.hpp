#pragma once
// Generations on disk for tests of the embedded adapters.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "catalog/catalog.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::adapters::embedded {

inline catalog::Catalog catalog_of(const std::vector<catalog::Article>& articles) {
  catalog::CatalogBuilder builder;
  for (const auto& article : articles) EXPECT_TRUE(builder.add(article));
  auto built = std::move(builder).build();
  EXPECT_TRUE(built) << built.error().message;
  return std::move(*built);
}

// Vectors of photos: `vectors` has a row each.
struct PhotoCollection {
  std::vector<ImageRow> rows;
  support::IndexedVectors vectors;
};

// Those of these rows of a catalogue (ascending); `ids` are the catalogue's.
inline PhotoCollection photos_of(const std::vector<std::uint32_t>& rows, const std::vector<catalog::ArticleId>& ids,
                                 support::IndexedVectors vectors) {
  PhotoCollection photos{.rows = {}, .vectors = std::move(vectors)};
  photos.vectors.ids.clear();
  for (const std::uint32_t row : rows) {
    photos.rows.push_back({{row}, {catalog::hash_text("photo " + std::to_string(row)),
                                   row % 4 == 0 ? VectorSource::kSupplied : VectorSource::kModel}});
    photos.vectors.ids.push_back(ids[row]);
  }
  return photos;
}

// Writes a complete generation; `vectors` has a row an article.
inline GenerationManifest write_generation_of(const std::filesystem::path& data_dir, const ports::GenerationInfo& info,
                                              const catalog::Catalog& catalog, const support::IndexedVectors& vectors,
                                              const PhotoCollection* photos = nullptr,
                                              const ranking::ItemNeighbours* neighbours = nullptr) {
  GenerationContents contents;
  contents.manifest.info = info;
  contents.manifest.info.document_encoder.dimension = vectors.dimension;
  contents.manifest.price_source = "none";
  contents.manifest.sources = {{.name = "articles.csv", .role = "articles", .size_bytes = 12, .sha256 = std::string(64, 'c')}};
  contents.catalog = &catalog;
  std::vector<VectorOrigin> origins(catalog.size());
  for (std::size_t row = 0; row < origins.size(); ++row) {
    origins[row].text_hash = catalog::hash_text("text " + std::to_string(row));
    origins[row].source = row % 3 == 0 ? VectorSource::kSupplied : VectorSource::kModel;
  }
  contents.origins = origins;
  contents.vectors = {.rows = catalog.size(), .dimension = vectors.dimension, .values = vectors.values};
  if (photos != nullptr) {
    contents.manifest.info.image_encoder = {.model = "pictures", .weights_hash = std::string(64, 'd'), .precision = "f32",
                                            .dimension = photos->vectors.dimension, .max_tokens = 77};
    contents.manifest.images = {.format = "photo_v1", .distinct_photos = photos->rows.size(), .rejected_photos = 2};
    contents.images = {.rows = photos->rows,
                       .vectors = {.rows = photos->rows.size(), .dimension = photos->vectors.dimension, .values = photos->vectors.values}};
  }
  if (neighbours != nullptr) {
    contents.manifest.neighbours = {.purchases = 77, .first_day = "2020-09-16", .last_day = "2020-09-20",
                                    .options = {.per_item = 9, .shrinkage = 2.5}};
    contents.neighbours = neighbours;
  }
  auto written = write_generation(DataFolder(data_dir).generation(info.id), contents);
  EXPECT_TRUE(written) << written.error().message;
  return written ? *written : GenerationManifest{};
}

inline GenerationManifest write_generation_of(const std::filesystem::path& data_dir, const ports::GenerationInfo& info,
                                              const std::vector<catalog::Article>& articles) {
  return write_generation_of(data_dir, info, catalog_of(articles), support::random_vectors(articles.size(), 8, 1));
}

inline GenerationManifest write_generation_of(const std::filesystem::path& data_dir, const core::GenerationId& id,
                                              const support::IndexedVectors& vectors, const PhotoCollection* photos = nullptr) {
  std::vector<catalog::Article> articles;
  for (const auto& article_id : vectors.ids) {
    articles.push_back({.id = article_id, .product_code = article_id.text(), .name = "x", .description = ""});
  }
  return write_generation_of(data_dir, support::sample_info(id.value()), catalog_of(articles), vectors, photos);
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace scalestyle::adapters::embedded
