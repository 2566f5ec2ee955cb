#include "catalog/filters.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "catalog/catalog.hpp"

namespace scalestyle::catalog {
namespace {

class Random {
 public:
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>((state_ >> 33) % bound);
  }

 private:
  std::uint64_t state_ = 42;
};

// 1,003 rows; fields with few values (bitmaps) and with many (lists); prices on a grid, some absent.
Catalog make_catalog() {
  Random random;
  CatalogBuilder builder;
  for (std::uint32_t i = 0; i < 1003; ++i) {
    Article article{.id = *ArticleId::parse(std::to_string(i)), .product_code = "", .name = "", .description = ""};
    for (const FilterField field : all_filter_fields()) {
      const std::uint32_t values = field == FilterField::kDepartment ? 300 : 4;
      article[attribute_of(field)] = "Value " + std::to_string(random.below(values));
    }
    if (random.below(10) != 0) article.price = 0.5 * random.below(40);
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

bool passes(const ArticleView& article, const Filter& filter) {
  for (const FilterField field : all_filter_fields()) {
    if (filter[field].empty()) continue;
    bool any = false;
    for (const std::string& value : filter[field]) any = any || fold_value(value) == fold_value(article[attribute_of(field)]);
    if (!any) return false;
  }
  if (!filter.price_min && !filter.price_max) return true;
  return article.price() && (!filter.price_min || *article.price() >= *filter.price_min) &&
         (!filter.price_max || *article.price() <= *filter.price_max);
}

TEST(Filters, AgreeWithBruteForce) {
  const Catalog catalog = make_catalog();
  Random random;
  std::size_t not_empty = 0;
  for (int round = 0; round < 500; ++round) {
    Filter filter;
    for (const FilterField field : all_filter_fields()) {
      if (random.below(4) != 0) continue;
      const std::uint32_t values = field == FilterField::kDepartment ? 300 : 4;
      for (std::uint32_t i = 0, count = 1 + random.below(values / 2); i < count; ++i) {
        filter[field].push_back((random.below(2) != 0 ? "vALUE " : " Value ") + std::to_string(random.below(values + 1)));
      }
    }
    if (random.below(3) == 0) filter.price_min = 0.5 * random.below(40);
    if (random.below(3) == 0) filter.price_max = filter.price_min.value_or(0) + 0.5 * random.below(20);
    ASSERT_TRUE(filter.validate());
    const Bitmap rows = eligible(catalog, filter);
    ASSERT_EQ(rows.size(), catalog.size());
    for (std::uint32_t i = 0; i < catalog.size(); ++i) {
      ASSERT_EQ(rows.test(RowIndex{i}), passes(catalog.row(RowIndex{i}), filter)) << "row " << i << " round " << round;
    }
    if (!rows.none() && !rows.all()) ++not_empty;
  }
  EXPECT_GT(not_empty, 200U) << "the filters of this test select nothing worth comparing";
}

TEST(Filters, AnUnknownValueMatchesNothing) {
  const Catalog catalog = make_catalog();
  Filter filter;
  filter[FilterField::kColour] = {"no such colour"};
  EXPECT_TRUE(eligible(catalog, filter).none());
  filter[FilterField::kColour].push_back("Value 1");
  EXPECT_FALSE(eligible(catalog, filter).none());
  filter[FilterField::kColour] = {"Value"};
  EXPECT_TRUE(eligible(catalog, filter).none()) << "a part of a value is no match";
}

TEST(Filters, CaseIsFoldedByUnicode) {
  CatalogBuilder builder;
  const char* colours[] = {"GRÜN", "grün", "Gru\xCC\x88n", "Ελιά"};
  for (std::size_t i = 0; i < 4; ++i) {
    Article article{.id = *ArticleId::parse(std::to_string(i)), .product_code = "", .name = "", .description = ""};
    article[Attribute::kColour] = colours[i];
    ASSERT_TRUE(builder.add(article));
  }
  const Catalog catalog = std::move(builder).build().value();
  Filter filter;
  filter[FilterField::kColour] = {"Grün"};
  EXPECT_EQ(eligible(catalog, filter).count(), 2U);
  filter[FilterField::kColour] = {"ΕΛΙΆ"};
  EXPECT_TRUE(eligible(catalog, filter).test(RowIndex{3}));
}

TEST(Filters, PriceBoundsAreInclusive) {
  CatalogBuilder builder;
  const std::optional<double> prices[] = {12.98, 12.99, 13.0, std::nullopt, 0.0};
  for (std::size_t i = 0; i < 5; ++i) {
    Article article{.id = *ArticleId::parse(std::to_string(i)), .product_code = "", .name = "", .description = ""};
    article.price = prices[i];
    ASSERT_TRUE(builder.add(article));
  }
  const Catalog catalog = std::move(builder).build().value();
  const auto rows = [&](std::optional<double> low, std::optional<double> high) {
    std::vector<std::uint32_t> found;
    eligible(catalog, Filter{.price_min = low, .price_max = high}).for_each([&](RowIndex row) { found.push_back(row.value); });
    return found;
  };
  EXPECT_THAT(rows(12.99, 12.99), testing::ElementsAre(1));
  EXPECT_THAT(rows(12.99, std::nullopt), testing::ElementsAre(1, 2));
  EXPECT_THAT(rows(std::nullopt, 12.99), testing::ElementsAre(0, 1, 4));
  EXPECT_THAT(rows(0.0, std::nullopt), testing::ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(rows(std::nullopt, std::nullopt), testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST(Filters, ValidateNamesTheParameter) {
  const auto field_of = [](const Filter& filter) { return filter.validate().error().field; };
  Filter blank;
  blank[FilterField::kGarmentGroup] = {"Knitwear", "  "};
  EXPECT_EQ(field_of(blank), "garment_group");
  EXPECT_EQ(field_of(Filter{.price_min = -1.0}), "price_min");
  EXPECT_EQ(field_of(Filter{.price_max = std::numeric_limits<double>::quiet_NaN()}), "price_max");
  EXPECT_EQ(field_of(Filter{.price_min = 2.0, .price_max = 1.0}), "price_min");
  EXPECT_TRUE(Filter{}.validate());
  EXPECT_TRUE(Filter{}.empty());
  EXPECT_FALSE(blank.empty());
}

TEST(Filters, ParametersHaveNames) {
  for (const FilterField field : all_filter_fields()) EXPECT_EQ(filter_field(parameter_name(field)), field);
  EXPECT_EQ(filter_field("size"), std::nullopt);
  EXPECT_EQ(attribute_of(FilterField::kColourFamily), Attribute::kColourFamily);
  EXPECT_EQ(column_name(attribute_of(FilterField::kColourFamily)), "perceived_colour_master_name");
}

}  // namespace
}  // namespace scalestyle::catalog
