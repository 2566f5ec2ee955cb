#pragma once
// A small shop for the tests of query understanding: every article of a few types in a few colours.

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"

namespace scalestyle::retrieval {

struct SampleGroup {  // articles that differ in their ids alone
  std::string type = "Dress";
  std::string group = "Garment Full body";
  std::string appearance = "Solid";
  std::string colour = "Black";
  std::string shade = "Dark";
  std::string family = "Black";
  std::string index = "Ladieswear";
  std::string section = "Womens Everyday Collection";
  std::string department = "Dresses";
  std::string description = "Short dress in soft jersey.";
  std::string garment_group = "Jersey Fancy";
  std::string index_group = "Unknown";
  double price = 20;
  std::size_t articles = 12;  // enough openings for a noun
};

inline std::vector<SampleGroup> sample_groups() {
  return {
      {},
      {.colour = "Light Blue", .shade = "Light", .family = "Blue", .description = "Short dress with a belt.", .price = 9.99},
      {.appearance = "Stripe", .colour = "Dark Blue", .shade = "Dark", .family = "Blue", .price = 30},
      {.type = "T-shirt", .group = "Garment Upper body", .appearance = "Front print", .colour = "White", .shade = "Light",
       .family = "White", .index = "Menswear", .section = "Contemporary Casual", .department = "Jersey",
       .description = "T-shirt in cotton jersey with a print.", .price = 10},
      {.type = "Shirt", .group = "Garment Upper body", .appearance = "Check", .colour = "Red", .shade = "Bright", .family = "Red",
       .index = "Menswear", .section = "Men Suits & Tailoring", .department = "Shirt", .description = "Shirt in a cotton weave.", .price = 25},
      {.type = "Shorts", .group = "Garment Lower body", .appearance = "All over pattern", .colour = "Greenish Khaki", .shade = "Dark",
       .family = "Khaki green", .index = "Children Sizes 92-140", .section = "Kids Boy", .department = "Kids Boy Shorts",
       .description = "Shorts in sweatshirt fabric.", .price = 12.5},
      {.type = "Trousers", .group = "Garment Lower body", .colour = "Grey", .shade = "Medium", .family = "Grey", .index = "Divided",
       .section = "Divided Collection", .department = "Trousers", .description = "Joggers in sweatshirt fabric.", .price = 29.99},
      {.type = "Sweater", .group = "Garment Upper body", .appearance = "Melange", .colour = "Off White", .shade = "Light", .family = "White",
       .index = "Baby Sizes 50-98", .section = "Baby Girl", .department = "Baby Girl Knitwear", .description = "Jumper in a soft knit.",
       .garment_group = "Knitwear", .price = 15},
      {.type = "Swimwear bottom", .group = "Swimwear", .colour = "Pink", .shade = "Light", .family = "Pink", .index = "Ladieswear",
       .section = "Womens Swimwear, beachwear", .department = "Swimwear", .description = "Swim shorts with a drawstring.", .price = 14},
      {.type = "Vest top", .group = "Garment Upper body", .appearance = "Lace", .colour = "Other Pink", .shade = "Light", .family = "Pink",
       .index = "Sport", .section = "Ladies H&M Sport", .department = "Ladies Sport Acc", .description = "Sports vest top in lace.", .price = 17},
      {.type = "Hat/beanie", .group = "Accessories", .appearance = "Glittering/Metallic", .colour = "Light Blue", .shade = "Light",
       .family = "Turquoise", .index = "Children Sizes 92-140", .section = "Kids Girl", .department = "Loungewear",
       .description = "Hat in a rib knit.", .price = 5},
      {.type = "Unknown", .group = "Unknown", .appearance = "Unknown", .colour = "Unknown", .shade = "Unknown", .family = "Unknown",
       .index = "Divided", .section = "Unknown", .department = "Unknown", .description = "", .garment_group = "Unknown", .price = 50},
  };
}

inline std::shared_ptr<const catalog::Catalog> sample_catalog(const std::vector<SampleGroup>& groups = sample_groups()) {
  using catalog::Attribute;
  catalog::CatalogBuilder builder;
  std::size_t number = 1;
  for (const SampleGroup& group : groups) {
    for (std::size_t i = 0; i < group.articles; ++i, ++number) {
      catalog::Article article{catalog::ArticleId::parse(std::to_string(number)).value(), fmt::format("p{}", number), "Name"};
      // Texts that differ, as rows of one text count once.
      article.description = group.description.empty() ? "" : fmt::format("{} Number {}.", group.description, number);
      article[Attribute::kProductType] = group.type;
      article[Attribute::kProductGroup] = group.group;
      article[Attribute::kAppearance] = group.appearance;
      article[Attribute::kColour] = group.colour;
      article[Attribute::kColourValue] = group.shade;
      article[Attribute::kColourFamily] = group.family;
      article[Attribute::kIndex] = group.index;
      article[Attribute::kIndexGroup] = group.index_group;
      article[Attribute::kSection] = group.section;
      article[Attribute::kDepartment] = group.department;
      article[Attribute::kGarmentGroup] = group.garment_group;
      article.price = group.price;
      if (!builder.add(article)) throw std::runtime_error("an article was refused");
    }
  }
  return std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
}

}  // namespace scalestyle::retrieval
