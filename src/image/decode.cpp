#include "image/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "image/codec.hpp"
#include "image/orientation.hpp"

namespace scalestyle::image {
namespace {

using core::ErrorCode;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What people send instead, so that the message can say so.
std::string_view looks_like(std::string_view file) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kStarts = {{{"GIF8", "a GIF"},
                                                                                     {"BM", "a BMP"},
                                                                                     {"II*", "a TIFF"},
                                                                                     {"MM", "a TIFF"},
                                                                                     {"%PDF", "a PDF"},
                                                                                     {"\x1f\x8b", "a gzip file"}}};
  for (const auto& [start, name] : kStarts) {
    if (file.starts_with(start)) return name;
  }
  if (file.size() > 8 && file.substr(4, 4) == "ftyp") return "a HEIC, AVIF or MP4 file";
  const std::size_t first = file.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first != std::string_view::npos && file[first] == '<') return "HTML, SVG or XML";
  return {};
}

}  // namespace

std::unexpected<core::Error> damaged(std::string message) {
  return core::fail(ErrorCode::kInvalidArgument, std::move(message));
}

std::unexpected<core::Error> unsupported(std::string message) {
  return core::fail(ErrorCode::kUnsupported, std::move(message));
}

// The same picture is above the same limit next time too.
std::unexpected<core::Error> above_limit(std::string message) {
  return std::unexpected(core::Error{ErrorCode::kResourceExhausted, std::move(message), {}, false});
}

std::unexpected<core::Error> out_of_time(std::string_view format, const DecodeLimits& limits) {
  return above_limit(fmt::format("the {} takes longer to decode than {} ms", format, limits.max_time.count()));
}

core::Status check_size(std::string_view format, std::uint32_t width, std::uint32_t height, const DecodeLimits& limits) {
  if (width == 0 || height == 0) return damaged(fmt::format("the {} says that it is {} x {} pixels", format, width, height));
  if (std::max(width, height) > limits.max_side) {
    return above_limit(fmt::format("the {} is {} x {} pixels; a side may have {}", format, width, height, limits.max_side));
  }
  if (std::uint64_t{width} * height > limits.max_pixels) {
    return above_limit(fmt::format("the {} is {} x {} pixels, {} together; the limit is {}", format, width, height,
                                   std::uint64_t{width} * height, limits.max_pixels));
  }
  return {};
}

void over_white(const std::uint8_t* rgba, std::size_t count, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i, rgba += 4, out += 3) {
    const unsigned alpha = rgba[3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      out[channel] = static_cast<std::uint8_t>(255U - scaled(255U - rgba[channel], alpha));
    }
  }
}

core::Result<Format> detect(std::span<const std::byte> bytes) {
  const std::string_view file = text_of(bytes);
  if (file.empty()) return damaged("the picture has no bytes");
  if (file.starts_with("\xff\xd8\xff")) return Format::kJpeg;
  if (file.starts_with("\x89PNG\r\n\x1a\n")) return Format::kPng;
  if (file.size() >= 12 && file.starts_with("RIFF") && file.substr(8, 4) == "WEBP") return Format::kWebp;
  const std::string_view other = looks_like(file);
  return unsupported(fmt::format("not a JPEG, PNG or WebP picture{}{}", other.empty() ? "" : ": it begins like ", other));
}

core::Result<Picture> decode(std::span<const std::byte> bytes, const DecodeLimits& limits, std::uint32_t wanted_short_side) {
  if (bytes.size() > limits.max_bytes) {
    return above_limit(fmt::format("the picture has {} bytes; the limit is {}", bytes.size(), limits.max_bytes));
  }
  CORE_TRY(const Format format, detect(bytes));
  const core::SystemClock clock;
  const DecodeJob job{bytes, limits, wanted_short_side, clock, core::Deadline::after(limits.max_time, clock)};
  core::Result<Picture> picture = format == Format::kJpeg  ? decode_jpeg(job)
                                  : format == Format::kPng ? decode_png(job)
                                                           : decode_webp(job);
  if (picture) turn_upright(*picture, orientation(format, bytes));
  return picture;
}

}  // namespace scalestyle::image
