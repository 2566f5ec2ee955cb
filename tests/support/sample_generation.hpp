#pragma once
// Articles, generation facts and vectors for tests of what stores and searches them.

#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "catalog/article.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::support {

inline catalog::Article sample_article(const std::string& id) {
  catalog::Article article{.id = *catalog::ArticleId::parse(id), .product_code = id.substr(0, 7),
                           .name = "Name of " + id, .description = "Line one\nline two, \"quoted\", ünïcödé"};
  for (const catalog::Attribute attribute : catalog::all_attributes()) {
    article[attribute] = std::string(catalog::column_name(attribute)) + " value";
  }
  return article;
}

inline ports::GenerationInfo sample_info(const std::string& id) {
  ports::GenerationInfo info;
  info.id = core::GenerationId(id);
  info.document_encoder = {.model = "some-model", .weights_hash = std::string(64, 'b'), .precision = "int8",
                           .dimension = 8, .max_tokens = 512};
  info.text_format = "product_text_v1";
  info.currency = "EUR";
  info.price_scale = 590.5;
  info.created_at = "2026-03-01T12:00:00.123Z";
  return info;
}

struct IndexedVectors {
  std::size_t dimension = 0;
  std::vector<catalog::ArticleId> ids;  // ascending: row r is article ids[r]
  std::vector<float> values;            // row-major, unit length

  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return std::span(values).subspan(index * dimension, dimension);
  }
};

inline std::vector<float> random_unit_vector(std::mt19937& random, std::size_t dimension) {
  std::normal_distribution<double> normal;
  std::vector<double> raw(dimension);
  double sum = 0;
  for (double& value : raw) {
    value = normal(random);
    sum += value * value;
  }
  std::vector<float> vector;
  for (const double value : raw) vector.push_back(static_cast<float>(value / std::sqrt(sum)));
  return vector;
}

inline IndexedVectors random_vectors(std::size_t rows, std::size_t dimension, unsigned seed) {
  std::mt19937 random(seed);
  IndexedVectors vectors{.dimension = dimension, .ids = {}, .values = {}};
  for (std::size_t row = 0; row < rows; ++row) {
    vectors.ids.push_back(*catalog::ArticleId::parse(std::to_string(1000 + row * 3)));
    const auto vector = random_unit_vector(random, dimension);
    vectors.values.insert(vectors.values.end(), vector.begin(), vector.end());
  }
  return vectors;
}

}  // namespace scalestyle::support
