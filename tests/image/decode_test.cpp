#include "image/decode.hpp"

#include <gmock/gmock.h>

#include <string>

#include "image/picture_difference.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {
namespace {

using core::ErrorCode;
using support::encode_jpeg;
using support::encode_png;
using support::encode_webp;
using support::quadrants;
using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& file) { return std::as_bytes(std::span(file)); }

// Without a limit on time, which a busy machine could reach.
const DecodeLimits kNoHurry{.max_time = std::chrono::hours(1)};

void expect_above_limit(const std::string& file, const DecodeLimits& limits, const std::string& message) {
  const auto picture = decode(bytes_of(file), limits);
  ASSERT_FALSE(picture);
  EXPECT_EQ(picture.error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(picture.error().retryable);
  EXPECT_THAT(picture.error().message, HasSubstr(message));
}

TEST(Detect, ByTheFirstBytes) {
  const Picture picture = quadrants(8, 8);
  EXPECT_EQ(detect(bytes_of(encode_jpeg(picture))), Format::kJpeg);
  EXPECT_EQ(detect(bytes_of(encode_png(picture))), Format::kPng);
  EXPECT_EQ(detect(bytes_of(encode_webp(picture))), Format::kWebp);
  const auto gif = detect(bytes_of("GIF89a"));
  ASSERT_FALSE(gif);
  EXPECT_EQ(gif.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(gif.error().message, "not a JPEG, PNG or WebP picture: it begins like a GIF");
  EXPECT_EQ(detect({}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Limits, BytesSidesAndPixelsAreInclusive) {
  const Picture picture = quadrants(60, 50);
  for (const std::string& file : {encode_jpeg(picture), encode_png(picture), encode_webp(picture)}) {
    const DecodeLimits just{.max_bytes = file.size(), .max_pixels = 3000, .max_side = 60, .max_time = std::chrono::hours(1)};
    EXPECT_TRUE(decode(bytes_of(file), just));
    DecodeLimits less = just;
    less.max_bytes = file.size() - 1;
    expect_above_limit(file, less, "bytes; the limit is");
    less = just;
    less.max_pixels = 2999;
    expect_above_limit(file, less, "60 x 50 pixels, 3000 together; the limit is 2999");
    less = just;
    less.max_side = 59;
    expect_above_limit(file, less, "60 x 50 pixels; a side may have 59");
  }
}

TEST(Limits, Time) {
  const Picture picture = quadrants(60, 50);
  const std::string chunks = support::with_png_chunk(encode_png(picture), support::png_chunk("tEXt", "a remark"));
  for (const std::string& file : {encode_jpeg(picture), encode_jpeg(picture, {.progressive = true}), encode_png(picture), chunks,
                                  encode_png(picture, {.interlaced = true}), encode_webp(picture),
                                  encode_webp(picture, {.lossless = true})}) {
    expect_above_limit(file, {.max_time = std::chrono::milliseconds(0)}, "takes longer to decode than 0 ms");
  }
}

// The coefficients of all scans are kept: 2 bytes for each of 3 x 64 of a block, more than the limit of 4 a pixel.
TEST(Limits, MemoryOfProgressiveJpegs) {
  const Picture picture = quadrants(64, 64);
  const std::string full = encode_jpeg(picture, {.colour = support::JpegColour::k444, .progressive = true});
  DecodeLimits limits = kNoHurry;
  limits.max_pixels = 64 * 64;
  expect_above_limit(full, limits, "of several scans takes 24576 bytes to decode; the limit is 16384");
  EXPECT_TRUE(decode(bytes_of(encode_jpeg(picture, {.progressive = true})), limits));
  EXPECT_TRUE(decode(bytes_of(encode_jpeg(picture, {.colour = support::JpegColour::k444})), limits));
}

TEST(JpegScaling, ShortSideStaysAtLeastWhatIsWanted) {
  const std::string file = encode_jpeg(quadrants(1001, 600));
  struct Case {
    std::uint32_t wanted, width, height;
  };
  for (const Case& c : {Case{0, 1001, 600}, {1, 126, 75}, {75, 126, 75}, {76, 251, 150}, {150, 251, 150}, {151, 501, 300},
                        {300, 501, 300}, {301, 1001, 600}, {600, 1001, 600}, {5000, 1001, 600}}) {
    const auto picture = decode(bytes_of(file), kNoHurry, c.wanted);
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->width, c.width) << c.wanted;
    EXPECT_EQ(picture->height, c.height) << c.wanted;
    EXPECT_LE(difference(*picture, quadrants(c.width, c.height)).mean, 4);
  }
}

TEST(JpegScaling, TurnsWhatItScaled) {
  const Picture upright = quadrants(160, 240);
  const std::string file = support::with_jpeg_segment(encode_jpeg(support::stored_for(upright, 6)), 0xE1,
                                                      std::string("Exif\0\0", 6) + support::exif_block(6, false));
  const auto picture = decode(bytes_of(file), kNoHurry, 40);
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(picture->width, 40U);
  EXPECT_EQ(picture->height, 60U);
  EXPECT_LE(difference(*picture, quadrants(40, 60)).mean, 6);
}

TEST(JpegScaling, OtherFormatsKeepTheirSize) {
  EXPECT_EQ(decode(bytes_of(encode_png(quadrants(64, 64))), kNoHurry, 8)->width, 64U);
  EXPECT_EQ(decode(bytes_of(encode_webp(quadrants(64, 64))), kNoHurry, 8)->width, 64U);
}

}  // namespace
}  // namespace scalestyle::image
