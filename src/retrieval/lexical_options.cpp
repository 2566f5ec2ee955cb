#include "retrieval/lexical_options.hpp"

#include <fmt/format.h>

#include <string>

namespace scalestyle::retrieval {

namespace {

constexpr std::array<LexicalField, kLexicalFieldCount> kFields = {
    LexicalField::kName,         LexicalField::kType,       LexicalField::kGroup,   LexicalField::kAppearance,
    LexicalField::kColour,       LexicalField::kColourValue, LexicalField::kColourFamily,
    LexicalField::kDepartment,   LexicalField::kSection,    LexicalField::kGarmentGroup,
    LexicalField::kIndex,        LexicalField::kIndexGroup, LexicalField::kDescription,
};

constexpr std::array<std::string_view, kLexicalFieldCount> kNames = {
    "name",       "type",    "group",         "appearance", "colour",      "colour_value", "colour_family",
    "department", "section", "garment_group", "index",      "index_group", "description"};

core::Status require(bool holds, std::string_view option, double value, std::string_view range) {
  if (holds) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is {}: it must be {}", option, value, range),
                    std::string(option));
}

core::Status require_share(float value, std::string_view option) {
  return require(value >= 0.0F && value <= 1.0F, option, static_cast<double>(value), "0 … 1");
}

}  // namespace

const std::array<LexicalField, kLexicalFieldCount>& all_lexical_fields() { return kFields; }

std::string_view to_string(LexicalField field) { return kNames[static_cast<std::size_t>(field)]; }

float LexicalOptions::weight(LexicalField field) const {
  switch (field) {
    case LexicalField::kName: return name_weight;
    case LexicalField::kType: return type_weight;
    case LexicalField::kColour:
    case LexicalField::kColourFamily: return colour_weight;
    case LexicalField::kDescription: return description_weight;
    default: return category_weight;
  }
}

float LexicalOptions::length_b(LexicalField field) const {
  return field == LexicalField::kName || field == LexicalField::kDescription ? text_length_b : attribute_length_b;
}

core::Status LexicalOptions::validate() const {
  float sum = 0;
  for (const auto& [value, option] : {std::pair{name_weight, "name_weight"}, std::pair{type_weight, "type_weight"},
                                      std::pair{colour_weight, "colour_weight"},
                                      std::pair{category_weight, "category_weight"},
                                      std::pair{description_weight, "description_weight"}}) {
    CORE_CHECK(require(value >= 0.0F && value <= 100.0F, option, static_cast<double>(value), "0 … 100"));
    sum += value;
  }
  CORE_CHECK(require(sum > 0.0F, "name_weight", static_cast<double>(sum), "above 0 when all other weights are 0"));
  CORE_CHECK(require(k1 >= 0.01F && k1 <= 10.0F, "k1", static_cast<double>(k1), "0.01 … 10"));
  CORE_CHECK(require_share(text_length_b, "text_length_b"));
  CORE_CHECK(require_share(attribute_length_b, "attribute_length_b"));
  return require_share(idf_exponent, "idf_exponent");
}

core::Status LexicalQueryOptions::validate() const {
  CORE_CHECK(require_share(stem_weight, "stem_weight"));
  CORE_CHECK(require_share(compound_weight, "compound_weight"));
  CORE_CHECK(require_share(synonym_weight, "synonym_weight"));
  CORE_CHECK(require_share(prefix_weight, "prefix_weight"));
  CORE_CHECK(require_share(correction_weight, "correction_weight"));
  CORE_CHECK(require(max_corrections <= 64, "max_corrections", static_cast<double>(max_corrections), "at most 64"));
  return require(max_expansions <= 64, "max_expansions", static_cast<double>(max_expansions), "at most 64");
}

}  // namespace scalestyle::retrieval
