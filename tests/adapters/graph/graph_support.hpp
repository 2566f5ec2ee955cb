#pragma once
// Vectors in clusters, their graphs, and generations that have one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../embedded/generation_support.hpp"
#include "adapters/graph/graph_builder.hpp"
#include "core/files.hpp"
#include "nn/kernels/scan.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::graph {

// Around centres that share a component, as texts of one trade.
inline support::IndexedVectors clustered_vectors(std::size_t rows, std::size_t dimension, unsigned seed) {
  constexpr std::size_t kCentres = 200;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> centres(kCentres * dimension);
  for (std::size_t i = 0; i < centres.size(); ++i) centres[i] = 0.8F + normal(random);
  support::IndexedVectors vectors{.dimension = dimension, .ids = {}, .values = {}};
  for (std::size_t row = 0; row < rows; ++row) {
    vectors.ids.push_back(*catalog::ArticleId::parse(std::to_string(1'000'000 + row * 3)));
    const float* centre = centres.data() + random() % kCentres * dimension;
    double sum = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      vectors.values.push_back(centre[i] + 0.5F * normal(random));
      sum += static_cast<double>(vectors.values.back()) * static_cast<double>(vectors.values.back());
    }
    const auto length = static_cast<float>(std::sqrt(sum));
    for (auto i = vectors.values.end() - static_cast<std::ptrdiff_t>(dimension); i != vectors.values.end(); ++i) *i /= length;
  }
  return vectors;
}

// One of the rows, disturbed.
inline std::vector<float> query_like(const support::IndexedVectors& vectors, std::mt19937& random) {
  std::normal_distribution<float> normal(0.0F, 0.3F / std::sqrt(static_cast<float>(vectors.dimension)));
  const auto row = vectors.row(random() % vectors.ids.size());
  std::vector<float> query(row.begin(), row.end());
  double sum = 0;
  for (float& value : query) {
    value += normal(random);
    sum += static_cast<double>(value) * static_cast<double>(value);
  }
  for (float& value : query) value /= static_cast<float>(std::sqrt(sum));
  return query;
}

// Both forms of the vectors, in memory.
struct BothForms {
  explicit BothForms(const support::IndexedVectors& vectors)
      : exact{.rows = vectors.ids.size(), .dimension = vectors.dimension, .values = vectors.values} {
    auto encoded = retrieval::encode_quantized_vectors(exact);
    EXPECT_TRUE(encoded);
    bytes = std::move(*encoded);
    auto opened = retrieval::open_quantized_vectors(bytes, "vectors", retrieval::VectorCheck::kFull);
    EXPECT_TRUE(opened);
    quantized = *opened;
  }
  retrieval::ExactVectors exact;
  std::vector<std::byte> bytes;
  retrieval::QuantizedVectors quantized;
};

inline core::Status go_on(std::size_t /*done*/, std::size_t /*nodes*/) { return {}; }

inline embedded::GraphWriter graph_writer(const GraphOptions& options) {
  return [options](const std::filesystem::path& quantized, const std::filesystem::path& graph) -> core::Status {
    CORE_TRY(const auto file, core::MappedFile::open(quantized));
    CORE_TRY(const auto vectors,
             retrieval::open_quantized_vectors(file.bytes(), quantized.string(), retrieval::VectorCheck::kHeader));
    return build_graph(vectors, options, graph, go_on);
  };
}

// A generation with graphs, of articles that have only ids.
inline void write_generation_with_graph(const std::filesystem::path& data_dir, const core::GenerationId& id,
                                        const support::IndexedVectors& vectors,
                                        const embedded::PhotoCollection* photos = nullptr) {
  const GraphOptions options{.neighbours = 16, .construction = 100};
  std::vector<catalog::Article> articles;
  for (const auto& article_id : vectors.ids) {
    articles.push_back({.id = article_id, .product_code = article_id.text(), .name = "x", .description = ""});
  }
  const auto catalog = embedded::catalog_of(articles);
  const std::vector<embedded::VectorOrigin> origins(catalog.size());
  const auto exact = [](const support::IndexedVectors& of) {
    return retrieval::ExactVectors{.rows = of.ids.size(), .dimension = of.dimension, .values = of.values};
  };
  embedded::GenerationContents contents{.manifest = {}, .catalog = &catalog, .origins = origins, .vectors = exact(vectors)};
  contents.manifest.info = support::sample_info(id.value());
  contents.manifest.info.document_encoder.dimension = vectors.dimension;
  contents.manifest.price_source = "none";
  contents.manifest.graph = {.neighbours = options.neighbours, .construction = options.construction};
  if (photos != nullptr) {
    contents.manifest.info.image_encoder = {.model = "pictures", .weights_hash = std::string(64, 'd'), .precision = "f32",
                                            .dimension = photos->vectors.dimension, .max_tokens = 77};
    contents.manifest.images = {.format = "photo_v1", .distinct_photos = photos->rows.size()};
    contents.images = {.rows = photos->rows, .vectors = exact(photos->vectors)};
  }
  contents.write_graph = graph_writer(options);
  const auto written = embedded::write_generation(embedded::DataFolder(data_dir).generation(id), contents);
  ASSERT_TRUE(written) << written.error().message;
}

// The nearest eligible rows by the exact vectors, best first.
inline std::vector<std::uint32_t> nearest_rows(const retrieval::ExactVectors& vectors, std::span<const float> query,
                                               const catalog::Bitmap& eligible, std::size_t k) {
  std::vector<std::pair<float, std::uint32_t>> all;
  eligible.for_each([&](catalog::RowIndex row) {
    all.emplace_back(-nn::kernels::dot_f32(query.data(), vectors.row(row.value).data(), vectors.dimension), row.value);
  });
  std::ranges::sort(all);
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < std::min(k, all.size()); ++i) rows.push_back(all[i].second);
  return rows;
}

}  // namespace scalestyle::adapters::graph
