#pragma once
// Catalogues for boards: article number n has the id of ten digits n and purchases as given.

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"
#include "events/event.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::recommend {

inline constexpr events::EpochMs kNowMs = 1'772'366'400'000;  // 2026-03-01T12:00:00Z

inline std::string article_id(std::size_t number) { return fmt::format("{:010}", number); }

// Row r is article number first + r · step.
inline std::shared_ptr<const ports::CatalogSnapshot> make_catalog(const std::vector<std::uint64_t>& purchases,
                                                                  std::size_t first = 1, std::size_t step = 1) {
  catalog::CatalogBuilder builder;
  for (std::size_t row = 0; row < purchases.size(); ++row) {
    const std::string id = article_id(first + row * step);
    catalog::Article article{catalog::ArticleId::parse(id).value(), id.substr(0, 7), "name"};
    article.purchase_count = purchases[row];
    builder.add(article).value();
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->info.id = core::GenerationId(fmt::format("g{}-{}", first, step));
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  return snapshot;
}

inline catalog::Bitmap rows_of(std::size_t size, const std::vector<std::uint32_t>& rows) {
  catalog::Bitmap bitmap(size);
  for (const std::uint32_t row : rows) bitmap.set({row});
  return bitmap;
}

}  // namespace scalestyle::recommend
