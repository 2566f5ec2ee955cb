#pragma once
// A row of a collection: an article as filters see it, and its vector.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/article.hpp"
#include "catalog/article_id.hpp"
#include "catalog/catalog.hpp"
#include "catalog/filters.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::milvus {

struct MilvusRow {
  catalog::ArticleId id;
  std::vector<float> vector{};                                   // of unit length
  std::array<std::string, catalog::kFilterFieldCount> values{};  // folded; empty: none
  std::optional<double> price{};
  bool available = true;

  // About what it takes in a message.
  [[nodiscard]] std::size_t message_bytes() const;
};

[[nodiscard]] MilvusRow row_of(const catalog::ArticleView& article, std::span<const float> vector);
[[nodiscard]] MilvusRow row_of(const catalog::Article& article, std::span<const float> vector);

// kInvalidArgument, naming the article: another dimension, a vector that is not finite, a value that is too long to be kept.
[[nodiscard]] core::Status check_row(const MilvusRow& row, std::size_t dimension);

}  // namespace scalestyle::adapters::milvus
