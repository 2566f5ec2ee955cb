#pragma once
// How well the colours of two articles go together: neutral colours with everything, a colour with its own family and with stated
// others. The table is a stylist's rule of thumb, not measured; it orders what goes together otherwise, and excludes nothing.
//
// Pure; immutable once made: safe from any thread. One byte a row.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/catalog.hpp"

namespace scalestyle::ranking {

// Families; up to kMetal they are neutral.
enum class Hue : std::uint8_t {
  kUnknown,
  kBlack,
  kWhite,
  kGrey,
  kBeige,
  kNavy,
  kMetal,
  kBrown,
  kBlue,
  kTurquoise,
  kGreen,
  kKhaki,
  kYellow,
  kOrange,
  kRed,
  kPink,
  kPurple,
};
inline constexpr std::size_t kHueCount = 17;

// By the words of the colour's name ("Dark Blue": navy), else of its family's.
[[nodiscard]] Hue hue_of(std::string_view colour, std::string_view family);

// In (0, 1], symmetric. kUnknownColours where one of them is not known.
[[nodiscard]] float colour_match(Hue a, Hue b);
inline constexpr float kUnknownColours = 0.7F;

class RowHues {
 public:
  explicit RowHues(const catalog::Catalog& articles);

  [[nodiscard]] std::size_t size() const { return hues_.size(); }
  [[nodiscard]] Hue of(catalog::RowIndex row) const { return hues_[row.value]; }
  [[nodiscard]] float match(catalog::RowIndex a, catalog::RowIndex b) const { return colour_match(of(a), of(b)); }

 private:
  std::vector<Hue> hues_;
};

}  // namespace scalestyle::ranking
