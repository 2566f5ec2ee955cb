#include "search/live_state.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "ranking/item_neighbours.hpp"
#include "search/changed_vectors.hpp"

namespace scalestyle::search {

namespace {

// Null when rows and vectors of the catalogue are those of the base.
std::shared_ptr<const ChangedVectors> changed_vectors(const BuildJob& job, const catalog::Catalog& current) {
  const catalog::Catalog& base = *job.base->catalog;
  ChangedVectors changed{retrieval::RowMap(current.size(), base.size()), nullptr,
                         retrieval::SideVectors(job.base->info.document_encoder.dimension),
                         retrieval::RowMap(current.size(), base.size()), nullptr};
  std::size_t same_rows = 0;
  auto side = job.side.begin();
  for (std::uint32_t row = 0; row < current.size(); ++row) {
    const std::string_view id = current.row({row}).id();
    const auto before = base.find(id);
    if (before) changed.to_photos.add(row, before->value);
    while (side != job.side.end() && side->first.text() < id) ++side;
    if (side != job.side.end() && side->first.text() == id) {
      changed.side.add({row}, side->second.values);
    } else if (before) {
      changed.to_index.add(row, before->value);
      if (before->value == row) ++same_rows;
    }
  }
  if (same_rows == base.size() && same_rows == current.size()) return nullptr;
  changed.in_index = std::make_shared<const catalog::Bitmap>(changed.to_index.map_all());
  changed.in_photos = std::make_shared<const catalog::Bitmap>(changed.to_photos.map_all());
  return std::make_shared<const ChangedVectors>(std::move(changed));
}

// What is known of the base's rows, by the rows of `current`. What is new since the ingest has no neighbours yet.
core::Result<std::shared_ptr<const ranking::ItemNeighbours>> neighbours_by_row(const ports::CatalogSnapshot& base,
                                                                               const catalog::Catalog& current) {
  if (base.neighbours == nullptr || base.catalog->numbering() == current.numbering()) return base.neighbours;
  std::vector<std::uint32_t> numbers(base.catalog->size(), ranking::kNoItem);
  for (std::uint32_t row = 0; row < current.size(); ++row) {
    if (const auto before = base.catalog->find_place(current.row({row}).id())) numbers[before->value] = row;
  }
  CORE_TRY(auto renumbered, ranking::renumbered(*base.neighbours, numbers, current.size()));
  return std::make_shared<const ranking::ItemNeighbours>(std::move(renumbered));
}

}  // namespace

core::Status LiveState::consider(std::span<const catalog::ArticleChange> changes, Draft& draft, std::size_t& at) const {
  Draft own;
  for (at = 0; at < changes.size(); ++at) {
    const catalog::ArticleId& id = changes[at].id;
    const auto mine = own.find(id);
    const auto earlier = draft.find(id);
    const auto before = mine != own.end() ? mine->second : earlier != draft.end() ? earlier->second : changed_.find(id);
    CORE_TRY(auto after, changed_.after(changes[at], before));
    own.insert_or_assign(id, std::move(after));
  }
  for (auto& [id, article] : own) draft.insert_or_assign(id, std::move(article));
  return {};
}

std::optional<NewText> LiveState::new_text(const catalog::Article& article) const {
  std::string text = catalog::product_text_v1(article);
  const catalog::Catalog& base = *base_->catalog;
  if (const auto row = base.find(article.id); row && catalog::product_text_v1(base.row(*row).to_article()) == text) {
    return std::nullopt;
  }
  const auto hash = catalog::hash_text(text);
  return NewText{hash, std::move(text)};
}

void LiveState::accept(const catalog::ArticleId& id, const std::optional<catalog::Article>& now, std::int64_t sequence,
                       std::optional<SideVector> vector) {
  changed_.set(id, now, sequence);
  if (vector) side_.insert_or_assign(id, std::move(*vector));
  else side_.erase(id);
  last_sequence_ = std::max(last_sequence_, sequence);
}

LiveState::Gap LiveState::gap(const catalog::Catalog& served, std::span<const catalog::ArticleId> articles) const {
  Gap found;
  for (const catalog::ArticleId& id : articles) {
    const auto now = changed_.find(id);
    const auto row = served.find_place(id.text());
    if (!row) {
      if (now) found.unshown.push_back(id);
      continue;
    }
    const catalog::Article shown = served.row(*row).to_article();
    if (now && !catalog::same_texts(*now, shown)) found.unshown.push_back(id);
    catalog::Catalog::RowState state{.row = *row, .price = shown.price, .available = false, .removed = !now};
    if (now) {
      state.price = now->price;
      state.available = now->available;
    }
    const bool same = state.price == shown.price && state.available == shown.available && state.removed == served.is_removed(*row);
    if (!same) found.states.push_back(state);
  }
  std::ranges::sort(found.states, {}, &catalog::Catalog::RowState::row);
  return found;
}

std::vector<catalog::ArticleId> LiveState::changed_after(std::int64_t sequence) const {
  std::vector<catalog::ArticleId> found;
  for (const auto& [id, entry] : changed_.entries()) {
    if (entry.sequence > sequence) found.push_back(id);
  }
  return found;
}

core::Task<core::Result<ServingGeneration::Parts>> build_live(std::shared_ptr<const BuildJob> job, SnapshotHolder& generations,
                                                              core::Deadline deadline) {
  auto snapshot = std::make_shared<ports::CatalogSnapshot>(*job->base);
  if (!job->entries.empty()) {
    CORE_CO_TRY(auto articles, catalog::ChangedArticles::build(*job->base->catalog, job->entries));
    snapshot->info.articles = articles.size();
    CORE_CO_TRY(snapshot->neighbours, neighbours_by_row(*job->base, articles));
    snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(articles));
  }
  CORE_CO_TRY(auto parts, co_await generations.prepare(snapshot, deadline));
  parts.changed_vectors = changed_vectors(*job, *snapshot->catalog);
  parts.delta = static_cast<std::uint64_t>(job->through);
  co_return parts;
}

ServingGeneration::Parts with_states(ServingGeneration::Parts parts, const std::vector<catalog::Catalog::RowState>& states) {
  if (states.empty()) return parts;
  std::vector<catalog::RowIndex> priced_anew;
  for (const auto& state : states) {
    if (parts.snapshot->catalog->row(state.row).price() != state.price) priced_anew.push_back(state.row);
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>(*parts.snapshot);
  snapshot->catalog = std::make_shared<const catalog::Catalog>(parts.snapshot->catalog->with_states(states));
  if (!priced_anew.empty()) parts.orders = std::make_shared<const BrowseOrders>(*parts.orders, *snapshot->catalog, priced_anew);
  parts.snapshot = std::move(snapshot);
  return parts;
}

}  // namespace scalestyle::search
