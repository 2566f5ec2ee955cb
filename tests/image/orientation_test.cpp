#include "image/orientation.hpp"

#include <gmock/gmock.h>

#include <string>

#include "support/picture_files.hpp"

namespace scalestyle::image {
namespace {

// Two pixels wide, three high, a letter each.
std::string turned(unsigned orientation) {
  Picture picture{2, 3, {}};
  for (const char letter : std::string("abcdef")) picture.rgb.insert(picture.rgb.end(), 3, static_cast<std::uint8_t>(letter));
  turn_upright(picture, orientation);
  std::string rows;
  for (std::size_t i = 0; i < 6; ++i) {
    if (i % picture.width == 0 && i > 0) rows += '/';
    rows += static_cast<char>(picture.rgb[3 * i]);
    EXPECT_EQ(picture.rgb[3 * i], picture.rgb[3 * i + 2]);
  }
  EXPECT_EQ(picture.width * picture.height, 6U);
  return rows;
}

// EXIF 2.32: where the stored first row and first column belong.
TEST(TurnUpright, AllEight) {
  EXPECT_EQ(turned(1), "ab/cd/ef");
  EXPECT_EQ(turned(2), "ba/dc/fe");  // top, right
  EXPECT_EQ(turned(3), "fe/dc/ba");  // bottom, right
  EXPECT_EQ(turned(4), "ef/cd/ab");  // bottom, left
  EXPECT_EQ(turned(5), "ace/bdf");   // left, top
  EXPECT_EQ(turned(6), "eca/fdb");   // right, top
  EXPECT_EQ(turned(7), "fdb/eca");   // right, bottom
  EXPECT_EQ(turned(8), "bdf/ace");   // left, bottom
  EXPECT_EQ(turned(0), "ab/cd/ef");
  EXPECT_EQ(turned(9), "ab/cd/ef");
}

// Any beginning of a file with EXIF, in any format, is read without a step beyond it.
TEST(Orientation, OfCutFiles) {
  const Picture picture = support::quadrants(8, 8);
  const std::string exif = support::exif_block(8, false);
  const std::string jpeg = support::with_jpeg_segment(support::encode_jpeg(picture), 0xE1, std::string("Exif\0\0", 6) + exif);
  const std::string png = support::with_png_chunk(support::encode_png(picture), support::png_chunk("eXIf", exif));
  const std::string webp = support::extended_webp(support::encode_webp(picture), {.flags = 8, .width = 8, .height = 8,
                                                                                  .after = support::riff_chunk("EXIF", exif)});
  for (const Format format : {Format::kJpeg, Format::kPng, Format::kWebp}) {
    for (const std::string& file : {jpeg, png, webp}) {
      for (std::size_t size = 0; size <= file.size(); ++size) {
        const std::string cut = file.substr(0, size);  // a block of its own, so that a sanitizer sees its end
        const unsigned found = orientation(format, std::as_bytes(std::span(cut)));
        EXPECT_TRUE(found == 1 || found == 8);
      }
    }
  }
  EXPECT_EQ(orientation(Format::kJpeg, std::as_bytes(std::span(jpeg))), 8U);
  EXPECT_EQ(orientation(Format::kPng, std::as_bytes(std::span(png))), 8U);
  EXPECT_EQ(orientation(Format::kWebp, std::as_bytes(std::span(webp))), 8U);
}

}  // namespace
}  // namespace scalestyle::image
