#include "catalog/changed_articles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>


namespace scalestyle::catalog {
namespace {

ArticleId id_of(int number) { return ArticleId::parse(std::to_string(number)).value(); }

Article article_of(int number, const std::string& name = "Name") {
  Article article{.id = id_of(number), .product_code = std::to_string(number / 10), .name = name, .description = "About " + name};
  article[Attribute::kColour] = number % 2 == 0 ? "Red" : "Blue";
  article.price = number;
  article.purchase_count = 7;
  article.image_path = "a/" + std::to_string(number) + ".jpg";
  return article;
}

std::shared_ptr<const Catalog> catalog_of(const std::vector<Article>& articles) {
  CatalogBuilder builder;
  for (const Article& article : articles) builder.add(article).value();
  return std::make_shared<const Catalog>(std::move(builder).build().value());
}

std::vector<Article> articles_of(const Catalog& catalog) {
  std::vector<Article> articles;
  for (std::uint32_t row = 0; row < catalog.size(); ++row) articles.push_back(catalog.row({row}).to_article());
  return articles;
}

// Everything that lists, filters and orders read is the same.
void expect_equal(const Catalog& a, const Catalog& b) {
  EXPECT_EQ(articles_of(a), articles_of(b));
  EXPECT_EQ(a.available(), b.available());
  EXPECT_EQ(a.available_count(), b.available_count());
  EXPECT_EQ(a.name_count(), b.name_count());
  EXPECT_EQ(a.description_count(), b.description_count());
  ASSERT_EQ(a.product_count(), b.product_count());
  for (std::uint32_t product = 0; product < a.product_count(); ++product) {
    EXPECT_EQ(a.product_code_of(product), b.product_code_of(product));
    EXPECT_TRUE(std::ranges::equal(a.rows_of_product(product), b.rows_of_product(product)));
  }
  for (const Attribute attribute : all_attributes()) {
    ASSERT_EQ(a.value_count(attribute), b.value_count(attribute));
    EXPECT_TRUE(std::ranges::equal(a.codes(attribute), b.codes(attribute)));
    for (std::uint32_t code = 0; code < a.value_count(attribute); ++code) {
      EXPECT_EQ(a.value_of(attribute, code), b.value_of(attribute, code));
    }
  }
  for (const Article& article : articles_of(a)) EXPECT_EQ(a.find(article.id), b.find(article.id));
}

ArticleChange patch(int number) { return {.kind = ChangeKind::kPatch, .id = id_of(number)}; }
ArticleChange removal(int number) { return {.kind = ChangeKind::kDelete, .id = id_of(number)}; }

TEST(ArticleChange, APatchSetsWhatItNamesAndNothingElse) {
  auto change = patch(11);
  change.sets_price = true;
  change[Attribute::kColour] = "Green";
  const auto after = apply_change(change, article_of(11)).value();
  auto expected = article_of(11);
  expected.price.reset();
  expected[Attribute::kColour] = "Green";
  EXPECT_EQ(after, expected);
}

TEST(ArticleChange, AnUpsertEmptiesWhatItLeavesOutAndKeepsPictureAndPurchases) {
  const ArticleChange change{.kind = ChangeKind::kUpsert, .id = id_of(11), .name = "New"};
  const auto after = apply_change(change, article_of(11)).value();
  Article expected{.id = id_of(11), .product_code = "0000000011", .name = "New"};
  expected.purchase_count = 7;
  expected.image_path = "a/11.jpg";
  EXPECT_EQ(after, expected);
}

TEST(ArticleChange, PatchesAndDeletesNeedTheArticle) {
  for (auto change : {patch(1), removal(1)}) {
    const auto after = apply_change(change, std::nullopt);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, core::ErrorCode::kNotFound);
  }
  EXPECT_EQ(apply_change(removal(1), article_of(1)).value(), std::nullopt);
}

TEST(ArticleChange, WhatIsWrongIsNamedByItsColumn) {
  const auto fault = [](const ArticleChange& change) {
    const auto status = change.validate();
    return status ? std::string() : status.error().field;
  };
  EXPECT_EQ(fault({.kind = ChangeKind::kUpsert, .id = id_of(1), .name = " \t"}), "prod_name");
  EXPECT_EQ(fault({.kind = ChangeKind::kUpsert, .id = id_of(1)}), "prod_name");
  EXPECT_EQ(fault({.id = id_of(1)}), "article_id");
  EXPECT_EQ(fault({.id = id_of(1), .sets_price = true, .price = -1.0}), "price");
  EXPECT_EQ(fault({.id = id_of(1), .sets_price = true, .price = std::numeric_limits<double>::quiet_NaN()}), "price");
  EXPECT_EQ(fault({.id = id_of(1), .description = std::string(5'001, 'a')}), "detail_desc");
  EXPECT_EQ(fault({.id = id_of(1), .product_code = std::string("a\0b", 3)}), "product_code");
  EXPECT_EQ(fault({.id = id_of(1), .description = "\xff"}), "detail_desc");
  EXPECT_EQ(fault({.kind = ChangeKind::kDelete, .id = id_of(1), .available = true}), "article_id");
  EXPECT_EQ(fault({.id = id_of(1), .sets_price = true}), "");
}

TEST(Catalog, WithOtherStatesSharesItsRows) {
  const auto base = catalog_of({article_of(10), article_of(11), article_of(12)});
  const std::vector<Catalog::RowState> states{{.row = {0}, .price = 99.0, .available = false},
                                              {.row = {2}, .available = false, .removed = true}};
  const Catalog changed = base->with_states(states);
  EXPECT_EQ(changed.row({0}).price(), 99.0);
  EXPECT_FALSE(changed.row({0}).available());
  EXPECT_EQ(changed.row({0}).name().data(), base->row({0}).name().data());
  EXPECT_EQ(changed.find(id_of(12)), std::nullopt);
  EXPECT_EQ(changed.article_count(), 2U);
  EXPECT_EQ(changed.available_count(), 1U);
  EXPECT_EQ(base->row({0}).price(), 10.0);
  EXPECT_TRUE(base->find(id_of(12)));
  EXPECT_EQ(base->available_count(), 3U);

  const std::vector<Catalog::RowState> back{{.row = {2}, .price = 5.0}};
  EXPECT_TRUE(changed.with_states(back).find(id_of(12)));
}

TEST(Catalog, FiltersGiveAvailableRowsAlone) {
  const auto base = catalog_of({article_of(10), article_of(11), article_of(12)});
  const std::vector<Catalog::RowState> states{{.row = {0}, .price = 99.0, .available = false}};
  const Catalog changed = base->with_states(states);
  Filter filter;
  filter[FilterField::kColour] = {"red"};
  EXPECT_EQ(eligible(changed, filter).count(), 1U);
  EXPECT_EQ(eligible(*base, filter).count(), 2U);
}

TEST(ChangedArticles, ARemovedArticleThatComesBackHasItsPictureStill) {
  ChangedArticles changed(catalog_of({article_of(10)}));
  ASSERT_TRUE(changed.apply(removal(10), 1));
  EXPECT_EQ(changed.find(id_of(10)), std::nullopt);
  EXPECT_EQ(changed.build()->size(), 0U);
  ASSERT_TRUE(changed.apply({.kind = ChangeKind::kUpsert, .id = id_of(10), .name = "Back"}, 2));
  EXPECT_EQ(changed.find(id_of(10))->image_path, "a/10.jpg");
  EXPECT_EQ(changed.build()->row({0}).purchase_count(), 7U);
}

TEST(ChangedArticles, AnArticleWithItsOldTextsTakesNoRoom) {
  ChangedArticles changed(catalog_of({article_of(10)}));
  auto change = patch(10);
  change.name = "Other";
  ASSERT_TRUE(changed.apply(change, 1));
  EXPECT_NE(changed.entries().at(id_of(10)).article, nullptr);
  change.name = "Name";
  change.sets_price = true;
  ASSERT_TRUE(changed.apply(change, 2));
  EXPECT_EQ(changed.entries().at(id_of(10)).article, nullptr);
  EXPECT_EQ(changed.find(id_of(10))->price, std::nullopt);
}

// What is built from a catalogue and its changes is what is built from the changed articles.
TEST(ChangedArticles, AgreesWithACatalogueBuiltAnew) {
  std::mt19937 random(3);
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  for (int round = 0; round < 40; ++round) {
    std::map<ArticleId, Article> expected;
    for (int i = 0; i < 30; ++i) expected.insert_or_assign(id_of(10 + below(60)), article_of(10 + below(60)));
    std::vector<Article> start;
    for (auto& [id, article] : expected) {
      article.id = id;
      start.push_back(article);
    }
    ChangedArticles changed(catalog_of(start));
    for (int step = 0; step < 50; ++step) {
      ArticleChange change{.kind = static_cast<ChangeKind>(below(3)), .id = id_of(10 + below(70))};
      if (change.kind != ChangeKind::kDelete) {
        if (change.kind == ChangeKind::kUpsert || below(2) == 0) change.name = "Name " + std::to_string(below(5));
        if (below(2) == 0) change[Attribute::kColour] = std::to_string(below(4));
        if (below(2) == 0) change.product_code = std::to_string(below(6));
        if (below(2) == 0) change.available = below(3) != 0;
        change.sets_price = below(2) == 0;
        if (change.sets_price && below(4) != 0) change.price = below(100);
      }
      const auto found = changed.find(change.id);
      const auto place = expected.find(change.id);
      ASSERT_EQ(found, place == expected.end() ? std::nullopt : std::optional(place->second));
      const auto now = changed.after(change, found);
      if (!now) continue;
      changed.set(change.id, *now, step);
      if (*now) expected.insert_or_assign(change.id, **now);
      else expected.erase(change.id);
    }
    std::vector<Article> end;
    for (const auto& [id, article] : expected) end.push_back(article);
    expect_equal(changed.build().value(), *catalog_of(end));
  }
}

}  // namespace
}  // namespace scalestyle::catalog
