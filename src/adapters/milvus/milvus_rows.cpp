#include "adapters/milvus/milvus_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adapters/milvus/milvus_fields.hpp"

namespace scalestyle::adapters::milvus {

std::size_t MilvusRow::message_bytes() const {
  constexpr std::size_t kLengthBytes = 3;  // in front of a text
  std::size_t bytes = vector.size() * sizeof(float) + id.text().size() + kLengthBytes + sizeof(double) + 1;
  for (const std::string& value : values) bytes += value.size() + kLengthBytes;
  return bytes;
}

MilvusRow row_of(const catalog::ArticleView& article, std::span<const float> vector) {
  // Ids of a catalogue are canonical: parsing leaves them as they are.
  MilvusRow row{.id = catalog::ArticleId::parse(article.id()).value()};
  row.vector.assign(vector.begin(), vector.end());
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    row.values[static_cast<std::size_t>(field)] = catalog::fold_value(article[catalog::attribute_of(field)]);
  }
  row.price = article.price();
  row.available = article.available();
  return row;
}

MilvusRow row_of(const catalog::Article& article, std::span<const float> vector) {
  MilvusRow row{.id = article.id};
  row.vector.assign(vector.begin(), vector.end());
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    row.values[static_cast<std::size_t>(field)] = catalog::fold_value(article[catalog::attribute_of(field)]);
  }
  row.price = article.price;
  row.available = article.available;
  return row;
}

core::Status check_row(const MilvusRow& row, std::size_t dimension) {
  const auto refuse = [&](const std::string& what) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("article {} {}", row.id.text(), what));
  };
  if (row.vector.size() != dimension) {
    return refuse(fmt::format("has a vector of {} dimensions, the collection of {}", row.vector.size(), dimension));
  }
  if (!std::ranges::all_of(row.vector, [](float value) { return std::isfinite(value); })) {
    return refuse("has a vector that is not finite");
  }
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    const std::size_t bytes = row.values[static_cast<std::size_t>(field)].size();
    if (bytes <= kMaxValueBytes) continue;
    return refuse(
        fmt::format("has a {} of {} bytes, at most {} can be kept", catalog::parameter_name(field), bytes, kMaxValueBytes));
  }
  return {};
}

}  // namespace scalestyle::adapters::milvus
