#include "retrieval/suggestions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "retrieval/lexical_index.hpp"
#include "text/english_stemmer.hpp"

namespace scalestyle::retrieval {
namespace {

using catalog::Attribute;

struct Row {
  std::string id;
  std::string product;
  std::string name = "Name";
  std::string type = "Dress";
  std::string colour = "Black";
  std::string index_group = "Ladieswear";
  std::string section = "Womens Everyday Collection";
  std::string department = "Dresses";
  std::uint64_t purchases = 0;
};

catalog::Catalog make_catalog(const std::vector<Row>& rows) {
  catalog::CatalogBuilder builder;
  for (const Row& row : rows) {
    catalog::Article article{.id = catalog::ArticleId::parse(row.id).value(), .product_code = row.product, .name = row.name};
    article[Attribute::kProductType] = row.type;
    article[Attribute::kColour] = row.colour;
    article[Attribute::kIndexGroup] = row.index_group;
    article[Attribute::kSection] = row.section;
    article[Attribute::kDepartment] = row.department;
    article.purchase_count = row.purchases;
    builder.add(article).value();
  }
  return std::move(builder).build().value();
}

// Every phrase: its kind and products.
std::map<std::string, std::pair<std::string, std::uint32_t>> all(const Suggestions& suggestions) {
  std::map<std::string, std::pair<std::string, std::uint32_t>> phrases;
  for (std::size_t place = 0; place < suggestions.size(); ++place) {
    const auto phrase = suggestions.phrase(place);
    phrases[std::string(phrase.text)] = {std::string(to_string(phrase.kind)), phrase.products};
  }
  return phrases;
}

std::vector<std::string> texts(const std::vector<SuggestedPhrase>& phrases) {
  std::vector<std::string> list;
  for (const auto& phrase : phrases) list.emplace_back(phrase.text);
  return list;
}

TEST(Suggestions, PhrasesComeFromTheCataloguesOwnValues) {
  const auto catalog = make_catalog({
      {.id = "1", .product = "p1", .name = "  Summer  DRESS (1)"},
      {.id = "2", .product = "p1", .name = "Summer dress", .colour = "Light Blue"},
      {.id = "3", .product = "p2", .name = "Tee", .type = "T-shirt", .colour = "Other Pink", .index_group = "Baby/Children",
       .section = "Womens Nightwear, Socks & Tigh", .department = "Kids UW/NW"},
      {.id = "4", .product = "p3", .name = "7", .type = "Hat/beanie", .colour = "Black", .index_group = "Divided", .section = "Unknown",
       .department = "Basic 1"},
      {.id = "5", .product = "p4", .name = "Dresses", .type = "Unknown", .colour = "Unknown", .index_group = "Unknown"},
  });
  const Suggestions suggestions(catalog);
  using Expected = std::map<std::string, std::pair<std::string, std::uint32_t>>;
  EXPECT_EQ(all(suggestions), (Expected{{"dress", {"type", 1}},
                                        {"t-shirt", {"type", 1}},
                                        {"hat", {"type", 1}},
                                        {"beanie", {"type", 1}},
                                        {"black dress", {"colour_type", 1}},
                                        {"light blue dress", {"colour_type", 1}},
                                        {"black hat", {"colour_type", 1}},
                                        {"black beanie", {"colour_type", 1}},
                                        {"ladies dress", {"audience_type", 1}},
                                        {"baby t-shirt", {"audience_type", 1}},
                                        {"children t-shirt", {"audience_type", 1}},
                                        {"divided hat", {"audience_type", 1}},
                                        {"divided beanie", {"audience_type", 1}},
                                        {"womens everyday collection", {"section", 2}},
                                        {"dresses", {"department", 2}},
                                        {"summer dress", {"name", 1}},
                                        {"tee", {"name", 1}}}));
}

TEST(Suggestions, TheMostBoughtComeFirstThenTheMostProductsThenTheText) {
  const auto catalog = make_catalog({
      {.id = "1", .product = "p1", .name = "Sea", .type = "Skirt", .purchases = 1},
      {.id = "2", .product = "p2", .name = "Sun", .type = "Shorts"},
      {.id = "3", .product = "p3", .name = "Sun", .type = "Shorts"},
      {.id = "4", .product = "p4", .name = "Sand", .type = "Socks", .purchases = 7},
      {.id = "5", .product = "p5", .name = "Shell", .type = "Shirt"},
      {.id = "6", .product = "p5", .name = "Shell", .type = "Shirt"},
  });
  const Suggestions suggestions(catalog);
  EXPECT_EQ(texts(suggestions.complete(TypedPrefix::read("s"), 8)),
            (std::vector<std::string>{"sand", "socks", "sea", "skirt", "shorts", "sun", "black socks", "ladies socks"}));
  EXPECT_EQ(suggestions.find("shirt")->products, 1U) << "two rows of one product";
  EXPECT_EQ(suggestions.find("shell")->kind, PhraseKind::kName);
  EXPECT_FALSE(suggestions.find("cardigan"));
}

TEST(Suggestions, ErrorsAreForgivenOnRequest) {
  const Suggestions suggestions(make_catalog({{.id = "1", .product = "p", .type = "Trousers"}}));
  EXPECT_TRUE(suggestions.complete(TypedPrefix::read("trouzer"), 8).empty());
  EXPECT_EQ(texts(suggestions.complete_mistyped(TypedPrefix::read("trouzer"), 8)),
            (std::vector<std::string>{"trousers", "black trousers", "ladies trousers"}));
}

TEST(Suggestions, AreBounded) {
  const auto catalog = make_catalog({{.id = "1", .product = "p", .name = std::string(101, 'x')}, {.id = "2", .product = "q", .name = "\xFFwild"}});
  const Suggestions two(catalog, 2);
  EXPECT_EQ(two.size(), 2U);
  const Suggestions whole(catalog);
  EXPECT_TRUE(whole.complete(TypedPrefix::read("xx"), 8).empty());
  EXPECT_TRUE(whole.complete(TypedPrefix::read("wild"), 8).empty());
  EXPECT_EQ(Suggestions(make_catalog({})).size(), 0U);
}

TEST(Suggestions, EveryWordOfAPhraseIsOneOfTheVocabulary) {
  const auto catalog = make_catalog({
      {.id = "1", .product = "p1", .name = "Summer dress"},
      {.id = "2", .product = "p2", .name = "V-neck", .type = "T-shirt", .index_group = "Baby/Children"},
      {.id = "3", .product = "p3", .type = "Leggings/Tights", .colour = "Light Grey", .index_group = "Menswear"},
  });
  const auto index = LexicalIndex::build(catalog, {}).value();
  const Suggestions suggestions(catalog);
  auto stemmer = text::EnglishStemmer::create().value();
  for (std::size_t place = 0; place < suggestions.size(); ++place) {
    for (const std::string& word : TypedPrefix::read(suggestions.phrase(place).text).words) {
      EXPECT_TRUE(index.vocabulary().find(word) || index.vocabulary().find_stem(stemmer.stem(word))) << word;
    }
  }
}

}  // namespace
}  // namespace scalestyle::retrieval
