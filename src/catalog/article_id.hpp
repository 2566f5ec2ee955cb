#pragma once
// The two names of an article: ArticleId, which users and files see, and RowIndex, its place in one generation.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::catalog {

// Canonical text of an article's id. ASCII blanks around it are dropped; an id of digits only is left-padded with
// zeros to ten ("108775015" is "0108775015"), a longer one stays as it is. Any other id of 1–64 visible ASCII bytes
// (0x21–0x7E) stands as written. An id is text everywhere: as a number it would lose its zeros.
// An id may hold '/' or '.', so it is never to be used as a file name unchecked. Immutable; ordered by bytes.
class ArticleId {
 public:
  static constexpr std::size_t kMaxBytes = 64;
  static constexpr std::size_t kNumericDigits = 10;

  // kInvalidArgument, field "article_id", when the text is empty, too long or has a byte that is not visible ASCII.
  [[nodiscard]] static core::Result<ArticleId> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }

  friend bool operator==(const ArticleId&, const ArticleId&) = default;
  friend std::strong_ordering operator<=>(const ArticleId& a, const ArticleId& b) { return a.text_ <=> b.text_; }

 private:
  explicit ArticleId(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

// Dense row of one generation's Catalog, 0 … size()-1 in the order of article ids. Meaningless in any other generation.
struct RowIndex {
  std::uint32_t value = 0;

  friend auto operator<=>(const RowIndex&, const RowIndex&) = default;
};

}  // namespace scalestyle::catalog

template <>
struct std::hash<scalestyle::catalog::ArticleId> {
  std::size_t operator()(const scalestyle::catalog::ArticleId& id) const noexcept {
    return std::hash<std::string>{}(id.text());
  }
};

template <>
struct std::hash<scalestyle::catalog::RowIndex> {
  std::size_t operator()(scalestyle::catalog::RowIndex row) const noexcept {
    return std::hash<std::uint32_t>{}(row.value);
  }
};
