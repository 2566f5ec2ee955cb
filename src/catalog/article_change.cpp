#include "catalog/article_change.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "catalog/table_reader.hpp"
#include "text/unicode.hpp"

namespace scalestyle::catalog {

namespace {

constexpr std::array<std::string_view, 3> kKinds{"upsert", "patch", "delete"};

std::unexpected<core::Error> refuse(const ArticleId& id, std::string_view column, std::string_view what) {
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("article {}: {} {}", id.text(), column, what),
                    std::string(column));
}

core::Status check_text(const ArticleId& id, std::string_view column, const std::optional<std::string>& text, std::size_t limit) {
  if (!text) return {};
  if (text->size() > limit) return refuse(id, column, fmt::format("has {} bytes; at most {} are allowed", text->size(), limit));
  if (!text::is_valid_utf8(*text)) return refuse(id, column, "is not valid UTF-8");
  if (text->find('\0') != std::string::npos) return refuse(id, column, "has a zero byte");
  return {};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::string_view to_string(ChangeKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::optional<ChangeKind> change_kind(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) return static_cast<ChangeKind>(i);
  }
  return std::nullopt;
}

std::uint32_t ArticleChange::columns() const {
  std::uint32_t bits = 0;
  unsigned bit = 0;
  for (const bool sets :
       {product_code.has_value(), name.has_value(), description.has_value(), sets_price, available.has_value()}) {
    bits |= (sets ? 1U : 0U) << bit++;
  }
  for (const auto& attribute : attributes) bits |= (attribute ? 1U : 0U) << bit++;
  return bits;
}

core::Status ArticleChange::validate() const {
  CORE_CHECK(check_text(id, "product_code", product_code, kMaxFieldBytes));
  CORE_CHECK(check_text(id, "prod_name", name, kMaxFieldBytes));
  CORE_CHECK(check_text(id, "detail_desc", description, kMaxDescriptionBytes));
  for (const Attribute attribute : all_attributes()) {
    CORE_CHECK(check_text(id, column_name(attribute), (*this)[attribute], kMaxFieldBytes));
  }
  if (price && (!std::isfinite(*price) || *price < 0)) return refuse(id, "price", "is not a finite number of at least 0");
  switch (kind) {
    case ChangeKind::kUpsert:
      if (!name || trim(*name).empty()) return refuse(id, "prod_name", "is required");
      break;
    case ChangeKind::kPatch:
      if (columns() == 0) return refuse(id, "article_id", "has a patch that sets nothing");
      if (name && trim(*name).empty()) return refuse(id, "prod_name", "must not be blank");
      break;
    case ChangeKind::kDelete:
      if (columns() != 0) return refuse(id, "article_id", "is deleted by a change that sets columns");
      break;
  }
  return {};
}

core::Result<std::optional<Article>> apply_change(const ArticleChange& change, const std::optional<Article>& before) {
  if (change.kind != ChangeKind::kUpsert && !before) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("there is no article {}", change.id.text()), "id");
  }
  if (change.kind == ChangeKind::kDelete) return std::optional<Article>();
  Article article{.id = change.id};
  if (change.kind == ChangeKind::kPatch) {
    article = *before;
  } else if (before) {
    article.image_path = before->image_path;
    article.purchase_count = before->purchase_count;
  }
  if (change.product_code) article.product_code = trim(*change.product_code);
  if (article.product_code.empty()) article.product_code = change.id.text();
  if (change.name) article.name = *change.name;
  if (change.description) article.description = *change.description;
  for (const Attribute attribute : all_attributes()) {
    if (const auto& value = change[attribute]) article[attribute] = *value;
  }
  if (change.sets_price) article.price = change.price ? std::optional(*change.price + 0.0) : std::nullopt;  // -0 becomes 0
  if (change.available) article.available = *change.available;
  return std::optional(std::move(article));
}

bool same_texts(const Article& a, const Article& b) {
  return a.product_code == b.product_code && a.name == b.name && a.description == b.description && a.attributes == b.attributes;
}

}  // namespace scalestyle::catalog
