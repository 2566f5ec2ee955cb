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
  [[nodiscard]] std::size_t size() const { return fixed_->name_codes.size(); }

  // `index` must be below size().
  [[nodiscard]] ArticleView row(RowIndex index) const;

  // The row of a canonical id; nothing when there is none. Takes canonical text (ArticleId::text()).
  [[nodiscard]] std::optional<RowIndex> find(std::string_view canonical_id) const;
  [[nodiscard]] std::optional<RowIndex> find(const ArticleId& id) const { return find(std::string_view(id.text())); }

  // The same, also of an article that was removed since.
  [[nodiscard]] std::optional<RowIndex> find_place(std::string_view canonical_id) const;

  // Dictionary access, for facets and filters: codes are dense and ordered as their texts are by bytes.
  [[nodiscard]] std::span<const std::uint32_t> codes(Attribute attribute) const;
  [[nodiscard]] std::size_t value_count(Attribute attribute) const;
  [[nodiscard]] std::string_view value_of(Attribute attribute, std::uint32_t code) const;

  // Names and descriptions are kept once a distinct text too; these codes are dense, in no particular order.
  [[nodiscard]] std::span<const std::uint32_t> name_codes() const { return fixed_->name_codes; }
  [[nodiscard]] std::size_t name_count() const { return fixed_->names.size(); }
  [[nodiscard]] std::string_view name_of(std::uint32_t code) const { return fixed_->names[code]; }
  [[nodiscard]] std::span<const std::uint32_t> description_codes() const { return fixed_->description_codes; }
  [[nodiscard]] std::size_t description_count() const { return fixed_->descriptions.size(); }
  [[nodiscard]] std::string_view description_of(std::uint32_t code) const { return fixed_->descriptions[code]; }

  // The codes whose values equal `value` as filters compare (several may, when they differ only in case).
  [[nodiscard]] std::vector<std::uint32_t> matching_codes(FilterField field, std::string_view value) const;
  [[nodiscard]] const ValueRows& rows_by_value(FilterField field) const;

  // Products: the rows that share a product code, numbered 0 … product_count()-1 in order of their first row.
  [[nodiscard]] std::size_t product_count() const { return fixed_->product_codes.size(); }
  [[nodiscard]] std::uint32_t product_of(RowIndex index) const { return fixed_->product_of[index.value]; }
  [[nodiscard]] std::string_view product_code_of(std::uint32_t product) const { return fixed_->product_codes[product]; }
  [[nodiscard]] std::span<const RowIndex> rows_of_product(std::uint32_t product) const;

  // A hash of all ids and products in their order: catalogues of equal numbering() number rows and products alike.
  [[nodiscard]] std::uint64_t numbering() const { return fixed_->numbering; }

  // Price of every row; NaN stands for "no price" in this column alone.
  [[nodiscard]] std::span<const double> prices() const { return prices_; }
  // Removed rows are not available.
  [[nodiscard]] const Bitmap& available() const { return available_; }
  [[nodiscard]] std::size_t available_count() const { return available_count_; }

  // Rows whose article was removed since the catalogue was built: they keep their place, find() does not give them.
  [[nodiscard]] bool is_removed(RowIndex index) const { return removed_.size() != 0 && removed_.test(index); }
  [[nodiscard]] std::size_t article_count() const { return size() - removed_count_; }

  // The same rows with other states of some of them; prices are finite and at least 0. Shares everything else with this
  // catalogue, so it costs a copy of two columns (a millisecond for 10⁵ rows); codes, rows and views stay what they are.
  struct RowState {
    RowIndex row{};
    std::optional<double> price{};
    bool available = true;
    bool removed = false;
  };
  [[nodiscard]] Catalog with_states(std::span<const RowState> states) const;

  // Heap bytes held, within a few per cent, shared ones included.
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
  void build_numbering();
  void build_filters();
  [[nodiscard]] std::string_view id_text(std::size_t row) const {
    return std::string_view(fixed_->ids).substr(fixed_->id_offsets[row], fixed_->id_offsets[row + 1] - fixed_->id_offsets[row]);
  }

  // Everything but prices and availability: shared by all catalogues that with_states() made of one another, and not
  // changed once it is built.
  struct Fixed {
    std::string ids;  // concatenated in row order
    std::vector<std::uint32_t> id_offsets{0};
    std::vector<std::uint32_t> id_slots;  // open addressing over ids; row + 1, 0 is free

    StringPool names;
    StringPool descriptions;
    StringPool image_paths;
    std::vector<std::uint32_t> name_codes;
    std::vector<std::uint32_t> description_codes;
    std::vector<std::uint32_t> image_path_codes;

    std::array<StringPool, kAttributeCount> dictionaries;
    std::array<std::vector<std::uint32_t>, kAttributeCount> attribute_codes;
    std::array<ValueRows, kFilterFieldCount> value_rows;
    std::array<FoldedValues, kFilterFieldCount> folded;

    StringPool product_codes;
    std::vector<std::uint32_t> product_of;
    std::vector<std::uint32_t> product_begin;
    std::vector<RowIndex> product_rows;
    std::uint64_t numbering = 0;
    std::vector<std::uint64_t> purchase_counts;
  };
  std::shared_ptr<Fixed> fixed_ = std::make_shared<Fixed>();

  std::vector<double> prices_;
  Bitmap available_;
  Bitmap removed_;  // of size 0 while no row is
  std::size_t available_count_ = 0;
  std::size_t removed_count_ = 0;
};

// One row, read lazily. Cheap to copy; valid while its Catalog lives.
class ArticleView {
 public:
  [[nodiscard]] RowIndex row() const { return row_; }
  [[nodiscard]] std::string_view id() const { return catalog_->id_text(row_.value); }
  [[nodiscard]] std::string_view product_code() const {
    return catalog_->fixed_->product_codes[catalog_->fixed_->product_of[row_.value]];
  }
  [[nodiscard]] std::string_view name() const { return catalog_->fixed_->names[catalog_->fixed_->name_codes[row_.value]]; }
  [[nodiscard]] std::string_view description() const {
    return catalog_->fixed_->descriptions[catalog_->fixed_->description_codes[row_.value]];
  }
  [[nodiscard]] std::string_view operator[](Attribute attribute) const {
    const auto column = static_cast<std::size_t>(attribute);
    return catalog_->fixed_->dictionaries[column][catalog_->fixed_->attribute_codes[column][row_.value]];
  }
  [[nodiscard]] std::string_view product_type() const { return (*this)[Attribute::kProductType]; }
  [[nodiscard]] std::string_view colour() const { return (*this)[Attribute::kColour]; }
  [[nodiscard]] std::string_view department() const { return (*this)[Attribute::kDepartment]; }
  [[nodiscard]] std::string_view image_path() const {  // empty without a picture
    return catalog_->fixed_->image_paths[catalog_->fixed_->image_path_codes[row_.value]];
  }
  [[nodiscard]] std::optional<double> price() const;
  [[nodiscard]] std::uint64_t purchase_count() const { return catalog_->fixed_->purchase_counts[row_.value]; }
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

  // Adds the rows of another catalogue but those in `without` (of its size) and those removed: as add() of each, at a
  // fraction of the cost. Errors: kResourceExhausted, as add().
  [[nodiscard]] core::Status add_rows(const Catalog& from, const Bitmap& without);

  [[nodiscard]] std::size_t size() const;

  // kAlreadyExists, naming the id, when two articles share one. An empty catalogue is valid.
  [[nodiscard]] core::Result<Catalog> build() &&;

 private:
  struct Pending;
  std::unique_ptr<Pending> pending_;
};

}  // namespace scalestyle::catalog
