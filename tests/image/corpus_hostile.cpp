#include <fmt/format.h>

#include <utility>

#include "image/corpus.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {

using namespace support;  // NOLINT: every name here is one of its
using namespace std::string_literals;
using core::ErrorCode;

namespace {

Specimen fails(std::string name, std::string file, ErrorCode code, std::string message = {}) {
  return {std::move(name), std::move(file), {}, 0, code, std::move(message)};
}
Specimen right(std::string name, std::string file, Picture picture, double tolerance) {
  return {std::move(name), std::move(file), std::move(picture), tolerance};
}

std::string big_endian_16(std::uint32_t value) { return big_endian_32(value).substr(2); }

// The frame header: FF C0, length, precision, height, width, count of components.
std::string with_jpeg_size(std::string jpeg, std::uint32_t width, std::uint32_t height) {
  std::size_t at = find_jpeg_marker(jpeg, 0xC0);
  if (at == std::string::npos) at = find_jpeg_marker(jpeg, 0xC2);
  return jpeg.replace(at + 5, 4, big_endian_16(height) + big_endian_16(width));
}

std::string with_byte(std::string file, std::size_t at, unsigned value) {
  file[at] = static_cast<char>(value);
  return file;
}

// The last scan once more, so many times. Each says the same, which no rule of the format forbids.
std::string with_repeated_scan(const std::string& jpeg, int times) {
  std::size_t scan = std::string::npos;
  for (std::size_t at = 2; (at = find_jpeg_marker(jpeg, 0xDA, at)) != std::string::npos; ++at) scan = at;
  const std::string again = jpeg.substr(scan, jpeg.size() - 2 - scan);
  std::string file = jpeg.substr(0, jpeg.size() - 2);
  for (int i = 0; i < times; ++i) file += again;
  return file + "\xff\xd9";
}

std::string without_jpeg_segment(const std::string& jpeg, unsigned marker) {
  const std::size_t at = find_jpeg_marker(jpeg, marker);
  const std::size_t length = static_cast<std::uint8_t>(jpeg[at + 2]) * 256U + static_cast<std::uint8_t>(jpeg[at + 3]);
  return jpeg.substr(0, at) + jpeg.substr(at + 2 + length);
}

void add_exif_oddities(std::vector<Specimen>& out) {
  const Picture picture = quadrants(40, 32);
  const std::string jpeg = encode_jpeg(picture);
  const std::string right_one = exif_block(6, true);
  const auto add = [&](std::string_view name, const std::string& exif) {
    out.push_back(right(fmt::format("jpeg EXIF: {}", name),
                        with_jpeg_segment(jpeg, 0xE1, std::string("Exif\0\0", 6) + exif), picture, 9));
  };
  add("nothing", "");
  add("half a header", right_one.substr(0, 5));
  add("no byte order", "XX" + right_one.substr(2));
  add("not 42", with_byte(right_one, 2, 43));
  add("a directory that is its own header", with_byte(right_one, 4, 0));
  add("a directory beyond the end", with_byte(with_byte(right_one, 4, 200), 5, 1));
  add("a directory at 4 GiB", right_one.substr(0, 4) + "\xff\xff\xff\xff" + right_one.substr(8));
  add("65,535 entries", with_byte(with_byte(right_one, 8, 255), 9, 255).substr(0, 10) + std::string(24, '\0'));
  add("a text as orientation", with_byte(right_one, 12, 2));
  add("two orientations", with_byte(right_one, 14, 2));
  add("an entry cut off", right_one.substr(0, 15));
  add("a chain of directories in a circle", with_byte(right_one, 10, 0x13).substr(0, 22) + "\x08\0\0\0"s);
}

void add_scan_bombs(std::vector<Specimen>& out) {
  const std::string baseline = encode_jpeg(grey_quadrants(64, 64), {.colour = JpegColour::k444, .scan_a_component = true});
  out.push_back(fails("jpeg of 3,000 scans", with_repeated_scan(baseline, 3000), ErrorCode::kResourceExhausted, "200 scans"));
  const std::string progressive = encode_jpeg(quadrants(64, 64), {.progressive = true});
  // A refinement that comes again: what it refines is already exact.
  out.push_back(fails("jpeg progressive, refined 3,000 times", with_repeated_scan(progressive, 3000),
                      ErrorCode::kInvalidArgument, "progression"));
  out.push_back(right("jpeg of 103 scans", with_repeated_scan(baseline, 100), grey_quadrants(64, 64), 9));
}

}  // namespace

std::vector<Specimen> hostile_jpegs() {
  std::vector<Specimen> out;
  const Picture picture = quadrants(48, 40);
  const std::string jpeg = encode_jpeg(picture);
  const std::string progressive = encode_jpeg(picture, {.progressive = true});
  const auto damaged = ErrorCode::kInvalidArgument;
  const auto above = ErrorCode::kResourceExhausted;
  const auto unsupported = ErrorCode::kUnsupported;
  for (const std::string& file : {jpeg, progressive}) {
    const std::string_view kind = &file == &jpeg ? "jpeg" : "jpeg progressive";
    out.push_back(fails(fmt::format("{} claims 65,535 x 65,535", kind), with_jpeg_size(file, 65535, 65535), above));
    out.push_back(fails(fmt::format("{} claims 60,000 x 60,000", kind), with_jpeg_size(file, 60000, 60000), above, "a side"));
    out.push_back(fails(fmt::format("{} claims 16,385 x 1", kind), with_jpeg_size(file, 16385, 1), above, "a side"));
    out.push_back(fails(fmt::format("{} claims 2,001 x 2,000", kind), with_jpeg_size(file, 2001, 2000), above, "4002000"));
    out.push_back(fails(fmt::format("{} claims 2,000 x 2,000", kind), with_jpeg_size(file, 2000, 2000), damaged, "cannot hold"));
    out.push_back(fails(fmt::format("{} claims 0 x 40", kind), with_jpeg_size(file, 0, 40), damaged));
    out.push_back(fails(fmt::format("{} claims 48 x 0", kind), with_jpeg_size(file, 48, 0), damaged));
    out.push_back(fails(fmt::format("{} claims twice its height", kind), with_jpeg_size(file, 48, 96), damaged));
  }
  const std::size_t frame = find_jpeg_marker(jpeg, 0xC0);
  out.push_back(fails("jpeg of 12 bits", with_byte(jpeg, frame + 4, 12), unsupported, "12"));
  out.push_back(fails("jpeg without loss", with_byte(jpeg, frame + 1, 0xC3), unsupported, "SOF"));
  out.push_back(fails("jpeg, hierarchical", with_byte(jpeg, frame + 1, 0xC5), unsupported, "SOF"));
  out.push_back(fails("jpeg of 255 components", with_byte(jpeg, frame + 9, 255), damaged));
  out.push_back(fails("jpeg of no components", with_byte(jpeg, frame + 9, 0), damaged));
  out.push_back(fails("jpeg of sampling 15 x 15", with_byte(jpeg, frame + 11, 0xFF), damaged));
  out.push_back(fails("jpeg of sampling 0 x 0", with_byte(jpeg, frame + 11, 0), damaged));
  out.push_back(fails("jpeg without quantisation", without_jpeg_segment(without_jpeg_segment(jpeg, 0xDB), 0xDB), damaged));
  std::string no_codes = jpeg;
  while (find_jpeg_marker(no_codes, 0xC4) != std::string::npos) no_codes = without_jpeg_segment(no_codes, 0xC4);
  out.push_back(right("jpeg without codes, for which the usual ones stand in", no_codes, picture, 9));
  out.push_back(fails("jpeg without a frame", without_jpeg_segment(jpeg, 0xC0), damaged));
  out.push_back(fails("jpeg of two frames", with_jpeg_segment(jpeg, 0xC0, jpeg.substr(frame + 4, 15)), damaged));
  const std::size_t codes = find_jpeg_marker(jpeg, 0xC4);
  out.push_back(fails("jpeg of impossible codes", std::string(jpeg).replace(codes + 5, 16, std::string(16, '\xff')), damaged));
  out.push_back(right("jpeg with a segment of length 0", jpeg.substr(0, 2) + "\xff\xe1\0\0"s + jpeg.substr(2), picture, 9));
  out.push_back(fails("jpeg with a segment longer than the file", jpeg.substr(0, 2) + "\xff\xe1\xff\xff", damaged, "ends"));
  out.push_back(fails("jpeg of filling only", "\xff\xd8" + std::string(100000, '\xff'), damaged, "ends"));
  std::string starts;
  for (int i = 0; i < 1000; ++i) starts += "\xff\xd8";
  out.push_back(fails("jpeg of 1,000 starts", starts + jpeg, ErrorCode::kUnsupported));
  out.back().file.insert(2, "\xff");  // known as a JPEG
  out.back().error = damaged;
  add_scan_bombs(out);
  add_exif_oddities(out);
  return out;
}

namespace {

struct PngParts {
  Picture picture = quadrants(48, 40);
  std::string png = encode_png(picture);
  std::string start = png.substr(0, 8);
  std::string content = png.substr(33);
  std::string end = png_chunk("IEND", "");
  std::string rgb8 = "\x08\x02\0\0\0"s;  // depth, colour type, compression, filter, interlacing

  [[nodiscard]] std::string begin(std::uint32_t width, std::uint32_t height, const std::string& rest) const {
    return start + png_chunk("IHDR", big_endian_32(width) + big_endian_32(height) + rest);
  }
  [[nodiscard]] std::string of_data(std::uint32_t width, std::uint32_t height, std::string_view compressed) const {
    return begin(width, height, rgb8) + png_chunk("IDAT", compressed) + end;
  }
};

void add_png_headers(const PngParts& parts, std::vector<Specimen>& out) {
  const auto damaged = ErrorCode::kInvalidArgument;
  const auto above = ErrorCode::kResourceExhausted;
  const auto claims = [&](std::uint32_t width, std::uint32_t height, ErrorCode code, std::string message) {
    out.push_back(fails(fmt::format("png claims {} x {}", width, height), parts.begin(width, height, parts.rgb8) + parts.content,
                        code, std::move(message)));
  };
  claims(65535, 65535, above, "a side");
  claims(0xFFFFFFFF, 1, above, "a side");
  claims(2001, 2000, above, "4002000");
  claims(2000, 2000, damaged, "cannot hold");
  claims(0, 40, damaged, "0 x 40");
  claims(48, 80, damaged, "PNG");
  for (const auto& [name, rest] : {std::pair{"depth 3", "\x03\x02\0\0\0"s}, {"depth 0", "\0\x02\0\0\0"s},
                                   {"colour type 5", "\x08\x05\0\0\0"s}, {"compression 1", "\x08\x02\x01\0\0"s},
                                   {"filter 1", "\x08\x02\0\x01\0"s}, {"interlacing 2", "\x08\x02\0\0\x02"s},
                                   {"a palette that is missing", "\x08\x03\0\0\0"s}}) {
    out.push_back(fails(fmt::format("png of {}", name), parts.begin(48, 40, rest) + parts.content, damaged));
  }
}

void add_png_chunks(const PngParts& parts, std::vector<Specimen>& out) {
  const std::string& png = parts.png;
  const auto damaged = [&out](std::string name, std::string file, std::string message) {
    out.push_back(fails("png " + std::move(name), std::move(file), ErrorCode::kInvalidArgument, std::move(message)));
  };
  const std::string remarked = with_png_chunk(png, png_chunk("tEXt", "a\0b"s));
  damaged("of a wrong header checksum", with_byte(png, 30, 1), "IHDR chunk at byte 8 has the wrong checksum");
  damaged("of a wrong data checksum", with_byte(png, png.size() - 14, 1), "IDAT chunk at byte 33");
  damaged("of a wrong remark checksum", with_byte(remarked, 46, 1), "tEXt");
  damaged("of a wrong end checksum", with_byte(png, png.size() - 1, 1), "IEND");
  damaged("without an end", png.substr(0, png.size() - 12), "ends before its IEND");
  damaged("without data", parts.begin(48, 40, parts.rgb8) + parts.end, "cannot hold");
  damaged("without a header", parts.start + parts.content, "IHDR");
  damaged("of two headers", with_png_chunk(png, png.substr(8, 25)), "");
  damaged("of a chunk of 4 GiB", with_png_chunk(png, "\xff\xff\xff\xff" "tEXt1234"), "ends inside its tEXt");
  damaged("of a chunk without a name", with_png_chunk(png, png_chunk("\0\0\0\0"s, "")), "no chunk at byte 33");
  damaged("of an unknown necessary chunk", with_png_chunk(png, png_chunk("ABCD", "")), "");
  damaged("of data that is not compressed", parts.of_data(48, 40, std::string(9000, 'x')), "");
}

void add_png_bombs(const PngParts& parts, std::vector<Specimen>& out) {
  const auto decodes = [&out](std::string name, std::string file, Picture picture) {
    out.push_back(right("png " + std::move(name), std::move(file), std::move(picture), 0));
  };
  const std::string& png = parts.png;
  const std::string bomb = deflate(std::string(10'000'000, 'a'));
  decodes("with a remark of 10 MB", with_png_chunk(png, png_chunk("zTXt", "k\0\0"s + bomb)), parts.picture);
  decodes("with a profile of 10 MB", with_png_chunk(png, png_chunk("iCCP", "k\0\0"s + bomb)), parts.picture);
  decodes("with an international remark of 10 MB", with_png_chunk(png, png_chunk("iTXt", "k\0\x01\0\0\0"s + bomb)),
          parts.picture);
  std::string remarks;
  for (int i = 0; i < 20000; ++i) remarks += png_chunk("tEXt", "k\0v"s);
  decodes("with 20,000 remarks", with_png_chunk(png, remarks), parts.picture);
  const std::string black_rows(40 * (48 * 3 + 1), '\0');
  decodes("with a little more data than rows", parts.of_data(48, 40, deflate(black_rows + black_rows)), plain(48, 40, 0));
  // A thousandfold of what was sent, if it were inflated.
  out.push_back(fails("png with 80 MB of data after its last row", parts.of_data(1, 1, deflate(std::string(80'000'000, '\0'))),
                      ErrorCode::kInvalidArgument, "beyond its last row"));
  const Picture flat = plain(1990, 2000, 0xF0F0F0);
  decodes("of four million pixels in a few bytes", encode_png(flat, {.compression = 9}), flat);
  std::string pieces;
  for (const char byte : deflate(black_rows)) pieces += png_chunk("IDAT", std::string(1, byte)) + png_chunk("IDAT", "");
  decodes("of data byte by byte", parts.begin(48, 40, parts.rgb8) + pieces + parts.end, plain(48, 40, 0));
  const std::string palette = png_chunk("PLTE", "\xff\xff\xff\0\0\0"s);
  decodes("of a colour beyond the palette", parts.begin(1, 2, "\x08\x03\0\0\0"s) + palette +
              png_chunk("IDAT", deflate("\0\x01\0\xC8"s)) + parts.end, plain(1, 2, 0));
}

}  // namespace

std::vector<Specimen> hostile_pngs() {
  std::vector<Specimen> out;
  const PngParts parts;
  add_png_headers(parts, out);
  add_png_chunks(parts, out);
  add_png_bombs(parts, out);
  return out;
}

std::vector<Specimen> hostile_webps() {
  std::vector<Specimen> out;
  const Picture picture = quadrants(48, 40);
  const std::string lossless = encode_webp(picture, {.lossless = true});
  const std::string lossy = encode_webp(picture);
  const auto damaged = ErrorCode::kInvalidArgument;
  const auto above = ErrorCode::kResourceExhausted;
  // Sizes: 14 bits each after the chunk's signature 2F (lossless); 16 each after 9D 01 2A (lossy).
  out.push_back(fails("webp lossless claims 16,384 x 16,384", std::string(lossless).replace(21, 4, "\xff\xff\xff\x0f"), above));
  out.push_back(fails("webp lossy claims 16,383 x 16,383", std::string(lossy).replace(26, 4, "\xff\x3f\xff\x3f"), above));
  out.push_back(fails("webp lossy claims 0 x 0", std::string(lossy).replace(26, 4, "\0\0\0\0"s), damaged));
  out.push_back(fails("webp lossy claims twice its height", std::string(lossy).replace(28, 1, "\x50"), damaged));
  out.push_back(fails("webp extended claims 16,777,216 x 16,777,216",
                      extended_webp(lossless, {.width = 1U << 24U, .height = 1U << 24U}), damaged));
  out.push_back(fails("webp extended claims another size than its picture",
                      extended_webp(lossless, {.width = 100, .height = 100}), damaged));
  const std::string frame = std::string(6, '\0') + "\x2f\0\0\x27\0\0\x64\0\0\0"s + lossless.substr(12);
  const std::string frames = riff_chunk("ANMF", frame) + riff_chunk("ANMF", frame);
  const std::string animation = riff_chunk("ANIM", "\xff\xff\xff\xff\0\0"s) + frames;
  const WebpExtension animated{.flags = 2, .width = 48, .height = 40, .after = animation};
  out.push_back(fails("webp animated", extended_webp(lossless.substr(0, 12), animated), ErrorCode::kUnsupported, "animated"));
  out.push_back(fails("webp of a chunk of 4 GiB", std::string(lossless).replace(16, 4, "\xff\xff\xff\xff"), damaged));
  out.push_back(fails("webp of an empty chunk", webp_of(riff_chunk("VP8L", "")), damaged));
  out.push_back(fails("webp of no picture", webp_of(riff_chunk("EXIF", "x")), damaged));
  out.push_back(fails("webp extended without a picture",
                      extended_webp(lossless.substr(0, 12), {.width = 48, .height = 40}), damaged));
  out.push_back(fails("webp of another signature", with_byte(lossless, 20, 0x30), damaged));
  out.push_back(fails("webp of another version", with_byte(lossless, 24, 0xE0), damaged));
  out.push_back(fails("webp of no key frame", with_byte(lossy, 20, static_cast<std::uint8_t>(lossy[20]) | 1U), damaged));
  out.push_back(fails("webp of noise as data", std::string(lossless).replace(25, 30, std::string(30, '\xAA')), damaged));
  const std::string flat = encode_webp(plain(2000, 2000, 0xF0F0F0), {.lossless = true});
  out.push_back(right("webp of four million pixels in a few bytes", flat, plain(2000, 2000, 0xF0F0F0), 0));
  return out;
}

}  // namespace scalestyle::image
