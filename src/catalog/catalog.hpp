#pragma once
// All articles of one generation in memory, by columns. Immutable once built: safe to read from any thread. Move it to
// its place before taking views. Rows are sorted by article id, so comparing rows compares ids.
// Views and string_views point into the Catalog and live as long as it does.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/article.hpp"
#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/filters.hpp"
#include "catalog/string_pool.hpp"
#include "catalog/value_rows.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

class ArticleView;

class Catalog {
 public:
  [[nodiscard]] std::size_t size() const { return name_codes_.size(); }

  // `index` must be below size().
  [[nodiscard]] ArticleView row(RowIndex index) const;

  // The row of a canonical id; nothing when there is none. Takes canonical text (ArticleId::text()).
  [[nodiscard]] std::optional<RowIndex> find(std::string_view canonical_id) const;
  [[nodiscard]] std::optional<RowIndex> find(const ArticleId& id) const { return find(std::string_view(id.text())); }

  // Dictionary access, for facets and filters: codes are dense and ordered as their texts are by bytes.
  [[nodiscard]] std::span<const std::uint32_t> codes(Attribute attribute) const;
  [[nodiscard]] std::size_t value_count(Attribute attribute) const;
  [[nodiscard]] std::string_view value_of(Attribute attribute, std::uint32_t code) const;

  // Names and descriptions are kept once a distinct text too; these codes are dense, in no particular order.
  [[nodiscard]] std::span<const std::uint32_t> name_codes() const { return name_codes_; }
  [[nodiscard]] std::size_t name_count() const { return names_.size(); }
  [[nodiscard]] std::string_view name_of(std::uint32_t code) const { return names_[code]; }
  [[nodiscard]] std::span<const std::uint32_t> description_codes() const { return description_codes_; }
  [[nodiscard]] std::size_t description_count() const { return descriptions_.size(); }
  [[nodiscard]] std::string_view description_of(std::uint32_t code) const { return descriptions_[code]; }

  // The codes whose values equal `value` as filters compare (several may, when they differ only in case).
  [[nodiscard]] std::vector<std::uint32_t> matching_codes(FilterField field, std::string_view value) const;
  [[nodiscard]] const ValueRows& rows_by_value(FilterField field) const;

  // Products: the rows that share a product code, numbered 0 … product_count()-1 in order of their first row.
  [[nodiscard]] std::size_t product_count() const { return product_codes_.size(); }
  [[nodiscard]] std::uint32_t product_of(RowIndex index) const { return product_of_[index.value]; }
  [[nodiscard]] std::string_view product_code_of(std::uint32_t product) const { return product_codes_[product]; }
  [[nodiscard]] std::span<const RowIndex> rows_of_product(std::uint32_t product) const;

  // Price of every row; NaN stands for "no price" in this column alone.
  [[nodiscard]] std::span<const double> prices() const { return prices_; }
  [[nodiscard]] const Bitmap& available() const { return available_; }

  // Heap bytes held, within a few per cent.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  friend class CatalogBuilder;
  friend class ArticleView;
  struct FoldedValues {  // folded filter values, sorted, with their codes
    std::vector<std::pair<std::string, std::uint32_t>> sorted;
  };

  Catalog() = default;
  void build_lookup();
  void build_products();
  void build_filters();
  [[nodiscard]] std::string_view id_text(std::size_t row) const {
    return std::string_view(ids_).substr(id_offsets_[row], id_offsets_[row + 1] - id_offsets_[row]);
  }

  std::string ids_;  // concatenated in row order
  std::vector<std::uint32_t> id_offsets_{0};
  std::vector<std::uint32_t> id_slots_;  // open addressing over ids; row + 1, 0 is free

  StringPool names_;
  StringPool descriptions_;
  StringPool image_paths_;
  std::vector<std::uint32_t> name_codes_;
  std::vector<std::uint32_t> description_codes_;
  std::vector<std::uint32_t> image_path_codes_;

  std::array<StringPool, kAttributeCount> dictionaries_;
  std::array<std::vector<std::uint32_t>, kAttributeCount> attribute_codes_;
  std::array<ValueRows, kFilterFieldCount> value_rows_;
  std::array<FoldedValues, kFilterFieldCount> folded_;

  StringPool product_codes_;
  std::vector<std::uint32_t> product_of_;
  std::vector<std::uint32_t> product_begin_;
  std::vector<RowIndex> product_rows_;

  std::vector<double> prices_;
  std::vector<std::uint64_t> purchase_counts_;
  Bitmap available_;
};

// One row, read lazily. Cheap to copy; valid while its Catalog lives.
class ArticleView {
 public:
  [[nodiscard]] RowIndex row() const { return row_; }
  [[nodiscard]] std::string_view id() const { return catalog_->id_text(row_.value); }
  [[nodiscard]] std::string_view product_code() const {
    return catalog_->product_codes_[catalog_->product_of_[row_.value]];
  }
  [[nodiscard]] std::string_view name() const { return catalog_->names_[catalog_->name_codes_[row_.value]]; }
  [[nodiscard]] std::string_view description() const {
    return catalog_->descriptions_[catalog_->description_codes_[row_.value]];
  }
  [[nodiscard]] std::string_view operator[](Attribute attribute) const {
    const auto column = static_cast<std::size_t>(attribute);
    return catalog_->dictionaries_[column][catalog_->attribute_codes_[column][row_.value]];
  }
  [[nodiscard]] std::string_view product_type() const { return (*this)[Attribute::kProductType]; }
  [[nodiscard]] std::string_view colour() const { return (*this)[Attribute::kColour]; }
  [[nodiscard]] std::string_view department() const { return (*this)[Attribute::kDepartment]; }
  [[nodiscard]] std::string_view image_path() const {  // empty without a picture
    return catalog_->image_paths_[catalog_->image_path_codes_[row_.value]];
  }
  [[nodiscard]] std::optional<double> price() const;
  [[nodiscard]] std::uint64_t purchase_count() const { return catalog_->purchase_counts_[row_.value]; }
  [[nodiscard]] bool available() const { return catalog_->available_.test(row_); }

  [[nodiscard]] Article to_article() const;

 private:
  friend class Catalog;
  ArticleView(const Catalog* catalog, RowIndex row) : catalog_(catalog), row_(row) {}

  const Catalog* catalog_;
  RowIndex row_;
};

// Collects articles in any order. Not thread-safe; build() uses it up.
class CatalogBuilder {
 public:
  CatalogBuilder();
  ~CatalogBuilder();
  CatalogBuilder(CatalogBuilder&&) noexcept;
  CatalogBuilder& operator=(CatalogBuilder&&) noexcept;

  // Copies what it needs. kInvalidArgument for a price that is negative or not finite; kResourceExhausted beyond
  // 2³²-2 rows or 4 GiB of ids.
  [[nodiscard]] core::Status add(const Article& article);

  [[nodiscard]] std::size_t size() const;

  // kAlreadyExists, naming the id, when two articles share one. An empty catalogue is valid.
  [[nodiscard]] core::Result<Catalog> build() &&;

 private:
  struct Pending;
  std::unique_ptr<Pending> pending_;
};

}  // namespace scalestyle::catalog
