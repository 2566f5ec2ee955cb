#include "catalog/product_text.hpp"

#include <gtest/gtest.h>

#include "catalog/reader_support.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::catalog {
namespace {

Article make(std::string_view id) { return Article{.id = *ArticleId::parse(id)}; }

TEST(ProductText, LeavesOutWhatIsEmpty) {
  Article article = make("1");
  EXPECT_EQ(product_text_v1(article), "Product: Unknown Product.");
  article.name = "Linen shirt";
  article[Attribute::kProductGroup] = "Tops";
  article[Attribute::kColourValue] = " Light ";
  article[Attribute::kSection] = "Men";
  article[Attribute::kIndex] = "M";
  EXPECT_EQ(product_text_v1(article), "Product: Linen shirt. Type: Tops. Colour: Light. Category: Men, M.");
  article.description = " In linen\n";
  EXPECT_EQ(product_text_v1(article),
            "Product: Linen shirt. Type: Tops. Colour: Light. Category: Men, M. Description: In linen");
}

TEST(ProductText, RealRows) {
  const auto file = support::shared_dir() / "data" / "hm" / "articles_small.csv";
  SCALESTYLE_NEED(file);
  const auto read = read_all_articles(file);
  ASSERT_TRUE(read.summary) << read.summary.error().message;
  const auto text_of = [&](std::string_view id) -> std::string {
    for (const ArticleRow& row : read.accepted) {
      if (row.article.id.text() == id) return product_text_v1(row.article);
    }
    return "no such article";
  };
  EXPECT_EQ(text_of("0160442010"),
            "Product: 3p Sneaker Socks. Type: Socks / Socks & Tights. Colour: White / Light. Appearance: Solid. "
            "Category: Shopbasket Socks, Womens Nightwear, Socks & Tigh, Socks and Tights, Lingeries/Tights. "
            "Description: Short, fine-knit socks designed to be hidden by your shoes with a silicone trim at the back of "
            "the heel to keep them in place.");
  EXPECT_EQ(text_of("0255396018"),
            "Product: Nora Cardigan. Type: Cardigan / Garment Upper body. Colour: Dark Red / Dark. Appearance: Treatment. "
            "Category: Jersey Fancy DS, Divided Selected, Jersey Fancy, Divided. Description: Cardigan in sweatshirt "
            "fabric with a lined hood, diagonal zip at the front and side pockets. Ribbed cuffs and a raw-edge hem.");
  EXPECT_EQ(text_of("0233091015"),
            "Product: Magic Gloves 2pack. Type: Gloves / Accessories. Colour: Light Orange / Dusty Light. Appearance: "
            "Solid. Category: Knit & Woven, Divided Accessories, Accessories, Divided. Description: Fine-knit gloves.");
}

TEST(TextHash, IsTheHeadOfSha256) {
  EXPECT_EQ(hash_text("").hex(), "e3b0c44298fc1c149afbf4c8996fb924");
  EXPECT_EQ(hash_text("abc").hex(), "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_NE(hash_text("a"), hash_text("b"));
}

}  // namespace
}  // namespace scalestyle::catalog
