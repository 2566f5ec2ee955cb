#include "catalog/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>

namespace scalestyle::catalog {

ArticleView Catalog::row(RowIndex index) const { return {this, index}; }

std::optional<RowIndex> Catalog::find(std::string_view canonical_id) const {
  if (id_slots_.empty()) return std::nullopt;
  const std::size_t mask = id_slots_.size() - 1;
  for (std::size_t slot = std::hash<std::string_view>{}(canonical_id)&mask; id_slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::uint32_t candidate = id_slots_[slot] - 1;
    if (id_text(candidate) == canonical_id) return RowIndex{candidate};
  }
  return std::nullopt;
}

std::span<const std::uint32_t> Catalog::codes(Attribute attribute) const {
  return attribute_codes_[static_cast<std::size_t>(attribute)];
}

std::size_t Catalog::value_count(Attribute attribute) const {
  return dictionaries_[static_cast<std::size_t>(attribute)].size();
}

std::string_view Catalog::value_of(Attribute attribute, std::uint32_t code) const {
  return dictionaries_[static_cast<std::size_t>(attribute)][code];
}

std::vector<std::uint32_t> Catalog::matching_codes(FilterField field, std::string_view value) const {
  const auto& sorted = folded_[static_cast<std::size_t>(field)].sorted;
  const std::string folded = fold_value(value);
  std::vector<std::uint32_t> codes;
  auto found = std::lower_bound(sorted.begin(), sorted.end(), folded,
                                [](const auto& entry, const std::string& key) { return entry.first < key; });
  for (; found != sorted.end() && found->first == folded; ++found) codes.push_back(found->second);
  return codes;
}

const ValueRows& Catalog::rows_by_value(FilterField field) const { return value_rows_[static_cast<std::size_t>(field)]; }

std::span<const RowIndex> Catalog::rows_of_product(std::uint32_t product) const {
  return std::span(product_rows_).subspan(product_begin_[product], product_begin_[product + 1] - product_begin_[product]);
}

std::size_t Catalog::memory_bytes() const {
  const auto of = [](const auto& vector) { return vector.capacity() * sizeof(vector[0]); };
  std::size_t bytes = ids_.capacity() + of(id_offsets_) + of(id_slots_) + names_.memory_bytes() +
                      descriptions_.memory_bytes() + image_paths_.memory_bytes() + of(name_codes_) +
                      of(description_codes_) + of(image_path_codes_) + product_codes_.memory_bytes() + of(product_of_) +
                      of(product_begin_) + of(product_rows_) + of(prices_) + of(purchase_counts_) +
                      available_.memory_bytes();
  for (std::size_t i = 0; i < kAttributeCount; ++i) bytes += dictionaries_[i].memory_bytes() + of(attribute_codes_[i]);
  for (std::size_t i = 0; i < kFilterFieldCount; ++i) {
    bytes += value_rows_[i].memory_bytes() + of(folded_[i].sorted);
    for (const auto& [text, code] : folded_[i].sorted) bytes += text.capacity() > 15 ? text.capacity() + 1 : 0;
  }
  return bytes;
}

void Catalog::build_lookup() {
  std::size_t slots = 16;
  while (slots < 2 * size()) slots *= 2;
  id_slots_.assign(slots, 0);
  for (std::size_t row = 0; row < size(); ++row) {
    std::size_t slot = std::hash<std::string_view>{}(id_text(row)) & (slots - 1);
    while (id_slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    id_slots_[slot] = static_cast<std::uint32_t>(row + 1);
  }
}

void Catalog::build_products() {
  // product_of_ holds codes in order of input; renumber them in order of rows.
  StringPool codes;
  for (std::uint32_t& product : product_of_) product = codes.intern(product_codes_[product]);
  codes.freeze();
  product_codes_ = std::move(codes);
  product_begin_.assign(product_codes_.size() + 1, 0);
  for (const std::uint32_t product : product_of_) ++product_begin_[product + 1];
  std::partial_sum(product_begin_.begin(), product_begin_.end(), product_begin_.begin());
  product_rows_.resize(size());
  std::vector<std::uint32_t> next(product_begin_.begin(), product_begin_.end() - 1);
  for (std::size_t row = 0; row < size(); ++row) {
    product_rows_[next[product_of_[row]]++] = RowIndex{static_cast<std::uint32_t>(row)};
  }
}

void Catalog::build_filters() {
  for (const FilterField field : all_filter_fields()) {
    const auto index = static_cast<std::size_t>(field);
    const Attribute attribute = attribute_of(field);
    value_rows_[index] = ValueRows(codes(attribute), value_count(attribute));
    auto& sorted = folded_[index].sorted;
    for (std::uint32_t code = 0; code < value_count(attribute); ++code) {
      sorted.emplace_back(fold_value(value_of(attribute, code)), code);
    }
    std::sort(sorted.begin(), sorted.end());
    sorted.shrink_to_fit();
  }
}

std::optional<double> ArticleView::price() const {
  const double price = catalog_->prices_[row_.value];
  if (std::isnan(price)) return std::nullopt;
  return price;
}

Article ArticleView::to_article() const {
  // Ids of a catalogue came from ArticleId::parse, which leaves canonical text as it is.
  Article article{.id = ArticleId::parse(id()).value(),
                  .product_code = std::string(product_code()),
                  .name = std::string(name()),
                  .description = std::string(description())};
  for (const Attribute attribute : all_attributes()) article[attribute] = std::string((*this)[attribute]);
  article.price = price();
  article.purchase_count = purchase_count();
  article.image_path = std::string(image_path());
  article.available = available();
  return article;
}

// The columns of the catalogue to be, in order of input.
struct CatalogBuilder::Pending {
  Catalog catalog;
  std::vector<std::uint8_t> available;

  // The rows in order of their ids, or the id that occurs twice.
  core::Result<std::vector<std::uint32_t>> sorted_rows() const;
  void reorder(const std::vector<std::uint32_t>& order);
};

CatalogBuilder::CatalogBuilder() : pending_(new Pending{Catalog(), {}}) {}
CatalogBuilder::~CatalogBuilder() = default;
CatalogBuilder::CatalogBuilder(CatalogBuilder&&) noexcept = default;
CatalogBuilder& CatalogBuilder::operator=(CatalogBuilder&&) noexcept = default;

std::size_t CatalogBuilder::size() const { return pending_->catalog.size(); }

core::Status CatalogBuilder::add(const Article& article) {
  Catalog& catalog = pending_->catalog;
  const std::string& id = article.id.text();
  if (article.price && (!std::isfinite(*article.price) || *article.price < 0)) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("article {}: the price {} is not a finite number of at least 0", id, *article.price),
                      "price");
  }
  if (catalog.size() >= std::numeric_limits<std::uint32_t>::max() - 1 ||
      catalog.ids_.size() + id.size() > std::numeric_limits<std::uint32_t>::max()) {
    return core::fail(core::ErrorCode::kResourceExhausted, "a catalogue holds at most 2^32-2 articles and 4 GiB of ids");
  }
  catalog.ids_ += id;
  catalog.id_offsets_.push_back(static_cast<std::uint32_t>(catalog.ids_.size()));
  catalog.name_codes_.push_back(catalog.names_.intern(article.name));
  catalog.description_codes_.push_back(catalog.descriptions_.intern(article.description));
  catalog.image_path_codes_.push_back(catalog.image_paths_.intern(article.image_path));
  for (std::size_t i = 0; i < kAttributeCount; ++i) {
    catalog.attribute_codes_[i].push_back(catalog.dictionaries_[i].intern(article.attributes[i]));
  }
  catalog.product_of_.push_back(catalog.product_codes_.intern(article.product_code.empty() ? id : article.product_code));
  catalog.prices_.push_back(article.price.value_or(std::numeric_limits<double>::quiet_NaN()));
  catalog.purchase_counts_.push_back(article.purchase_count);
  pending_->available.push_back(article.available ? 1 : 0);
  return {};
}

core::Result<std::vector<std::uint32_t>> CatalogBuilder::Pending::sorted_rows() const {
  std::vector<std::uint32_t> order(catalog.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [this](std::uint32_t a, std::uint32_t b) { return catalog.id_text(a) < catalog.id_text(b); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (catalog.id_text(order[i - 1]) != catalog.id_text(order[i])) continue;
    return core::fail(core::ErrorCode::kAlreadyExists,
                      fmt::format("the article id {} occurs twice", catalog.id_text(order[i])), "article_id");
  }
  return order;
}

namespace {

template <class T>
void permute(std::vector<T>& column, const std::vector<std::uint32_t>& order) {
  std::vector<T> moved;
  moved.reserve(column.size());
  for (const std::uint32_t row : order) moved.push_back(column[row]);
  column = std::move(moved);
}

// Renumbers the codes so that they are ordered as their texts.
void sort_dictionary(StringPool& pool, std::vector<std::uint32_t>& codes) {
  std::vector<std::uint32_t> by_text(pool.size());
  std::iota(by_text.begin(), by_text.end(), 0U);
  std::sort(by_text.begin(), by_text.end(), [&](std::uint32_t a, std::uint32_t b) { return pool[a] < pool[b]; });
  StringPool sorted;
  std::vector<std::uint32_t> new_code(pool.size());
  for (const std::uint32_t code : by_text) new_code[code] = sorted.intern(pool[code]);
  sorted.freeze();
  pool = std::move(sorted);
  for (std::uint32_t& code : codes) code = new_code[code];
}

}  // namespace

void CatalogBuilder::Pending::reorder(const std::vector<std::uint32_t>& order) {
  std::string ids;
  ids.reserve(catalog.ids_.size());
  std::vector<std::uint32_t> offsets;
  offsets.reserve(order.size() + 1);
  offsets.push_back(0);
  for (const std::uint32_t row : order) {
    ids += catalog.id_text(row);
    offsets.push_back(static_cast<std::uint32_t>(ids.size()));
  }
  catalog.ids_ = std::move(ids);
  catalog.id_offsets_ = std::move(offsets);
  for (auto* column : {&catalog.name_codes_, &catalog.description_codes_, &catalog.image_path_codes_, &catalog.product_of_}) {
    permute(*column, order);
  }
  for (std::size_t i = 0; i < kAttributeCount; ++i) {
    permute(catalog.attribute_codes_[i], order);
    sort_dictionary(catalog.dictionaries_[i], catalog.attribute_codes_[i]);
  }
  permute(catalog.prices_, order);
  permute(catalog.purchase_counts_, order);
  catalog.available_ = Bitmap(order.size());
  for (std::size_t row = 0; row < order.size(); ++row) {
    if (available[order[row]] != 0) catalog.available_.set(RowIndex{static_cast<std::uint32_t>(row)});
  }
}

core::Result<Catalog> CatalogBuilder::build() && {
  CORE_TRY(const std::vector<std::uint32_t> order, pending_->sorted_rows());
  pending_->reorder(order);
  Catalog catalog = std::move(pending_->catalog);
  pending_.reset();
  catalog.names_.freeze();
  catalog.descriptions_.freeze();
  catalog.image_paths_.freeze();
  catalog.build_lookup();
  catalog.build_products();
  catalog.build_filters();
  return catalog;
}

}  // namespace scalestyle::catalog
