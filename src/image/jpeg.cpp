#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>  // before jpeglib.h, which wants its FILE
#include <string>

#include <jpeglib.h>

#include <jerror.h>

#include "image/codec.hpp"

namespace scalestyle::image {
namespace {

// Usual progressive files have about ten. Each scan passes over the whole picture, and may be only a few bytes.
constexpr int kMaxScans = 200;
// A progressive file's coefficients are kept until its last scan: as much may they take, for each pixel of the limit.
constexpr std::uint64_t kCoefficientBytesPerPixel = 4;

enum class Failure : std::uint8_t { kNone, kLibrary, kEnds, kDataEnds, kScans, kTime };

// Everything the steps touch. Plain: a jump out of the library leaves nothing behind that the destructor does not free.
struct Reader {
  explicit Reader(const DecodeJob& of) : job(&of) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&library); }

  jpeg_decompress_struct library{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump{};
  const DecodeJob* job;
  bool needs_end = true;    // a file that ends here lacks something
  bool in_picture = false;  // past the header
  bool many_scans = false;
  std::uint8_t* rgb = nullptr;
  std::uint8_t* cmyk_row = nullptr;
  Failure failure = Failure::kNone;
  int code = 0;  // of kLibrary
  char message[JMSG_LENGTH_MAX] = {};
};

Reader& reader_of(j_common_ptr library) { return *static_cast<Reader*>(library->client_data); }
Reader& reader_of(j_decompress_ptr library) { return *static_cast<Reader*>(library->client_data); }

[[noreturn]] void leave(Reader& reader, Failure failure) {
  reader.failure = failure;
  std::longjmp(reader.jump, 1);
}

[[noreturn]] void leave_with_message(j_common_ptr library) {
  Reader& reader = reader_of(library);
  reader.code = library->err->msg_code;
  library->err->format_message(library, reader.message);
  leave(reader, Failure::kLibrary);
}

// The library's warnings about the picture's data are errors here: it would go on with grey.
void judge_warning(j_common_ptr library, int level) {
  if (level >= 0) return;
  switch (library->err->msg_code) {
    case JWRN_HIT_MARKER: leave(reader_of(library), Failure::kDataEnds);
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC: leave_with_message(library);
    default: break;  // filling between segments, odd version numbers
  }
}

void print_nothing(j_common_ptr /*library*/) {}
void nothing_to_do(j_decompress_ptr /*library*/) {}

// A file may lack its end marker after the last row of its only scan: the decoder looks ahead. It warns, and so fails, as
// soon as it misses data.
boolean at_end_of_file(j_decompress_ptr library) {
  static constexpr std::array<JOCTET, 2> kEndMarker = {0xFF, JPEG_EOI};
  Reader& reader = reader_of(library);
  if (reader.needs_end) leave(reader, Failure::kEnds);
  reader.source.next_input_byte = kEndMarker.data();
  reader.source.bytes_in_buffer = kEndMarker.size();
  return TRUE;
}

void skip_bytes(j_decompress_ptr library, long count) {
  Reader& reader = reader_of(library);
  if (count <= 0) return;
  const auto bytes = static_cast<std::size_t>(count);
  if (bytes > reader.source.bytes_in_buffer) leave(reader, Failure::kEnds);
  reader.source.next_input_byte += bytes;
  reader.source.bytes_in_buffer -= bytes;
}

// Called by the library for each group of rows it has read or written.
void look_at_the_clock(j_common_ptr library) {
  Reader& reader = reader_of(library);
  if (reader.library.input_scan_number > kMaxScans) leave(reader, Failure::kScans);
  if (reader.job->out_of_time()) leave(reader, Failure::kTime);
}

// ---- steps

void read_header(Reader& reader) {
  jpeg_create_decompress(&reader.library);  // keeps err and client_data
  reader.library.src = &reader.source;
  reader.library.progress = &reader.progress;
  jpeg_read_header(&reader.library, TRUE);
  reader.many_scans = jpeg_has_multiple_scans(&reader.library) != FALSE;
  // An arithmetic decoder makes up what is missing without a warning.
  reader.needs_end = reader.many_scans || reader.library.arith_code != FALSE;
  reader.in_picture = true;
}

// Progressive files are read whole here.
void start(Reader& reader) { jpeg_start_decompress(&reader.library); }

// Adobe's convention, which every writer of such files follows: 255 is no ink. Then as Pillow and browsers convert it.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::size_t count, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i, cmyk += 4, out += 3) {
    const unsigned paper = cmyk[3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const unsigned ink = scaled(255U - cmyk[channel], paper);
      out[channel] = static_cast<std::uint8_t>(paper - ink);
    }
  }
}

void read_rows(Reader& reader) {
  constexpr JDIMENSION kAtOnce = 16;
  jpeg_decompress_struct& library = reader.library;
  const std::size_t width = library.output_width;
  while (library.output_scanline < library.output_height) {
    std::uint8_t* const first = reader.rgb + library.output_scanline * width * 3;
    if (reader.cmyk_row != nullptr) {
      JSAMPROW row = reader.cmyk_row;
      jpeg_read_scanlines(&library, &row, 1);
      cmyk_to_rgb(reader.cmyk_row, width, first);
    } else {
      JSAMPROW rows[kAtOnce];
      const JDIMENSION count = std::min(kAtOnce, library.output_height - library.output_scanline);
      for (JDIMENSION i = 0; i < count; ++i) rows[i] = first + i * width * 3;
      jpeg_read_scanlines(&library, rows, count);
    }
  }
}

// ---- what runs them

// The only setjmp. Nothing between it and the library has a destructor.
bool run(Reader& reader, void (*step)(Reader&)) {
  if (setjmp(reader.jump) != 0) return false;
  step(reader);
  return true;
}

std::unexpected<core::Error> library_error(const Reader& reader) {
  const std::string what = fmt::format("the JPEG cannot be decoded: {}", reader.message);
  switch (reader.code) {
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
    case JERR_OUT_OF_MEMORY: return above_limit(what);
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: return unsupported(what);
    default: return damaged(what);
  }
}

std::unexpected<core::Error> error_of(const Reader& reader) {
  switch (reader.failure) {
    case Failure::kEnds:
      return damaged(reader.in_picture ? "the JPEG ends before its last row" : "the JPEG ends before its picture begins");
    case Failure::kDataEnds: return damaged("the JPEG's compressed data ends before its last row");
    case Failure::kScans: return above_limit(fmt::format("the JPEG has more than {} scans", kMaxScans));
    case Failure::kTime: return out_of_time("JPEG", reader.job->limits);
    case Failure::kNone:
    case Failure::kLibrary: break;
  }
  return library_error(reader);
}

void connect(Reader& reader) {
  reader.library.err = jpeg_std_error(&reader.errors);
  reader.library.client_data = &reader;
  reader.errors.error_exit = leave_with_message;
  reader.errors.emit_message = judge_warning;
  reader.errors.output_message = print_nothing;
  reader.progress.progress_monitor = look_at_the_clock;
  reader.source.next_input_byte = reinterpret_cast<const JOCTET*>(reader.job->bytes.data());
  reader.source.bytes_in_buffer = reader.job->bytes.size();
  reader.source.init_source = nothing_to_do;
  reader.source.fill_input_buffer = at_end_of_file;
  reader.source.skip_input_data = skip_bytes;
  reader.source.resync_to_restart = jpeg_resync_to_restart;
  reader.source.term_source = nothing_to_do;
}

// Before the library allocates by the size that the header claims.
core::Status check_header(const Reader& reader) {
  const jpeg_decompress_struct& library = reader.library;
  const DecodeLimits& limits = reader.job->limits;
  CORE_CHECK(check_size("JPEG", library.image_width, library.image_height, limits));
  std::uint64_t coefficients = 0;
  for (int i = 0; i < library.num_components; ++i) {
    const jpeg_component_info& component = library.comp_info[i];
    coefficients += std::uint64_t{component.width_in_blocks} * component.height_in_blocks * DCTSIZE2;
  }
  const std::uint64_t most = kCoefficientBytesPerPixel * limits.max_pixels;
  if (reader.many_scans && coefficients * sizeof(JCOEF) > most) {
    return above_limit(fmt::format("the JPEG of several scans takes {} bytes to decode; the limit is {}",
                                   coefficients * sizeof(JCOEF), most));
  }
  // A Huffman code has at least one bit, and each block of the first component at least one code.
  const std::uint64_t blocks = std::uint64_t{library.comp_info[0].width_in_blocks} * library.comp_info[0].height_in_blocks;
  if (library.arith_code == FALSE && blocks / 8 > reader.job->bytes.size()) {
    return damaged(fmt::format("the JPEG ends before its last row: {} bytes cannot hold {} x {} pixels",
                               reader.job->bytes.size(), library.image_width, library.image_height));
  }
  return {};
}

// The smallest of 1/8, 1/4, 1/2 and 1 whose short side is at least what is wanted; the library rounds sides up.
unsigned reduction(std::uint32_t short_side, std::uint32_t wanted) {
  for (const unsigned by : {8U, 4U, 2U}) {
    if (wanted != 0 && (short_side + by - 1) / by >= wanted) return by;
  }
  return 1;
}

}  // namespace

core::Result<Picture> decode_jpeg(const DecodeJob& job) {
  Reader reader(job);
  connect(reader);
  if (!run(reader, read_header)) return error_of(reader);
  CORE_CHECK(check_header(reader));

  jpeg_decompress_struct& library = reader.library;
  const bool cmyk = library.num_components == 4;
  library.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  library.scale_num = 1;
  library.scale_denom = reduction(std::min(library.image_width, library.image_height), job.wanted_short_side);
  library.do_block_smoothing = FALSE;  // it guesses at what scans that never came would have said
  if (!run(reader, start)) return error_of(reader);

  Picture picture{library.output_width, library.output_height, {}};
  picture.rgb.resize(std::size_t{picture.width} * picture.height * 3);
  std::vector<std::uint8_t> cmyk_row(cmyk ? std::size_t{picture.width} * 4 : 0);
  reader.rgb = picture.rgb.data();
  if (cmyk) reader.cmyk_row = cmyk_row.data();
  if (!run(reader, read_rows)) return error_of(reader);
  return picture;
}

}  // namespace scalestyle::image
