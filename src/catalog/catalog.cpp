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
  const auto place = find_place(canonical_id);
  return place && is_removed(*place) ? std::nullopt : place;
}

std::optional<RowIndex> Catalog::find_place(std::string_view canonical_id) const {
  const auto& slots = fixed_->id_slots;
  if (slots.empty()) return std::nullopt;
  const std::size_t mask = slots.size() - 1;
  for (std::size_t slot = std::hash<std::string_view>{}(canonical_id)&mask; slots[slot] != 0; slot = (slot + 1) & mask) {
    const std::uint32_t candidate = slots[slot] - 1;
    if (id_text(candidate) == canonical_id) return RowIndex{candidate};
  }
  return std::nullopt;
}

std::span<const std::uint32_t> Catalog::codes(Attribute attribute) const {
  return fixed_->attribute_codes[static_cast<std::size_t>(attribute)];
}

std::size_t Catalog::value_count(Attribute attribute) const {
  return fixed_->dictionaries[static_cast<std::size_t>(attribute)].size();
}

std::string_view Catalog::value_of(Attribute attribute, std::uint32_t code) const {
  return fixed_->dictionaries[static_cast<std::size_t>(attribute)][code];
}

std::vector<std::uint32_t> Catalog::matching_codes(FilterField field, std::string_view value) const {
  const auto& sorted = fixed_->folded[static_cast<std::size_t>(field)].sorted;
  const std::string folded = fold_value(value);
  std::vector<std::uint32_t> codes;
  auto found = std::lower_bound(sorted.begin(), sorted.end(), folded,
                                [](const auto& entry, const std::string& key) { return entry.first < key; });
  for (; found != sorted.end() && found->first == folded; ++found) codes.push_back(found->second);
  return codes;
}

const ValueRows& Catalog::rows_by_value(FilterField field) const { return fixed_->value_rows[static_cast<std::size_t>(field)]; }

std::span<const RowIndex> Catalog::rows_of_product(std::uint32_t product) const {
  const auto& begin = fixed_->product_begin;
  return std::span(fixed_->product_rows).subspan(begin[product], begin[product + 1] - begin[product]);
}

std::size_t Catalog::memory_bytes() const {
  const Fixed& fixed = *fixed_;
  const auto of = [](const auto& vector) { return vector.capacity() * sizeof(vector[0]); };
  std::size_t bytes = fixed.ids.capacity() + of(fixed.id_offsets) + of(fixed.id_slots) + fixed.names.memory_bytes() +
                      fixed.descriptions.memory_bytes() + fixed.image_paths.memory_bytes() + of(fixed.name_codes) +
                      of(fixed.description_codes) + of(fixed.image_path_codes) + fixed.product_codes.memory_bytes() +
                      of(fixed.product_of) + of(fixed.product_begin) + of(fixed.product_rows) + of(prices_) +
                      of(fixed.purchase_counts) +
                      available_.memory_bytes() + removed_.memory_bytes();
  for (std::size_t i = 0; i < kAttributeCount; ++i) bytes += fixed.dictionaries[i].memory_bytes() + of(fixed.attribute_codes[i]);
  for (std::size_t i = 0; i < kFilterFieldCount; ++i) {
    bytes += fixed.value_rows[i].memory_bytes() + of(fixed.folded[i].sorted);
    for (const auto& [text, code] : fixed.folded[i].sorted) bytes += text.capacity() > 15 ? text.capacity() + 1 : 0;
  }
  return bytes;
}

Catalog Catalog::with_states(std::span<const RowState> states) const {
  Catalog changed = *this;
  for (const RowState& state : states) {
    changed.prices_[state.row.value] = state.price.value_or(std::numeric_limits<double>::quiet_NaN());
    if (state.available && !state.removed) changed.available_.set(state.row);
    else changed.available_.reset(state.row);
    if (changed.removed_.size() == 0) {
      if (!state.removed) continue;
      changed.removed_ = Bitmap(size());
    }
    if (state.removed) changed.removed_.set(state.row);
    else changed.removed_.reset(state.row);
  }
  changed.available_count_ = changed.available_.count();
  changed.removed_count_ = changed.removed_.count();
  return changed;
}

void Catalog::build_lookup() {
  std::size_t slots = 16;
  while (slots < 2 * size()) slots *= 2;
  fixed_->id_slots.assign(slots, 0);
  for (std::size_t row = 0; row < size(); ++row) {
    std::size_t slot = std::hash<std::string_view>{}(id_text(row)) & (slots - 1);
    while (fixed_->id_slots[slot] != 0) slot = (slot + 1) & (slots - 1);
    fixed_->id_slots[slot] = static_cast<std::uint32_t>(row + 1);
  }
}

void Catalog::build_products() {
  // fixed_->product_of holds codes in order of input; renumber them in order of rows.
  StringPool codes;
  for (std::uint32_t& product : fixed_->product_of) product = codes.intern(fixed_->product_codes[product]);
  codes.freeze();
  fixed_->product_codes = std::move(codes);
  fixed_->product_begin.assign(fixed_->product_codes.size() + 1, 0);
  for (const std::uint32_t product : fixed_->product_of) ++fixed_->product_begin[product + 1];
  std::partial_sum(fixed_->product_begin.begin(), fixed_->product_begin.end(), fixed_->product_begin.begin());
  fixed_->product_rows.resize(size());
  std::vector<std::uint32_t> next(fixed_->product_begin.begin(), fixed_->product_begin.end() - 1);
  for (std::size_t row = 0; row < size(); ++row) {
    fixed_->product_rows[next[fixed_->product_of[row]]++] = RowIndex{static_cast<std::uint32_t>(row)};
  }
}

void Catalog::build_numbering() {
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  const auto add = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3; };
  for (std::size_t row = 0; row < size(); ++row) {
    for (const char c : id_text(row)) add(static_cast<unsigned char>(c));
    add(0x100U + std::uint64_t{fixed_->product_of[row]});
  }
  fixed_->numbering = hash;
}

void Catalog::build_filters() {
  for (const FilterField field : all_filter_fields()) {
    const auto index = static_cast<std::size_t>(field);
    const Attribute attribute = attribute_of(field);
    fixed_->value_rows[index] = ValueRows(codes(attribute), value_count(attribute));
    auto& sorted = fixed_->folded[index].sorted;
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

namespace {

std::unexpected<core::Error> too_large() {
  return core::fail(core::ErrorCode::kResourceExhausted, "a catalogue holds at most 2^32-2 articles and 4 GiB of ids");
}

}  // namespace

CatalogBuilder::CatalogBuilder() : pending_(new Pending{Catalog(), {}}) {}
CatalogBuilder::~CatalogBuilder() = default;
CatalogBuilder::CatalogBuilder(CatalogBuilder&&) noexcept = default;
CatalogBuilder& CatalogBuilder::operator=(CatalogBuilder&&) noexcept = default;

std::size_t CatalogBuilder::size() const { return pending_->catalog.size(); }

core::Status CatalogBuilder::add(const Article& article) {
  Catalog& catalog = pending_->catalog;
  Catalog::Fixed& fixed = *catalog.fixed_;
  const std::string& id = article.id.text();
  if (article.price && (!std::isfinite(*article.price) || *article.price < 0)) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("article {}: the price {} is not a finite number of at least 0", id, *article.price),
                      "price");
  }
  if (catalog.size() >= std::numeric_limits<std::uint32_t>::max() - 1 ||
      fixed.ids.size() + id.size() > std::numeric_limits<std::uint32_t>::max()) {
    return too_large();
  }
  fixed.ids += id;
  fixed.id_offsets.push_back(static_cast<std::uint32_t>(fixed.ids.size()));
  fixed.name_codes.push_back(fixed.names.intern(article.name));
  fixed.description_codes.push_back(fixed.descriptions.intern(article.description));
  fixed.image_path_codes.push_back(fixed.image_paths.intern(article.image_path));
  for (std::size_t i = 0; i < kAttributeCount; ++i) {
    fixed.attribute_codes[i].push_back(fixed.dictionaries[i].intern(article.attributes[i]));
  }
  fixed.product_of.push_back(fixed.product_codes.intern(article.product_code.empty() ? id : article.product_code));
  catalog.prices_.push_back(article.price.value_or(std::numeric_limits<double>::quiet_NaN()));
  fixed.purchase_counts.push_back(article.purchase_count);
  pending_->available.push_back(article.available ? 1 : 0);
  return {};
}

namespace {

constexpr std::uint32_t kNoCode = std::numeric_limits<std::uint32_t>::max();

// Appends the codes of `rows` as codes of `pool`, which takes in the values that they have.
void append_column(std::span<const std::uint32_t> codes, const StringPool& values, std::span<const std::uint32_t> rows,
                   StringPool& pool, std::vector<std::uint32_t>& column) {
  std::vector<std::uint32_t> new_code(values.size(), kNoCode);
  column.reserve(column.size() + rows.size());
  for (const std::uint32_t row : rows) {
    std::uint32_t& code = new_code[codes[row]];
    if (code == kNoCode) code = pool.intern(values[codes[row]]);
    column.push_back(code);
  }
}

}  // namespace

core::Status CatalogBuilder::add_rows(const Catalog& from, const Bitmap& without) {
  Catalog& catalog = pending_->catalog;
  const Catalog::Fixed& source = *from.fixed_;
  Catalog::Fixed& target = *catalog.fixed_;
  std::vector<std::uint32_t> rows;
  rows.reserve(from.size());
  for (std::uint32_t row = 0; row < from.size(); ++row) {
    if (!without.test(RowIndex{row}) && !from.is_removed(RowIndex{row})) rows.push_back(row);
  }
  if (catalog.size() + rows.size() >= std::numeric_limits<std::uint32_t>::max() - 1 ||
      target.ids.size() + source.ids.size() > std::numeric_limits<std::uint32_t>::max()) {
    return too_large();
  }
  for (const std::uint32_t row : rows) {
    target.ids += from.id_text(row);
    target.id_offsets.push_back(static_cast<std::uint32_t>(target.ids.size()));
    catalog.prices_.push_back(from.prices_[row]);
    target.purchase_counts.push_back(source.purchase_counts[row]);
    pending_->available.push_back(from.available_.test(RowIndex{row}) ? 1 : 0);
  }
  append_column(source.name_codes, source.names, rows, target.names, target.name_codes);
  append_column(source.description_codes, source.descriptions, rows, target.descriptions, target.description_codes);
  append_column(source.image_path_codes, source.image_paths, rows, target.image_paths, target.image_path_codes);
  append_column(source.product_of, source.product_codes, rows, target.product_codes, target.product_of);
  for (std::size_t i = 0; i < kAttributeCount; ++i) {
    append_column(source.attribute_codes[i], source.dictionaries[i], rows, target.dictionaries[i], target.attribute_codes[i]);
  }
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
  Catalog::Fixed& fixed = *catalog.fixed_;
  std::string ids;
  ids.reserve(fixed.ids.size());
  std::vector<std::uint32_t> offsets;
  offsets.reserve(order.size() + 1);
  offsets.push_back(0);
  for (const std::uint32_t row : order) {
    ids += catalog.id_text(row);
    offsets.push_back(static_cast<std::uint32_t>(ids.size()));
  }
  fixed.ids = std::move(ids);
  fixed.id_offsets = std::move(offsets);
  for (auto* column : {&fixed.name_codes, &fixed.description_codes, &fixed.image_path_codes, &fixed.product_of}) {
    permute(*column, order);
  }
  for (std::size_t i = 0; i < kAttributeCount; ++i) {
    permute(fixed.attribute_codes[i], order);
    sort_dictionary(fixed.dictionaries[i], fixed.attribute_codes[i]);
  }
  permute(catalog.prices_, order);
  permute(fixed.purchase_counts, order);
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
  catalog.fixed_->names.freeze();
  catalog.fixed_->descriptions.freeze();
  catalog.fixed_->image_paths.freeze();
  catalog.available_count_ = catalog.available_.count();
  catalog.build_lookup();
  catalog.build_products();
  catalog.build_numbering();
  catalog.build_filters();
  return catalog;
}

}  // namespace scalestyle::catalog
