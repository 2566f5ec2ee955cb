#include "catalog/changed_articles.hpp"

#include <utility>
#include <vector>

namespace scalestyle::catalog {

std::optional<Article> ChangedArticles::find(const ArticleId& id) const {
  const auto entry = entries_.find(id);
  if (entry != entries_.end() && entry->second.removed) return std::nullopt;
  if (entry != entries_.end() && entry->second.article) return *entry->second.article;
  const auto row = base_->find(id);
  if (!row) return std::nullopt;
  Article article = base_->row(*row).to_article();
  if (entry != entries_.end()) {
    article.price = entry->second.price;
    article.available = entry->second.available;
  }
  return article;
}

core::Result<std::optional<Article>> ChangedArticles::after(const ArticleChange& change,
                                                            const std::optional<Article>& before) const {
  CORE_TRY(auto article, apply_change(change, before));
  if (article && !before) {
    if (const auto row = base_->find(change.id)) {
      article->image_path = base_->row(*row).image_path();
      article->purchase_count = base_->row(*row).purchase_count();
    }
  }
  return article;
}

void ChangedArticles::set(const ArticleId& id, const std::optional<Article>& now, std::int64_t sequence) {
  Entry entry{.sequence = sequence, .removed = !now};
  if (now) {
    entry.price = now->price;
    entry.available = now->available;
    const auto row = base_->find(id);
    if (!row || !same_texts(*now, base_->row(*row).to_article())) entry.article = std::make_shared<const Article>(*now);
  }
  entries_.insert_or_assign(id, std::move(entry));
}

core::Status ChangedArticles::apply(const ArticleChange& change, std::int64_t sequence) {
  CORE_TRY(const auto now, after(change, find(change.id)));
  set(change.id, now, sequence);
  return {};
}

core::Result<Catalog> ChangedArticles::build(const Catalog& base, const Entries& entries) {
  Bitmap replaced(base.size());
  std::vector<Catalog::RowState> states;
  for (const auto& [id, entry] : entries) {
    const auto row = base.find(id);
    if (!row) continue;
    if (entry.removed || entry.article) replaced.set(*row);
    else states.push_back({.row = *row, .price = entry.price, .available = entry.available});
  }
  CatalogBuilder builder;
  CORE_CHECK(builder.add_rows(states.empty() ? base : base.with_states(states), replaced));
  for (const auto& [id, entry] : entries) {
    if (entry.article && !entry.removed) CORE_CHECK(builder.add(*entry.article));
  }
  return std::move(builder).build();
}

}  // namespace scalestyle::catalog
