#pragma once
// Articles and rules for tests of what rules do.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "ranking/bound_rules.hpp"

namespace scalestyle::ranking {

struct SampleArticle {
  std::string id;
  std::string product_code;
  std::string name;
  std::string colour;
  std::string type;
  std::optional<double> price;
  bool has_image = true;
  bool available = true;
};

inline std::shared_ptr<const catalog::Catalog> rule_catalog(const std::vector<SampleArticle>& articles) {
  catalog::CatalogBuilder builder;
  for (const SampleArticle& sample : articles) {
    catalog::Article article{.id = *catalog::ArticleId::parse(sample.id)};
    article.product_code = sample.product_code;
    article.name = sample.name;
    article[catalog::Attribute::kColour] = sample.colour;
    article[catalog::Attribute::kProductType] = sample.type;
    article.price = sample.price;
    article.image_path = sample.has_image ? "some.jpg" : "";
    article.available = sample.available;
    if (!builder.add(article)) std::abort();
  }
  return std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
}

inline catalog::ArticleId id_of(std::string_view text) { return *catalog::ArticleId::parse(text); }

inline RuleSelector of_colour(const std::string& colour) {
  RuleSelector selector;
  selector.filter[catalog::FilterField::kColour].push_back(colour);
  return selector;
}

inline RuleSelector of_ids(std::initializer_list<std::string_view> ids) {
  RuleSelector selector;
  for (const std::string_view id : ids) selector.article_ids.push_back(id_of(id));
  return selector;
}

}  // namespace scalestyle::ranking
