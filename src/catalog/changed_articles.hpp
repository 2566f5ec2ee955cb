#pragma once
// ChangedArticles: a catalogue and what was changed of it since, by article. A change of price or of
// availability alone takes a few bytes; an article whose texts differ from the catalogue's is kept whole.
//
// Not thread-safe. The catalogue is shared and never changed.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "catalog/article_change.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"

namespace scalestyle::catalog {

class ChangedArticles {
 public:
  struct Entry {
    std::int64_t sequence = 0;       // of the last change
    std::optional<double> price{};
    bool available = true;
    bool removed = false;
    std::shared_ptr<const Article> article{};  // with its texts, when they are not those of the catalogue's row
  };
  using Entries = std::map<ArticleId, Entry>;

  // `base` is not null.
  explicit ChangedArticles(std::shared_ptr<const Catalog> base) : base_(std::move(base)) {}

  [[nodiscard]] const std::shared_ptr<const Catalog>& base() const { return base_; }
  [[nodiscard]] const Entries& entries() const { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  // The article as it is now; nothing when there is none.
  [[nodiscard]] std::optional<Article> find(const ArticleId& id) const;

  // The article after a valid change of `before`, with the picture and the purchases of the catalogue's row.
  // Errors: those of apply_change.
  [[nodiscard]] core::Result<std::optional<Article>> after(const ArticleChange& change,
                                                           const std::optional<Article>& before) const;

  // The article is `now` from change `sequence` on; nothing: it is gone.
  void set(const ArticleId& id, const std::optional<Article>& now, std::int64_t sequence);

  // find(), after() and set().
  [[nodiscard]] core::Status apply(const ArticleChange& change, std::int64_t sequence);

  // The catalogue with every entry in its place. About a twentieth of a second for 10⁵ rows.
  [[nodiscard]] core::Result<Catalog> build() const { return build(*base_, entries_); }
  [[nodiscard]] static core::Result<Catalog> build(const Catalog& base, const Entries& entries);

 private:
  std::shared_ptr<const Catalog> base_;
  Entries entries_;
};

}  // namespace scalestyle::catalog
