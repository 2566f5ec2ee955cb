#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "image/corpus.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {

using namespace support;  // NOLINT: every name here is one of its

namespace {

constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 8> kOddSizes = {
    {{1, 1}, {1, 500}, {500, 1}, {2, 3}, {7, 9}, {17, 33}, {1, 16384}, {16384, 1}}};

Specimen right(std::string name, std::string file, Picture picture, double tolerance) {
  return {std::move(name), std::move(file), std::move(picture), tolerance};
}

// Sharp edges of strong colours lose most where chroma is halved, and in tiny pictures.
constexpr double kLossy = 9;
double lossy(std::uint32_t width, std::uint32_t height) {
  return width * height < 100 ? 70 : width * height < 1000 ? 15 : kLossy;
}

void add_turned(std::vector<Specimen>& out, std::string_view format) {
  const Picture upright = quadrants(48, 40);
  for (unsigned orientation = 0; orientation <= 9; ++orientation) {
    const Picture stored = orientation >= 1 && orientation <= 8 ? stored_for(upright, orientation) : upright;
    for (const bool little_endian : {false, true}) {
      const std::string exif = exif_block(orientation, little_endian);
      std::string file;
      if (format == "jpeg") {
        file = with_jpeg_segment(encode_jpeg(stored), 0xE1, std::string("Exif\0\0", 6) + exif);
      } else if (format == "png") {
        file = with_png_chunk(encode_png(stored), png_chunk("eXIf", exif));
      } else {
        const std::string content = little_endian ? std::string("Exif\0\0", 6) + exif : exif;
        file = extended_webp(encode_webp(stored, {.lossless = true}), {.flags = 8,
                                                                       .width = stored.width,
                                                                       .height = stored.height,
                                                                       .after = riff_chunk("EXIF", content)});
      }
      out.push_back(right(fmt::format("{} orientation {} {}", format, orientation, little_endian ? "II" : "MM"),
                          std::move(file), upright, format == "jpeg" ? kLossy : 0));
    }
  }
}

void add_few_bits_and_transparency(std::vector<Specimen>& out) {
  const Picture white = plain(19, 23, 0xFFFFFF);
  out.push_back(right("png grey 1", encode_png(white, {.colour = PngColour::kGrey, .depth = 1}), white, 0));
  out.push_back(right("png palette 1", encode_png(white, {.colour = PngColour::kPalette, .depth = 1}), white, 0));
  const Picture picture = quadrants(40, 30);
  Picture first_white = picture;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) {
    if (std::equal(picture.rgb.data(), picture.rgb.data() + 3, picture.rgb.data() + i)) {
      std::fill_n(first_white.rgb.data() + i, 3, std::uint8_t{255});
    }
  }
  for (const PngStyle& style : {PngStyle{.transparent_first = true}, PngStyle{.depth = 16, .transparent_first = true},
                                PngStyle{.colour = PngColour::kPalette, .transparent_first = true}}) {
    out.push_back(right(fmt::format("png tRNS of type {}, {} bits", static_cast<int>(style.colour), style.depth),
                        encode_png(picture, style), first_white, 0));
  }
}

}  // namespace

DecodeLimits corpus_limits() { return {.max_pixels = 4'000'000, .max_time = std::chrono::hours(1)}; }

std::vector<Specimen> valid_jpegs() {
  std::vector<Specimen> out;
  constexpr std::array<std::pair<JpegColour, std::string_view>, 8> kColours = {{{JpegColour::k420, "4:2:0"},
                                                                               {JpegColour::k422, "4:2:2"},
                                                                               {JpegColour::k440, "4:4:0"},
                                                                               {JpegColour::k444, "4:4:4"},
                                                                               {JpegColour::kGrey, "grey"},
                                                                               {JpegColour::kRgb, "RGB"},
                                                                               {JpegColour::kCmyk, "CMYK"},
                                                                               {JpegColour::kYcck, "YCCK"}}};
  for (const auto& [colour, name] : kColours) {
    const Picture picture = colour == JpegColour::kGrey ? grey_quadrants(50, 42) : quadrants(50, 42);
    for (const bool progressive : {false, true}) {
      for (const bool arithmetic : {false, true}) {
        const JpegStyle style{.colour = colour, .progressive = progressive, .arithmetic = arithmetic};
        out.push_back(right(fmt::format("jpeg {}{}{}", name, progressive ? " progressive" : "", arithmetic ? " arithmetic" : ""),
                            encode_jpeg(picture, style), picture, kLossy));
      }
    }
  }
  const Picture picture = quadrants(70, 52);
  out.push_back(right("jpeg with restarts", encode_jpeg(picture, {.restart_rows = 1}), picture, kLossy));
  out.push_back(right("jpeg, a scan a component", encode_jpeg(picture, {.scan_a_component = true}), picture, kLossy));
  out.push_back(right("jpeg of the best quality", encode_jpeg(picture, {.colour = JpegColour::k444, .quality = 100}), picture,
                      2));
  out.push_back(right("jpeg of the worst quality", encode_jpeg(plain(64, 64, 0x808080), {.quality = 1}),
                      plain(64, 64, 0x808080), kLossy));
  for (const auto& [width, height] : kOddSizes) {
    out.push_back(right(fmt::format("jpeg {} x {}", width, height), encode_jpeg(quadrants(width, height)),
                        quadrants(width, height), lossy(width, height)));
  }
  const std::string file = encode_jpeg(picture);
  out.push_back(right("jpeg without its end marker", file.substr(0, file.size() - 2), picture, kLossy));
  out.push_back(right("jpeg followed by something else", file + std::string(5000, 'x'), picture, kLossy));
  out.push_back(right("jpeg with filling before a marker", file.substr(0, 2) + std::string(300, '\xff') + file.substr(2),
                      picture, kLossy));
  std::string commented = file;
  for (int i = 0; i < 300; ++i) commented = with_jpeg_segment(commented, 0xFE, "a remark");
  out.push_back(right("jpeg with 300 remarks", std::move(commented), picture, kLossy));
  out.push_back(right("jpeg with a segment of 65,533 bytes", with_jpeg_segment(file, 0xED, std::string(65533, '\xff')), picture,
                      kLossy));
  add_turned(out, "jpeg");
  return out;
}

std::vector<Specimen> valid_pngs() {
  std::vector<Specimen> out;
  struct Kind {
    PngColour colour;
    int depth;
    std::string_view name;
  };
  constexpr std::array<Kind, 14> kKinds = {{{PngColour::kGrey, 2, "grey 2"},
                                            {PngColour::kGrey, 4, "grey 4"},
                                            {PngColour::kGrey, 8, "grey 8"},
                                            {PngColour::kGrey, 16, "grey 16"},
                                            {PngColour::kRgb, 8, "RGB 8"},
                                            {PngColour::kRgb, 16, "RGB 16"},
                                            {PngColour::kPalette, 2, "palette 2"},
                                            {PngColour::kPalette, 4, "palette 4"},
                                            {PngColour::kPalette, 8, "palette 8"},
                                            {PngColour::kGreyAlpha, 8, "grey and alpha 8"},
                                            {PngColour::kRgba, 8, "RGBA 8"},
                                            {PngColour::kRgba, 8, "RGBA 8 of alpha 255"},
                                            {PngColour::kGreyAlpha, 16, "grey and alpha 16"},
                                            {PngColour::kRgba, 16, "RGBA 16"}}};
  for (const Kind& kind : kKinds) {
    const bool grey = kind.colour == PngColour::kGrey || kind.colour == PngColour::kGreyAlpha;
    const bool alpha = kind.colour == PngColour::kRgba || kind.colour == PngColour::kGreyAlpha;
    const unsigned value = kind.name.ends_with("255") ? 255U : 96U;
    const Picture picture = grey ? grey_quadrants(45, 39) : quadrants(45, 39);
    for (const bool interlaced : {false, true}) {
      const PngStyle style{.colour = kind.colour, .depth = kind.depth, .interlaced = interlaced, .alpha = value};
      out.push_back(right(fmt::format("png {}{}", kind.name, interlaced ? " interlaced" : ""), encode_png(picture, style),
                          alpha ? faded(picture, value) : picture, 0));
    }
  }
  add_few_bits_and_transparency(out);
  for (const auto& [width, height] : kOddSizes) {
    out.push_back(right(fmt::format("png {} x {}", width, height), encode_png(quadrants(width, height)),
                        quadrants(width, height), 0));
  }
  for (const std::uint32_t width : {1U, 2U, 3U, 5U, 9U}) {
    for (const std::uint32_t height : {1U, 2U, 3U, 5U, 9U}) {
      const Picture picture = noise(width, height, width * 10 + height);
      out.push_back(right(fmt::format("png interlaced {} x {}", width, height), encode_png(picture, {.interlaced = true}),
                          picture, 0));
    }
  }
  const Picture quarters = quadrants(40, 30);
  const std::string file = encode_png(quarters);
  out.push_back(right("png stored uncompressed", encode_png(noise(60, 50, 3), {.compression = 0}), noise(60, 50, 3), 0));
  out.push_back(right("png followed by something else", file + "trailing", quarters, 0));
  out.push_back(right("png with an unknown chunk", with_png_chunk(file, png_chunk("abCd", "what?")), quarters, 0));
  add_turned(out, "png");
  return out;
}

std::vector<Specimen> valid_webps() {
  std::vector<Specimen> out;
  const Picture picture = quadrants(50, 42);
  for (const bool lossless : {false, true}) {
    const double tolerance = lossless ? 0 : kLossy;
    const std::string_view name = lossless ? "lossless" : "lossy";
    out.push_back(right(fmt::format("webp {}", name), encode_webp(picture, {.lossless = lossless}), picture, tolerance));
    for (const unsigned alpha : {0U, 40U, 200U, 255U}) {
      out.push_back(right(fmt::format("webp {} alpha {}", name, alpha),
                          encode_webp(picture, {.lossless = lossless, .alpha_channel = true, .alpha = alpha}),
                          faded(picture, alpha), tolerance));
    }
    for (const auto& [width, height] : kOddSizes) {
      const Picture odd = quadrants(std::min(width, 16383U), std::min(height, 16383U));
      out.push_back(right(fmt::format("webp {} {} x {}", name, odd.width, odd.height), encode_webp(odd, {.lossless = lossless}),
                          odd, lossless ? 0 : lossy(width, height)));
    }
  }
  out.push_back(right("webp of the worst quality", encode_webp(plain(64, 48, 0x336699), {.quality = 0}),
                      plain(64, 48, 0x336699), kLossy));
  out.push_back(right("webp of noise", encode_webp(noise(64, 48, 4), {.lossless = true}), noise(64, 48, 4), 0));
  const std::string file = encode_webp(picture, {.lossless = true});
  out.push_back(right("webp followed by something else", file + "trailing", picture, 0));
  out.push_back(right("webp extended with a profile and an unknown chunk",
                      extended_webp(file, {.flags = 0x20,
                                           .width = 50,
                                           .height = 42,
                                           .before = riff_chunk("ICCP", "no profile") + riff_chunk("ABCD", "odd"),
                                           .after = riff_chunk("XMP ", "<x/>")}),
                      picture, 0));
  add_turned(out, "webp");
  return out;
}

}  // namespace scalestyle::image
