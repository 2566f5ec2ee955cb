#pragma once
// A change of one article, as a shop sends it between two ingests, and what it makes of the article. Plain values.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/article.hpp"
#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

enum class ChangeKind : std::uint8_t {
  kUpsert,  // the article is what the change says: what it leaves out is empty, and available
  kPatch,   // what the change leaves out stays
  kDelete,  // the article is gone; the change says nothing else
};
[[nodiscard]] std::string_view to_string(ChangeKind kind);  // "upsert", "patch", "delete"
[[nodiscard]] std::optional<ChangeKind> change_kind(std::string_view name);

// The columns that a change may set: these, then every Attribute.
enum class ChangeColumn : std::uint8_t { kProductCode, kName, kDescription, kPrice, kAvailable };
inline constexpr std::size_t kChangeColumnCount = 5 + kAttributeCount;

// Pictures and purchases are not in it: an article keeps those that the last ingest gave to its id.
struct ArticleChange {
  ChangeKind kind = ChangeKind::kPatch;
  ArticleId id;
  std::optional<std::string> product_code{};
  std::optional<std::string> name{};
  std::optional<std::string> description{};
  std::array<std::optional<std::string>, kAttributeCount> attributes{};
  bool sets_price = false;
  std::optional<double> price{};  // with sets_price: nothing removes the price
  std::optional<bool> available{};

  [[nodiscard]] std::optional<std::string>& operator[](Attribute attribute) {
    return attributes[static_cast<std::size_t>(attribute)];
  }
  [[nodiscard]] const std::optional<std::string>& operator[](Attribute attribute) const {
    return attributes[static_cast<std::size_t>(attribute)];
  }

  // One bit a column that it sets, ChangeColumn first.
  [[nodiscard]] std::uint32_t columns() const;

  // kInvalidArgument with the column of the articles file as field: a text that is too long (kMaxDescriptionBytes,
  // kMaxFieldBytes), not UTF-8 or holds a zero byte; a price that is negative or not finite; an upsert without a name; a
  // patch that sets nothing; a delete that sets something.
  [[nodiscard]] core::Status validate() const;

  friend bool operator==(const ArticleChange&, const ArticleChange&) = default;
};

// The article after a valid change; nothing when it is gone. `before` is the article now, nothing when there is none.
// kNotFound, field "id", for a patch or delete of an article that there is none of.
[[nodiscard]] core::Result<std::optional<Article>> apply_change(const ArticleChange& change,
                                                                const std::optional<Article>& before);

// Whether two articles differ in anything but price and availability (and what changes do not set).
[[nodiscard]] bool same_texts(const Article& a, const Article& b);

}  // namespace scalestyle::catalog
