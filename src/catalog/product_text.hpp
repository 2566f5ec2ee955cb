#pragma once
// The text of an article that is embedded, and the hash by which equal texts are found.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "catalog/article.hpp"

namespace scalestyle::catalog {

// Recorded in a generation: vectors made from another format are not comparable.
inline constexpr std::string_view kTextFormat = "product_text_v1";

// Segments in this order, joined by one space, each but the description ended by a full stop, left out when empty:
//   Product: name ("Unknown Product" without one). Type: product type / product group. Colour: colour / colour value.
//   Appearance: graphical appearance. Category: department, section, garment group, index. Description: description
// Values are trimmed of blanks at their ends. A description that is missing is left out (never "nan").
[[nodiscard]] std::string product_text_v1(const Article& article);

// The first 128 bits of the text's SHA-256: among 10⁹ texts two equal hashes have probability below 10⁻²⁰.
struct TextHash {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] std::string hex() const;  // 32 lower-case digits
  friend auto operator<=>(const TextHash&, const TextHash&) = default;
};

[[nodiscard]] TextHash hash_text(std::string_view text);

}  // namespace scalestyle::catalog

template <>
struct std::hash<scalestyle::catalog::TextHash> {
  std::size_t operator()(const scalestyle::catalog::TextHash& text_hash) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, text_hash.bytes.data(), sizeof value);  // SHA-256 bits are already uniform
    return value;
  }
};
