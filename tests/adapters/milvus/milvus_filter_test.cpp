#include "adapters/milvus/milvus_filter.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>

#include "adapters/milvus/milvus_fields.hpp"

namespace scalestyle::adapters::milvus {
namespace {

using catalog::Filter;
using catalog::FilterField;

Filter of(FilterField field, std::vector<std::string> values) {
  Filter filter;
  filter[field] = std::move(values);
  return filter;
}

TEST(MilvusFilter, SaysEveryFieldInItsFoldedForm) {
  EXPECT_EQ(filter_expression(Filter{}), "");
  EXPECT_EQ(filter_expression(of(FilterField::kColour, {"Dark Red"})), R"(filter_colour in ["dark red"])");
  EXPECT_EQ(filter_expression(of(FilterField::kColourFamily, {"  Green\t"})), R"(filter_colour_family in ["green"])");
  EXPECT_EQ(filter_expression(of(FilterField::kType, {"T-shirt"})), R"(filter_type in ["t-shirt"])");
  EXPECT_EQ(filter_expression(of(FilterField::kGroup, {"x"})), R"(filter_group in ["x"])");
  EXPECT_EQ(filter_expression(of(FilterField::kDepartment, {"x"})), R"(filter_department in ["x"])");
  EXPECT_EQ(filter_expression(of(FilterField::kSection, {"x"})), R"(filter_section in ["x"])");
  EXPECT_EQ(filter_expression(of(FilterField::kGarmentGroup, {"x"})), R"(filter_garment_group in ["x"])");
  EXPECT_EQ(filter_expression(of(FilterField::kIndex, {"Größe ÄÖ"})), R"(filter_index in ["größe äö"])");
}

TEST(MilvusFilter, JoinsValuesAndFields) {
  Filter filter = of(FilterField::kColour, {"red", "Black", "RED"});
  filter[FilterField::kSection] = {"H&M+"};
  filter.price_min = 10;
  filter.price_max = 20.5;
  EXPECT_EQ(filter_expression(filter),
            R"(price >= 10.0 and price <= 20.5 and filter_colour in ["black", "red"] and filter_section in ["h&m+"])");
  EXPECT_EQ(filter_expression(filter, true).substr(0, 23), "available == true and p");
  EXPECT_EQ(filter_expression(Filter{}, true), "available == true");
}

TEST(MilvusFilter, PricesKeepEveryBitAndLeaveOutWhatHasNone) {
  Filter filter;
  filter.price_max = 0.1;
  EXPECT_EQ(filter_expression(filter), "price >= 0.0 and price <= 0.1");
  filter.price_max.reset();
  for (const double price : {0.30000000000000004, 1e-7, 5e-324, 1e300, 123456789012345680.0, 1.7976931348623157e308}) {
    filter.price_min = price;
    const std::string said = filter_expression(filter);
    EXPECT_EQ(std::strtod(said.c_str() + said.rfind(' '), nullptr), price) << said;
    EXPECT_NE(said.find_first_of(".e", said.find(">=")), std::string::npos) << said;
  }
  filter.price_min = std::numeric_limits<double>::infinity();
  EXPECT_EQ(filter_expression(filter), "");
}

TEST(MilvusFilter, HostileValuesStayValues) {
  EXPECT_EQ(filter_expression(of(FilterField::kColour, {R"(red"] or article_id != "" or filter_colour in ["x)"})),
            R"(filter_colour in ["red\"] or article_id != \"\" or filter_colour in [\"x"])");
  EXPECT_EQ(filter_expression(of(FilterField::kColour, {R"(back\)"})), R"(filter_colour in ["back\\"])");
  EXPECT_EQ(filter_expression(of(FilterField::kColour, {R"(\" or true)"})), R"(filter_colour in ["\\\" or true"])");
  EXPECT_EQ(filter_expression(of(FilterField::kColour, {"it's {x} %_*"})), R"(filter_colour in ["it's {x} %_*"])");
}

// What is left out lets more pass, never less.
TEST(MilvusFilter, LeavesOutWhatCannotBeSaid) {
  for (const std::string& value :
       {std::string("a\nb"), std::string("nul\0x", 5), std::string("bell\a"), std::string("del\x7f")}) {
    EXPECT_EQ(quoted_text(value), std::nullopt);
    Filter filter = of(FilterField::kColour, {"red", value});
    filter[FilterField::kType] = {"hat"};
    EXPECT_EQ(filter_expression(filter), R"(filter_type in ["hat"])");
  }
  // Ill-formed UTF-8 becomes the character that stands for it, as it does in the catalogue.
  EXPECT_EQ(filter_expression(of(FilterField::kColour, {"x\xff"})), "filter_colour in [\"x\xef\xbf\xbd\"]");

  Filter filter = of(FilterField::kType, {"hat"});
  for (int i = 0; i < 5000; ++i) filter[FilterField::kColour].push_back("a value of some length, number " + std::to_string(i));
  filter.price_min = 3;
  EXPECT_EQ(filter_expression(filter), R"(price >= 3.0 and filter_type in ["hat"])");
  filter[FilterField::kColour].resize(1000);
  const std::string fits = filter_expression(filter);
  EXPECT_NE(fits.find("number 999\""), std::string::npos);
  EXPECT_LE(fits.size(), kMaxExpressionBytes);
}

}  // namespace
}  // namespace scalestyle::adapters::milvus
