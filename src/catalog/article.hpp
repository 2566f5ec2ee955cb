#pragma once
// One article as files and the catalogue store hold it: the columns of the H&M data set, all text, plus what a shop adds.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/article_id.hpp"

namespace scalestyle::catalog {

// The attributes that many articles share; the catalogue stores each distinct value once.
// The numbers and codes stay text: nothing computes with them and some have letters.
enum class Attribute : std::uint8_t {
  kProductType,
  kProductGroup,
  kAppearance,
  kColour,
  kColourValue,
  kColourFamily,
  kDepartment,
  kIndex,
  kIndexGroup,
  kSection,
  kGarmentGroup,
  kProductTypeNo,
  kAppearanceNo,
  kColourCode,
  kColourValueId,
  kColourFamilyId,
  kDepartmentNo,
  kIndexCode,
  kIndexGroupNo,
  kSectionNo,
  kGarmentGroupNo,
};
inline constexpr std::size_t kAttributeCount = 21;

// Name of the attribute's column in articles.csv, for example "colour_group_name".
[[nodiscard]] std::string_view column_name(Attribute attribute);

// Every Attribute in order, for loops.
[[nodiscard]] const std::array<Attribute, kAttributeCount>& all_attributes();

// Empty text means that the value is not known.
struct Article {
  ArticleId id;
  std::string product_code{};  // shared by the colour variants of one product; the id itself when the source has none
  std::string name{};          // prod_name
  std::string description{};   // detail_desc
  std::array<std::string, kAttributeCount> attributes{};
  std::optional<double> price{};  // in the catalogue's currency; finite and ≥ 0; absent is absent, never NaN
  std::uint64_t purchase_count = 0;
  std::string image_path{};  // relative to the image folder; empty without a picture
  bool available = true;

  [[nodiscard]] const std::string& operator[](Attribute attribute) const {
    return attributes[static_cast<std::size_t>(attribute)];
  }
  [[nodiscard]] std::string& operator[](Attribute attribute) { return attributes[static_cast<std::size_t>(attribute)]; }
  friend bool operator==(const Article&, const Article&) = default;
};

}  // namespace scalestyle::catalog
