// Which colours go together.
#include "ranking/colour_match.hpp"

#include <gtest/gtest.h>

namespace scalestyle::ranking {
namespace {

Hue hue(std::size_t i) { return static_cast<Hue>(i); }

TEST(ColourMatch, ReadsTheNameAndElseTheFamily) {
  EXPECT_EQ(hue_of("Dark Blue", "Blue"), Hue::kNavy);
  EXPECT_EQ(hue_of("Light Blue", ""), Hue::kBlue);
  EXPECT_EQ(hue_of("Greenish Khaki", ""), Hue::kKhaki);
  EXPECT_EQ(hue_of("Yellowish Brown", "Brown"), Hue::kBrown);
  EXPECT_EQ(hue_of("Greyish Beige", ""), Hue::kBeige);
  EXPECT_EQ(hue_of("Bronze/Copper", ""), Hue::kMetal);
  EXPECT_EQ(hue_of("OFF WHITE", ""), Hue::kWhite);
  EXPECT_EQ(hue_of("Other", "Red"), Hue::kRed);
  EXPECT_EQ(hue_of("Unknown", "undefined"), Hue::kUnknown);
  EXPECT_EQ(hue_of("", ""), Hue::kUnknown);
  EXPECT_EQ(hue_of("Hundred", "Sacred"), Hue::kUnknown);  // whole words only
}

TEST(ColourMatch, IsSymmetricAndWithinBounds) {
  for (std::size_t a = 0; a < kHueCount; ++a) {
    for (std::size_t b = 0; b < kHueCount; ++b) {
      EXPECT_EQ(colour_match(hue(a), hue(b)), colour_match(hue(b), hue(a)));
      EXPECT_GT(colour_match(hue(a), hue(b)), 0);
      EXPECT_LE(colour_match(hue(a), hue(b)), 1);
    }
  }
}

TEST(ColourMatch, NeutralThenFamilyThenStatedThenAnyOther) {
  EXPECT_EQ(colour_match(Hue::kBlack, Hue::kRed), 1.0F);
  EXPECT_GT(colour_match(Hue::kBlack, Hue::kRed), colour_match(Hue::kRed, Hue::kRed));
  EXPECT_GT(colour_match(Hue::kRed, Hue::kRed), colour_match(Hue::kRed, Hue::kPink));
  EXPECT_GT(colour_match(Hue::kRed, Hue::kPink), colour_match(Hue::kRed, Hue::kGreen));
  EXPECT_EQ(colour_match(Hue::kUnknown, Hue::kRed), kUnknownColours);
  EXPECT_EQ(colour_match(Hue::kUnknown, Hue::kBlack), kUnknownColours);
}

}  // namespace
}  // namespace scalestyle::ranking
