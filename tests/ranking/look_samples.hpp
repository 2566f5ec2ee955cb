#pragma once
// Catalogues for tests of looks: articles by type, group, colour and product.

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"

namespace scalestyle::ranking {

struct LookArticle {
  std::string type;
  std::string group{};
  std::string colour{};
  std::string index_group{};
  int product = -1;  // below 0: one of its own
};

// Row r is the r-th article.
inline catalog::Catalog look_catalog(const std::vector<LookArticle>& samples) {
  catalog::CatalogBuilder builder;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const LookArticle& sample = samples[i];
    catalog::Article article{catalog::ArticleId::parse(fmt::format("{:010}", i + 1)).value(), {}, "name"};
    article.product_code = sample.product < 0 ? fmt::format("own{}", i) : fmt::format("p{}", sample.product);
    article[catalog::Attribute::kProductType] = sample.type;
    article[catalog::Attribute::kProductGroup] = sample.group;
    article[catalog::Attribute::kColour] = sample.colour;
    article[catalog::Attribute::kIndexGroup] = sample.index_group;
    builder.add(article).value();
  }
  return std::move(builder).build().value();
}

}  // namespace scalestyle::ranking
