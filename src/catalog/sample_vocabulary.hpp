#pragma once
// The words of the sample catalogue. All of it is invented or plain description.

#include <cstdint>
#include <span>
#include <string_view>

#include "catalog/sample_picture.hpp"

namespace scalestyle::catalog {

// Lists inside a text are separated by '|'.
struct SampleType {
  std::string_view noun;           // "shirt", as in a name
  std::string_view type;           // product_type_name
  std::string_view group;          // product_group_name
  std::string_view garment_group;  // garment_group_name
  std::string_view shape;
  std::string_view materials;      // letters of SampleMaterial::kind
  std::string_view occasions;      // letters of SampleOccasion::kind
  std::string_view audiences;      // W, M, K
  std::string_view adjectives;
  std::string_view cuts;
  std::string_view details;
  std::uint32_t price_min = 0;     // whole units of money
  std::uint32_t price_max = 0;
  bool patterned = true;
};

struct SampleMaterial {
  char kind;
  std::string_view phrase;   // "washed linen"
  std::string_view benefit;  // a sentence
};

struct SampleOccasion {
  char kind;
  std::string_view sentence;
};

struct NamedColour {
  std::string_view name;
  std::string_view family;
  std::string_view value;
  SampleColour rgb;
};

struct NamedPattern {
  SamplePattern pattern;
  std::string_view name;      // graphical_appearance_name
  std::string_view sentence;  // for the description; empty for plain cloth
};

[[nodiscard]] std::span<const SampleType> sample_types();
[[nodiscard]] std::span<const SampleMaterial> sample_materials();
[[nodiscard]] std::span<const SampleOccasion> sample_occasions();
[[nodiscard]] std::span<const NamedColour> sample_colours();
[[nodiscard]] std::span<const NamedPattern> sample_patterns();
[[nodiscard]] std::span<const std::string_view> sample_name_starts();
[[nodiscard]] std::span<const std::string_view> sample_name_ends();

}  // namespace scalestyle::catalog
