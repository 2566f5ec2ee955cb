#include "catalog/rerank_text.hpp"

#include <gtest/gtest.h>

#include "text/unicode.hpp"

namespace scalestyle::catalog {
namespace {

Article make(const std::string& id) { return Article{.id = *ArticleId::parse(id), .product_code = id}; }

Catalog catalog_of(const std::vector<Article>& articles) {
  CatalogBuilder builder;
  for (const Article& article : articles) builder.add(article).value();
  return std::move(builder).build().value();
}

std::string text_of(const Article& article) { return rerank_text_v1(catalog_of({article}).row(RowIndex{0})); }

TEST(RerankText, HasWhatTellsArticlesApartFirst) {
  Article article = make("1");
  EXPECT_EQ(text_of(article), "");
  article.name = " Linen shirt. ";
  EXPECT_EQ(text_of(article), "Linen shirt.");
  article[Attribute::kColour] = "Light Blue";
  article[Attribute::kProductType] = "Shirt";
  article[Attribute::kProductGroup] = "not said";
  article[Attribute::kAppearance] = "Stripe";
  article[Attribute::kSection] = "Men Casual";
  article.description = "Shirt in airy linen\n";
  EXPECT_EQ(text_of(article), "Linen shirt. Shirt, Light Blue, Stripe. Men Casual. Shirt in airy linen");
  article[Attribute::kDepartment] = "Shirts";
  EXPECT_EQ(text_of(article), "Linen shirt. Shirt, Light Blue, Stripe. Shirts, Men Casual. Shirt in airy linen");
}

TEST(RerankText, CutsTheDescriptionAloneAndBehindAWord) {
  Article article = make("1");
  article.name = "Name";
  std::string words;
  for (int i = 0; i < 100; ++i) words += "wörter ";
  article.description = words;
  const std::string text = text_of(article);
  EXPECT_LE(text.size(), kRerankTextBytes);
  EXPECT_GT(text.size(), kRerankTextBytes - 10);
  EXPECT_TRUE(text.ends_with(" wörter")) << text;
  EXPECT_TRUE(text::is_valid_utf8(text));

  article.description = std::string(1000, 'x');  // no word of it has room
  EXPECT_EQ(text_of(article), "Name.");
  article.name = std::string(300, 'n');
  article.description = "short";
  EXPECT_EQ(text_of(article), std::string(300, 'n') + ".");
}

TEST(RerankText, AFittingDescriptionIsWhole) {
  Article article = make("1");
  article.name = "Name";
  for (std::size_t size = 225; size <= 240; ++size) {
    article.description = "abc " + std::string(size - 4, 'd');
    const std::string text = text_of(article);
    const bool fits = size + std::string("Name. ").size() <= kRerankTextBytes;
    EXPECT_EQ(text, fits ? "Name. " + article.description : "Name. abc") << size;
  }
}

TEST(RerankText, EqualPartsHaveEqualTexts) {
  Article first = make("1");
  first.name = "Vest top";
  first[Attribute::kColour] = "White";
  first.description = "Jersey top";
  Article same = first;
  same.id = *ArticleId::parse("2");
  same.price = 3;
  same[Attribute::kProductGroup] = "not in the text";
  Article other = first;
  other.id = *ArticleId::parse("3");
  other[Attribute::kColour] = "Black";
  Article longer = first;
  longer.id = *ArticleId::parse("4");
  longer.description = "Jersey top.";
  const Catalog articles = catalog_of({first, same, other, longer});
  EXPECT_TRUE(have_same_rerank_text(articles, RowIndex{0}, RowIndex{1}));
  EXPECT_EQ(rerank_text_v1(articles.row(RowIndex{0})), rerank_text_v1(articles.row(RowIndex{1})));
  EXPECT_FALSE(have_same_rerank_text(articles, RowIndex{0}, RowIndex{2}));
  EXPECT_FALSE(have_same_rerank_text(articles, RowIndex{0}, RowIndex{3}));
}

}  // namespace
}  // namespace scalestyle::catalog
