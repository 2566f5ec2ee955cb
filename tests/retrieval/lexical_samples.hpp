#pragma once
// Small catalogues and a plain scorer for tests of lexical search.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "retrieval/lexical_index.hpp"

namespace scalestyle::retrieval {

struct SampleText {
  std::string id;
  std::string name;
  std::string description{};
  std::string type{};
  std::string code{};
};

inline catalog::Catalog sample_catalog(const std::vector<SampleText>& texts) {
  catalog::CatalogBuilder builder;
  for (const SampleText& text : texts) {
    catalog::Article article{.id = catalog::ArticleId::parse(text.id).value(), .product_code = text.code, .name = text.name,
                             .description = text.description};
    article[catalog::Attribute::kProductType] = text.type;
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

// Words of a small made-up language, frequent ones first, so that terms share rows and forms.
inline catalog::Catalog random_catalog(std::size_t rows, unsigned seed) {
  static const std::vector<std::string> kWords = {
      "black", "dress", "dresses", "shirt", "shirts", "t-shirt", "the", "with", "cotton", "jersey", "soft", "women", "womens",
      "jacket", "jackets", "sweatshirt", "trousers", "stripe", "striped", "stripes", "denim", "v-neck", "pocket", "pockets"};
  std::mt19937 random(seed);
  const auto text = [&random](std::size_t most) {
    std::string words;
    for (std::size_t i = random() % (most + 1); i > 0; --i) {
      const std::size_t bound = 1 + random() % (kWords.size() + 4);
      const std::size_t word = random() % bound;
      words += word < kWords.size() ? kWords[word] : "rare" + std::to_string(random() % 50);
      words += ' ';
    }
    return words;
  };
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back(text(4));
  catalog::CatalogBuilder builder;
  for (std::size_t row = 0; row < rows; ++row) {
    catalog::Article article{.id = catalog::ArticleId::parse(std::to_string(1000 + row)).value(),
                             .product_code = std::to_string(row / 5),
                             .name = names[random() % names.size()],
                             .description = text(20)};
    article[catalog::Attribute::kProductType] = text(2);
    article[catalog::Attribute::kColour] = text(1);
    article[catalog::Attribute::kSection] = text(2);
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

inline catalog::Bitmap random_rows(std::size_t size, double share, unsigned seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution chosen(share);
  catalog::Bitmap rows(size);
  for (std::uint32_t row = 0; row < size; ++row) {
    if (chosen(random)) rows.set({row});
  }
  return rows;
}

// The hits that scoring every row gives.
inline std::vector<LexicalHit> score_every_row(const LexicalIndex& index, const LexicalPlan& plan, std::size_t rows,
                                               const catalog::Bitmap* eligible, std::size_t k) {
  const auto is_eligible = [eligible](catalog::RowIndex row) { return eligible == nullptr || eligible->test(row); };
  std::vector<LexicalHit> hits;
  for (const catalog::RowIndex row : plan.named_rows) {
    if (is_eligible(row)) hits.push_back({row, index.score(plan, row), true});
  }
  const std::size_t named = hits.size();
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!is_eligible({row}) || std::ranges::find(plan.named_rows, catalog::RowIndex{row}) != plan.named_rows.end()) continue;
    const float score = index.score(plan, {row});
    if (score > 0) hits.push_back({{row}, score, false});
  }
  std::stable_sort(hits.begin() + static_cast<std::ptrdiff_t>(named), hits.end(),
                   [](const LexicalHit& a, const LexicalHit& b) { return a.score > b.score; });
  hits.resize(std::min(k, hits.size()));
  return hits;
}

inline LexicalPlan plan_of(const LexicalIndex& index, std::string_view query, const SynonymTable* synonyms = nullptr,
                           const LexicalQueryOptions& options = {}) {
  auto plan = index.plan(query, synonyms, options);
  EXPECT_TRUE(plan) << plan.error().message;
  return std::move(*plan);
}

inline std::vector<std::string> ids_of(const catalog::Catalog& catalog, const LexicalResult& result) {
  std::vector<std::string> ids;
  for (const LexicalHit& hit : result.hits) ids.emplace_back(catalog.row(hit.row).id());
  return ids;
}

inline std::vector<std::string> found_ids(const catalog::Catalog& catalog, const LexicalIndex& index, std::string_view query,
                                          const SynonymTable* synonyms = nullptr) {
  return ids_of(catalog, index.search(plan_of(index, query, synonyms), nullptr, 100));
}

}  // namespace scalestyle::retrieval
