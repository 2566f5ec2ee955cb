#include "support/picture_files.hpp"

#include <webp/encode.h>
#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <jpeglib.h>
#include <png.h>

#include "image/codec.hpp"
#include "image/orientation.hpp"

namespace scalestyle::support {
namespace {

using image::Picture;

Picture of_four(std::uint32_t width, std::uint32_t height, const std::array<std::uint32_t, 4>& colours) {
  Picture picture{width, height, {}};
  picture.rgb.reserve(std::size_t{width} * height * 3);
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const std::uint32_t colour = colours[(2 * y < height ? 0U : 2U) + (2 * x < width ? 0U : 1U)];
      for (const unsigned shift : {16U, 8U, 0U}) picture.rgb.push_back(static_cast<std::uint8_t>(colour >> shift & 0xFFU));
    }
  }
  return picture;
}

const std::uint8_t* pixel(const Picture& picture, std::size_t x, std::size_t y) {
  return picture.rgb.data() + (y * picture.width + x) * 3;
}

unsigned alpha_of_row(const Picture& picture, std::size_t y, unsigned lower) {
  return 2 * y >= picture.height ? lower : 255U;
}

void set_up_jpeg(jpeg_compress_struct& library, const JpegStyle& style) {
  const JpegColour colour = style.colour;
  jpeg_set_defaults(&library);
  if (colour == JpegColour::kGrey) jpeg_set_colorspace(&library, JCS_GRAYSCALE);
  if (colour == JpegColour::kRgb) jpeg_set_colorspace(&library, JCS_RGB);
  if (colour == JpegColour::kCmyk) jpeg_set_colorspace(&library, JCS_CMYK);
  if (colour == JpegColour::kYcck) jpeg_set_colorspace(&library, JCS_YCCK);
  if (colour != JpegColour::k420 && colour != JpegColour::kYcck) {
    library.comp_info[0].h_samp_factor = colour == JpegColour::k422 ? 2 : 1;
    library.comp_info[0].v_samp_factor = colour == JpegColour::k440 ? 2 : 1;
  }
  jpeg_set_quality(&library, style.quality, TRUE);
  library.arith_code = style.arithmetic ? TRUE : FALSE;
  library.restart_in_rows = style.restart_rows;
  if (style.progressive) jpeg_simple_progression(&library);
}

}  // namespace

Picture quadrants(std::uint32_t width, std::uint32_t height) {
  return of_four(width, height, {0xDC1E28, 0x28B43C, 0x1E32C8, 0xF0D21E});
}
Picture grey_quadrants(std::uint32_t width, std::uint32_t height) {
  return of_four(width, height, {0x000000, 0x555555, 0xAAAAAA, 0xFFFFFF});
}
Picture plain(std::uint32_t width, std::uint32_t height, std::uint32_t rgb) {
  return of_four(width, height, {rgb, rgb, rgb, rgb});
}

Picture noise(std::uint32_t width, std::uint32_t height, std::uint32_t seed) {
  Picture picture{width, height, std::vector<std::uint8_t>(std::size_t{width} * height * 3)};
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::uint8_t& value : picture.rgb) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(state >> 24U);
  }
  return picture;
}

Picture faded(Picture picture, unsigned alpha) {
  for (std::size_t y = 0; y < picture.height; ++y) {
    const unsigned of_row = alpha_of_row(picture, y, alpha);
    for (std::size_t i = y * picture.width * 3; i < (y + 1) * picture.width * 3; ++i) {
      picture.rgb[i] = static_cast<std::uint8_t>((picture.rgb[i] * of_row + 255 * (255 - of_row) + 127) / 255);
    }
  }
  return picture;
}

Picture stored_for(const Picture& picture, unsigned orientation) {
  constexpr std::array<unsigned, 9> kInverse = {1, 1, 2, 3, 4, 5, 8, 7, 6};
  Picture stored = picture;
  image::turn_upright(stored, kInverse[orientation]);
  return stored;
}

std::string encode_jpeg(const Picture& picture, const JpegStyle& style) {
  const bool cmyk = style.colour == JpegColour::kCmyk || style.colour == JpegColour::kYcck;
  jpeg_compress_struct library{};
  jpeg_error_mgr errors{};
  library.err = jpeg_std_error(&errors);  // an error ends the program
  jpeg_create_compress(&library);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&library, &bytes, &size);
  library.image_width = picture.width;
  library.image_height = picture.height;
  library.input_components = cmyk ? 4 : 3;
  library.in_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  set_up_jpeg(library, style);
  std::array<jpeg_scan_info, 4> scans{};
  if (style.scan_a_component) {
    for (int i = 0; i < library.num_components; ++i) {
      scans[static_cast<std::size_t>(i)] = jpeg_scan_info{1, {i, 0, 0, 0}, 0, 63, 0, 0};
    }
    library.scan_info = scans.data();
    library.num_scans = library.num_components;
  }
  jpeg_start_compress(&library, TRUE);
  std::vector<std::uint8_t> row;
  while (library.next_scanline < library.image_height) {
    row.clear();
    for (std::size_t x = 0; x < picture.width; ++x) {
      const std::uint8_t* const from = pixel(picture, x, library.next_scanline);
      row.insert(row.end(), from, from + 3);
      if (cmyk) row.push_back(255);  // no black ink
    }
    JSAMPROW data = row.data();
    jpeg_write_scanlines(&library, &data, 1);
  }
  jpeg_finish_compress(&library);
  jpeg_destroy_compress(&library);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return file;
}

namespace {

constexpr std::array<int, 5> kPngTypes = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_PALETTE,
                                          PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB_ALPHA};

// The samples of one row, one number each, packed to the depth.
std::vector<std::uint8_t> pack(const std::vector<unsigned>& samples, int depth) {
  std::vector<std::uint8_t> bytes;
  if (depth == 16) {
    for (const unsigned sample : samples) bytes.insert(bytes.end(), 2, static_cast<std::uint8_t>(sample));  // x 257
    return bytes;
  }
  unsigned filled = 8;
  for (const unsigned sample : samples) {
    if (filled == 8) bytes.push_back(0), filled = 0;
    filled += static_cast<unsigned>(depth);
    bytes.back() = static_cast<std::uint8_t>(bytes.back() | sample << (8 - filled));
  }
  return bytes;
}

unsigned index_of(std::vector<png_color>& palette, const std::uint8_t* rgb) {
  for (std::size_t i = 0; i < palette.size(); ++i) {
    if (palette[i].red == rgb[0] && palette[i].green == rgb[1] && palette[i].blue == rgb[2]) return static_cast<unsigned>(i);
  }
  palette.push_back({rgb[0], rgb[1], rgb[2]});
  return static_cast<unsigned>(palette.size() - 1);
}

struct PngRows {
  std::vector<std::vector<std::uint8_t>> rows;
  std::vector<png_color> palette;
};

PngRows rows_of(const Picture& picture, const PngStyle& style) {
  PngRows out;
  for (std::size_t y = 0; y < picture.height; ++y) {
    std::vector<unsigned> samples;
    for (std::size_t x = 0; x < picture.width; ++x) {
      const std::uint8_t* const rgb = pixel(picture, x, y);
      if (style.colour == PngColour::kPalette) {
        samples.push_back(index_of(out.palette, rgb));
      } else if (style.colour == PngColour::kGrey || style.colour == PngColour::kGreyAlpha) {
        samples.push_back(style.depth < 8 ? rgb[0] * ((1U << style.depth) - 1) / 255 : rgb[0]);
      } else {
        samples.insert(samples.end(), rgb, rgb + 3);
      }
      if (style.colour == PngColour::kGreyAlpha || style.colour == PngColour::kRgba) {
        samples.push_back(alpha_of_row(picture, y, style.alpha));
      }
    }
    out.rows.push_back(pack(samples, style.depth));
  }
  return out;
}

void append_to_file(png_structp library, png_bytep data, std::size_t size) {
  static_cast<std::string*>(png_get_io_ptr(library))->append(reinterpret_cast<const char*>(data), size);
}
void flush_nothing(png_structp /*library*/) {}

void make_first_transparent(png_structp library, png_infop info, const Picture& picture, const PngStyle& style) {
  const png_byte none = 0;
  const auto wide = [&style](unsigned value) {
    return static_cast<png_uint_16>(style.depth == 16 ? value * 257 : style.depth == 8 ? value : value >> (8 - style.depth));
  };
  png_color_16 colour{0, wide(picture.rgb[0]), wide(picture.rgb[1]), wide(picture.rgb[2]), wide(picture.rgb[0])};
  const bool palette = style.colour == PngColour::kPalette;
  png_set_tRNS(library, info, palette ? &none : nullptr, palette ? 1 : 0, palette ? nullptr : &colour);
}

}  // namespace

std::string encode_png(const Picture& picture, const PngStyle& style) {
  PngRows content = rows_of(picture, style);
  std::string file;
  png_structp library = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(library);
  png_set_write_fn(library, &file, append_to_file, flush_nothing);
  png_set_user_limits(library, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_compression_level(library, style.compression);
  png_set_IHDR(library, info, picture.width, picture.height, style.depth, kPngTypes[static_cast<std::size_t>(style.colour)],
               style.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!content.palette.empty()) png_set_PLTE(library, info, content.palette.data(), static_cast<int>(content.palette.size()));
  if (style.transparent_first) make_first_transparent(library, info, picture, style);
  png_write_info(library, info);
  std::vector<png_bytep> rows;
  for (std::vector<std::uint8_t>& row : content.rows) rows.push_back(row.data());
  png_write_image(library, rows.data());
  png_write_end(library, nullptr);
  png_destroy_write_struct(&library, &info);
  return file;
}

std::string encode_webp(const Picture& picture, const WebpStyle& style) {
  const int width = static_cast<int>(picture.width);
  const int height = static_cast<int>(picture.height);
  std::vector<std::uint8_t> rgba;
  for (std::size_t y = 0; y < picture.height; ++y) {
    for (std::size_t x = 0; x < picture.width; ++x) {
      rgba.insert(rgba.end(), pixel(picture, x, y), pixel(picture, x, y) + 3);
      rgba.push_back(static_cast<std::uint8_t>(style.alpha_channel ? alpha_of_row(picture, y, style.alpha) : 255U));
    }
  }
  std::uint8_t* bytes = nullptr;
  const std::size_t size = style.lossless ? WebPEncodeLosslessRGBA(rgba.data(), width, height, width * 4, &bytes)
                                          : WebPEncodeRGBA(rgba.data(), width, height, width * 4, style.quality, &bytes);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  WebPFree(bytes);
  return file;
}

// ---- the outer forms

std::string big_endian_32(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<char>(value >> shift & 0xFFU));
  return bytes;
}

std::string little_endian_32(std::uint32_t value) {
  const std::string bytes = big_endian_32(value);
  return {bytes.rbegin(), bytes.rend()};
}

std::string exif_block(unsigned orientation, bool little_endian) {
  const char value = static_cast<char>(orientation);
  if (little_endian) {
    const char block[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
    return {block, sizeof block};
  }
  const char block[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0};
  return {block, sizeof block};
}

std::string with_jpeg_segment(const std::string& jpeg, unsigned marker, std::string_view content) {
  std::string segment = {'\xff', static_cast<char>(marker)};
  segment += big_endian_32(static_cast<std::uint32_t>(content.size() + 2)).substr(2);
  segment += content;
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

std::size_t find_jpeg_marker(const std::string& jpeg, unsigned marker, std::size_t from) {
  return jpeg.find(std::string{'\xff', static_cast<char>(marker)}, from);
}

namespace {

std::string checksum_of(std::string_view bytes) {
  return big_endian_32(static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size())));
}

}  // namespace

std::string png_chunk(std::string_view type, std::string_view content) {
  const std::string checked = std::string(type) + std::string(content);
  return big_endian_32(static_cast<std::uint32_t>(content.size())) + checked + checksum_of(checked);
}

std::string with_png_chunk(const std::string& png, std::string_view chunk) {
  constexpr std::size_t kAfterHeader = 8 + 25;
  return png.substr(0, kAfterHeader) + std::string(chunk) + png.substr(kAfterHeader);
}

void repair_png_checksums(std::string& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8U | static_cast<std::uint8_t>(png[at + i]);
    if (length > png.size() - at - 12) return;
    png.replace(at + 8 + length, 4, checksum_of(std::string_view(png).substr(at + 4, length + 4)));
    at += 12 + length;
  }
}

std::string deflate(std::string_view content) {
  uLongf size = compressBound(content.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()), content.size(), 9);
  out.resize(size);
  return out;
}

std::string riff_chunk(std::string_view type, std::string_view content) {
  std::string chunk = std::string(type) + little_endian_32(static_cast<std::uint32_t>(content.size())) + std::string(content);
  if (content.size() % 2 != 0) chunk.push_back('\0');
  return chunk;
}

std::string webp_of(std::string_view chunks) {
  return "RIFF" + little_endian_32(static_cast<std::uint32_t>(chunks.size() + 4)) + "WEBP" + std::string(chunks);
}

std::string extended_webp(const std::string& webp, const WebpExtension& extension) {
  std::string header = little_endian_32(extension.flags);
  header += little_endian_32(extension.width - 1).substr(0, 3) + little_endian_32(extension.height - 1).substr(0, 3);
  return webp_of(riff_chunk("VP8X", header) + extension.before + webp.substr(12) + extension.after);
}

}  // namespace scalestyle::support
