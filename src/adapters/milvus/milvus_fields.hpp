#pragma once
// The fields of a collection: what the writer fills, and what filter expressions speak of. No name is a word of Milvus'
// expression language.

#include <array>
#include <cstddef>
#include <string_view>

#include "catalog/filters.hpp"

namespace scalestyle::adapters::milvus {

inline constexpr std::string_view kIdField = "article_id";  // VARCHAR, primary key
inline constexpr std::string_view kVectorField = "vector";  // FLOAT_VECTOR
inline constexpr std::string_view kPriceField = "price";    // DOUBLE; kNoPrice for an article without one
inline constexpr std::string_view kAvailableField = "available";  // BOOL

// Milvus' fields cannot be absent. Prices are never negative.
inline constexpr double kNoPrice = -1;

// VARCHAR: the article's value in the form in which filters compare (catalog::fold_value); empty when it has none.
inline constexpr std::array<std::string_view, catalog::kFilterFieldCount> kValueFields = {
    "filter_colour",     "filter_colour_family", "filter_type",          "filter_group",
    "filter_department", "filter_section",       "filter_garment_group", "filter_index"};
[[nodiscard]] constexpr std::string_view value_field(catalog::FilterField field) {
  return kValueFields[static_cast<std::size_t>(field)];
}

// Folding may lengthen a value of the catalogue's 500 bytes, to three times as much at worst.
inline constexpr std::size_t kMaxValueBytes = 2048;

// Bytes of a filter expression; Milvus' parser takes time that grows with it.
inline constexpr std::size_t kMaxExpressionBytes = std::size_t{64} << 10U;

}  // namespace scalestyle::adapters::milvus
