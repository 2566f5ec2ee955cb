#include "catalog/article.hpp"

namespace scalestyle::catalog {
namespace {

constexpr std::array<std::string_view, kAttributeCount> kColumnNames = {
    "product_type_name",
    "product_group_name",
    "graphical_appearance_name",
    "colour_group_name",
    "perceived_colour_value_name",
    "perceived_colour_master_name",
    "department_name",
    "index_name",
    "index_group_name",
    "section_name",
    "garment_group_name",
    "product_type_no",
    "graphical_appearance_no",
    "colour_group_code",
    "perceived_colour_value_id",
    "perceived_colour_master_id",
    "department_no",
    "index_code",
    "index_group_no",
    "section_no",
    "garment_group_no",
};

constexpr std::array<Attribute, kAttributeCount> make_attributes() {
  std::array<Attribute, kAttributeCount> attributes{};
  for (std::size_t i = 0; i < kAttributeCount; ++i) attributes[i] = static_cast<Attribute>(i);
  return attributes;
}

constexpr std::array<Attribute, kAttributeCount> kAttributes = make_attributes();

}  // namespace

std::string_view column_name(Attribute attribute) { return kColumnNames[static_cast<std::size_t>(attribute)]; }

const std::array<Attribute, kAttributeCount>& all_attributes() { return kAttributes; }

}  // namespace scalestyle::catalog
