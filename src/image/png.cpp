#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "image/codec.hpp"
#include "image/png_chunks.hpp"

namespace scalestyle::image {
namespace {

enum class Failure : std::uint8_t { kNone, kLibrary, kTime, kTooMuchData };

// Everything the steps touch; plain, as in jpeg.cpp.
struct Reader {
  explicit Reader(const DecodeJob& of) : job(&of) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&library, &info, nullptr); }

  png_structp library = nullptr;
  png_infop info = nullptr;
  const DecodeJob* job;
  std::size_t offset = 0;
  bool in_last_row = false;
  std::size_t last_row_budget = 0;  // compressed bytes that the last row may still take
  int passes = 1;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 3;
  std::uint8_t* rgb = nullptr;       // [height, width, 3]
  std::uint8_t* rgba_row = nullptr;  // for channels = 4, not interlaced
  std::uint8_t* all_rows = nullptr;  // for interlaced: [height, width, channels]
  Failure failure = Failure::kNone;
  char message[160] = {};
};

Reader& reader_of(png_structp library) { return *static_cast<Reader*>(png_get_error_ptr(library)); }

[[noreturn]] void leave(png_structp library, Failure failure) {
  reader_of(library).failure = failure;
  png_longjmp(library, 1);
}

[[noreturn]] void leave_with_message(png_structp library, png_const_charp message) {
  Reader& reader = reader_of(library);
  std::strncpy(reader.message, message, sizeof reader.message - 1);
  leave(library, Failure::kLibrary);
}

void ignore_warning(png_structp /*library*/, png_const_charp /*message*/) {}

// After the last row libpng inflates whatever follows it to nowhere, which may be a thousand times what was sent: so the
// clock is looked at here too, and the last row gets no more than it can need.
void read_bytes(png_structp library, png_bytep out, std::size_t count) {
  Reader& reader = reader_of(library);
  const std::span<const std::byte> file = reader.job->bytes;
  if (reader.job->out_of_time()) leave(library, Failure::kTime);
  if (reader.in_last_row) {
    if (count > reader.last_row_budget) leave(library, Failure::kTooMuchData);
    reader.last_row_budget -= count;
  }
  if (count > file.size() - reader.offset) leave_with_message(library, "the file ends");
  std::memcpy(out, file.data() + reader.offset, count);
  reader.offset += count;
}

// ---- steps

void read_header(Reader& reader) {
  png_structp const library = reader.library;
  const DecodeLimits& limits = reader.job->limits;
  png_set_read_fn(library, &reader, read_bytes);
  png_set_user_limits(library, limits.max_side, limits.max_side);
  png_set_chunk_malloc_max(library, png_alloc_size_t{1} << 20U);
  png_set_chunk_cache_max(library, 8);
  // Nothing but header, palette, transparency and pixels is read: no profile or text is ever inflated.
  png_set_keep_unknown_chunks(library, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_crc_action(library, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);  // checked already
  png_read_info(library, reader.info);

  png_set_expand(library);  // palettes, less than 8 bits, and tRNS as alpha
  png_set_scale_16(library);
  png_set_gray_to_rgb(library);
  reader.passes = png_set_interlace_handling(library);
  png_read_update_info(library, reader.info);
  reader.width = png_get_image_width(library, reader.info);
  reader.height = png_get_image_height(library, reader.info);
  reader.channels = png_get_channels(library, reader.info);
  if (reader.channels != 3 && reader.channels != 4) leave_with_message(library, "an odd number of channels");
  if (png_get_rowbytes(library, reader.info) != std::size_t{reader.width} * reader.channels) {
    leave_with_message(library, "rows of an odd length");
  }
}

void read_rows(Reader& reader) {
  // Stored without compression a row of the widest pixels is this long; the rest is room for odd compressors.
  const std::size_t last_row_budget = std::size_t{reader.width} * 8 * 2 + (std::size_t{64} << 10U);
  const std::size_t stride = std::size_t{reader.width} * reader.channels;
  for (int pass = 0; pass < reader.passes; ++pass) {
    for (std::uint32_t y = 0; y < reader.height; ++y) {
      if (reader.job->out_of_time()) leave(reader.library, Failure::kTime);
      if (pass + 1 == reader.passes && y + 1 == reader.height) {
        reader.in_last_row = true;
        reader.last_row_budget = last_row_budget;
      }
      std::uint8_t* const out = reader.rgb + std::size_t{y} * reader.width * 3;
      if (reader.all_rows != nullptr) {
        png_read_row(reader.library, reader.all_rows + y * stride, nullptr);
      } else if (reader.rgba_row != nullptr) {
        png_read_row(reader.library, reader.rgba_row, nullptr);
        over_white(reader.rgba_row, reader.width, out);
      } else {
        png_read_row(reader.library, out, nullptr);
      }
    }
  }
}

// ---- what runs them

// The only setjmp. Nothing between it and the library has a destructor.
bool run(Reader& reader, void (*step)(Reader&)) {
  if (setjmp(png_jmpbuf(reader.library)) != 0) return false;
  step(reader);
  return true;
}

std::unexpected<core::Error> error_of(const Reader& reader) {
  switch (reader.failure) {
    case Failure::kTime: return out_of_time("PNG", reader.job->limits);
    case Failure::kTooMuchData: return damaged("the PNG has compressed data beyond its last row");
    case Failure::kNone:
    case Failure::kLibrary: break;
  }
  return damaged(fmt::format("the PNG cannot be decoded: {}", reader.message));
}

}  // namespace

core::Result<Picture> decode_png(const DecodeJob& job) {
  CORE_TRY(const PngHeader header, read_png_chunks(job.bytes, job.limits));
  Reader reader(job);
  reader.library = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, leave_with_message, ignore_warning);
  if (reader.library != nullptr) reader.info = png_create_info_struct(reader.library);
  if (reader.info == nullptr) return above_limit("no memory to decode the PNG");
  if (!run(reader, read_header)) return error_of(reader);
  if (reader.width != header.width || reader.height != header.height) return damaged("the PNG has two headers");

  Picture picture{reader.width, reader.height, {}};
  const std::size_t pixels = std::size_t{reader.width} * reader.height;
  const bool interlaced = reader.passes > 1;
  const bool alpha = reader.channels == 4;
  picture.rgb.resize(pixels * (interlaced ? reader.channels : 3));
  std::vector<std::uint8_t> rgba_row(alpha && !interlaced ? std::size_t{reader.width} * 4 : 0);
  reader.rgb = picture.rgb.data();
  if (interlaced) reader.all_rows = picture.rgb.data();
  if (!rgba_row.empty()) reader.rgba_row = rgba_row.data();
  if (!run(reader, read_rows)) return error_of(reader);
  if (interlaced && alpha) {
    over_white(picture.rgb.data(), pixels, picture.rgb.data());
    picture.rgb.resize(pixels * 3);
  }
  return picture;
}

}  // namespace scalestyle::image
