#include "catalog/catalog.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace scalestyle::catalog {
namespace {

Article make(std::string_view id, std::string_view product, std::string_view name) {
  return Article{.id = *ArticleId::parse(id), .product_code = std::string(product), .name = std::string(name), .description = ""};
}

Article full_article() {
  Article article = make("108775015", "108775", "Strap top");
  article.description = "Jersey top with narrow straps.";
  for (const Attribute attribute : all_attributes()) article[attribute] = "value of " + std::string(column_name(attribute));
  article.price = 12.99;
  article.purchase_count = 7;
  article.image_path = "010/0108775015.jpg";
  article.available = false;
  return article;
}

TEST(Catalog, GivesBackWhatWentIn) {
  const Article article = full_article();
  const Article plain = make("SKU-1", "", "");
  CatalogBuilder builder;
  ASSERT_TRUE(builder.add(plain));
  ASSERT_TRUE(builder.add(article));
  EXPECT_EQ(builder.size(), 2U);
  const auto catalog = std::move(builder).build();
  ASSERT_TRUE(catalog);
  ASSERT_EQ(catalog->size(), 2U);
  EXPECT_EQ(catalog->row(RowIndex{0}).to_article(), article);
  Article expected = plain;
  expected.product_code = "SKU-1";  // a product of its own
  EXPECT_EQ(catalog->row(RowIndex{1}).to_article(), expected);
  EXPECT_EQ(catalog->row(RowIndex{1}).price(), std::nullopt);
  EXPECT_EQ(catalog->row(RowIndex{0}).colour(), "value of colour_group_name");
  EXPECT_EQ(catalog->available().count(), 1U);
}

TEST(Catalog, RowsAreInTheOrderOfIdsWhateverTheOrderOfInput) {
  CatalogBuilder builder;
  constexpr std::uint32_t kArticles = 1000;
  for (std::uint32_t i = 0; i < kArticles; ++i) {
    const std::uint32_t shuffled = (i * 617) % kArticles;
    ASSERT_TRUE(builder.add(make(std::to_string(shuffled), std::to_string(shuffled / 3), "n" + std::to_string(shuffled % 10))));
  }
  const auto catalog = std::move(builder).build();
  ASSERT_TRUE(catalog);
  for (std::uint32_t i = 0; i < kArticles; ++i) {
    const ArticleView view = catalog->row(RowIndex{i});
    EXPECT_EQ(view.id(), ArticleId::parse(std::to_string(i))->text());
    EXPECT_EQ(view.name(), "n" + std::to_string(i % 10));
    EXPECT_EQ(catalog->find(view.id()), RowIndex{i});
    EXPECT_EQ(catalog->product_of(RowIndex{i}), i / 3);
    EXPECT_THAT(catalog->rows_of_product(i / 3), testing::Contains(RowIndex{i}));
  }
  EXPECT_EQ(catalog->product_count(), 334U);
  EXPECT_EQ(catalog->rows_of_product(333).size(), 1U);
  EXPECT_EQ(catalog->find("0000001000"), std::nullopt);
  EXPECT_EQ(catalog->find("5"), std::nullopt) << "only canonical text is found";
}

TEST(Catalog, CodesAreOrderedAsTheirTexts) {
  CatalogBuilder builder;
  const char* colours[] = {"White", "Black", "Blue", "Black"};
  for (std::size_t i = 0; i < 4; ++i) {
    Article article = make(std::to_string(i), "p", "n");
    article[Attribute::kColour] = colours[i];
    ASSERT_TRUE(builder.add(article));
  }
  const auto catalog = std::move(builder).build();
  ASSERT_TRUE(catalog);
  ASSERT_EQ(catalog->value_count(Attribute::kColour), 3U);
  EXPECT_EQ(catalog->value_of(Attribute::kColour, 0), "Black");
  EXPECT_EQ(catalog->value_of(Attribute::kColour, 1), "Blue");
  EXPECT_THAT(catalog->codes(Attribute::kColour), testing::ElementsAre(2, 0, 1, 0));
}

TEST(Catalog, EmptyIsValid) {
  const auto catalog = CatalogBuilder().build();
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->size(), 0U);
  EXPECT_EQ(catalog->product_count(), 0U);
  EXPECT_EQ(catalog->find("0108775015"), std::nullopt);
  EXPECT_TRUE(eligible(*catalog, Filter{}).none());
}

TEST(Catalog, RefusesTheSameIdTwice) {
  CatalogBuilder builder;
  ASSERT_TRUE(builder.add(make("0108775015", "a", "")));
  ASSERT_TRUE(builder.add(make("108775015", "b", "")));
  const auto catalog = std::move(builder).build();
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code, core::ErrorCode::kAlreadyExists);
  EXPECT_THAT(catalog.error().message, testing::HasSubstr("0108775015"));
}

TEST(Catalog, RefusesAPriceThatIsNone) {
  for (const double price : {-0.01, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CatalogBuilder builder;
    Article article = make("1", "", "");
    article.price = price;
    const auto status = builder.add(article);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().field, "price");
    EXPECT_EQ(builder.size(), 0U);
  }
}

}  // namespace
}  // namespace scalestyle::catalog
