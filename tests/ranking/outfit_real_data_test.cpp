// Slots and colours of the H&M catalogue.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include "catalog/table_reader.hpp"
#include "ranking/colour_match.hpp"
#include "ranking/outfit_slots.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::ranking {
namespace {

using catalog::Attribute;

TEST(RealOutfits, EveryGroupHasItsSlots) {
  const auto file = support::shared_dir() / "data" / "hm" / "articles.parquet";
  SCALESTYLE_NEED(file);
  catalog::CatalogBuilder builder;
  const auto add = [&](const catalog::ArticleChunk& chunk) -> core::Status {
    for (catalog::ArticleRow& row : chunk.accepted) CORE_CHECK(builder.add(row.article));
    return {};
  };
  ASSERT_TRUE(catalog::read_articles(file, {}, add));
  const auto articles = std::move(builder).build().value();
  const OutfitSlots slots(articles);
  const RowHues hues(articles);
  std::map<std::string, std::map<std::string, std::size_t>> by_group;
  std::map<std::pair<std::string, std::string>, std::string> by_type;
  std::size_t without_colour = 0;
  for (std::uint32_t row = 0; row < articles.size(); ++row) {
    const auto view = articles.row({row});
    const std::string name(slots.name(slots.of({row})));
    ++by_group[std::string(view[Attribute::kProductGroup])][name];
    by_type[{std::string(view[Attribute::kProductGroup]), std::string(view.product_type())}] = name;
    if (hues.of({row}) == Hue::kUnknown) ++without_colour;
  }
  for (const auto& [group, counts] : by_group) {
    std::cout << group << ":";
    for (const auto& [slot, count] : counts) std::cout << " " << slot << " " << count;
    std::cout << "\n";
    EXPECT_FALSE(counts.empty());
    EXPECT_EQ(counts.contains("other"), group == "Unknown") << group;
  }
  EXPECT_EQ(by_group.at("Shoes").size(), 1U);
  EXPECT_GT(by_group.at("Garment Upper body").at("top"), 30'000U);
  EXPECT_GT(by_group.at("Garment Lower body").at("bottom"), 19'000U);
  EXPECT_EQ(by_group.at("Garment Lower body").size(), 1U);
  std::cout << without_colour << " of " << articles.size() << " articles have no known colour; slots of types:\n";
  for (const auto& [type, slot] : by_type) std::cout << "  " << type.first << " / " << type.second << ": " << slot << "\n";
  EXPECT_LT(without_colour, articles.size() / 50);
}

}  // namespace
}  // namespace scalestyle::ranking
