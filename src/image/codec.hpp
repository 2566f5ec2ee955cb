#pragma once
// What the decoders of the three formats share. Inside this folder only.
//
// libjpeg and libpng report errors by jumping out of their C code. So whatever calls them is split into steps: plain
// functions over a plain struct, which own nothing that a jump could leak, run by one function that holds the setjmp.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "image/decode.hpp"

namespace scalestyle::image {

// One decode under way.
struct DecodeJob {
  std::span<const std::byte> bytes;
  const DecodeLimits& limits;
  std::uint32_t wanted_short_side = 0;
  const core::Clock& clock;
  core::Deadline deadline;

  [[nodiscard]] bool out_of_time() const { return deadline.expired(clock); }
};

// Each expects bytes that detect() found to be of its format. The picture is as stored, not turned.
[[nodiscard]] core::Result<Picture> decode_jpeg(const DecodeJob& job);
[[nodiscard]] core::Result<Picture> decode_png(const DecodeJob& job);
[[nodiscard]] core::Result<Picture> decode_webp(const DecodeJob& job);

[[nodiscard]] std::unexpected<core::Error> damaged(std::string message);
[[nodiscard]] std::unexpected<core::Error> unsupported(std::string message);
[[nodiscard]] std::unexpected<core::Error> above_limit(std::string message);
[[nodiscard]] std::unexpected<core::Error> out_of_time(std::string_view format, const DecodeLimits& limits);

// kResourceExhausted when a picture of that size is above a limit. Called before anything of its size is allocated.
[[nodiscard]] core::Status check_size(std::string_view format, std::uint32_t width, std::uint32_t height,
                                      const DecodeLimits& limits);

// a * b / 255, rounded.
[[nodiscard]] constexpr unsigned scaled(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return (product + (product >> 8U)) >> 8U;
}

// `count` pixels of 4 bytes (red, green, blue, alpha) over white to 3 bytes; `out` may be `rgba`.
void over_white(const std::uint8_t* rgba, std::size_t count, std::uint8_t* out);

}  // namespace scalestyle::image
