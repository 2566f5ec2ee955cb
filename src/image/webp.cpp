#include <fmt/format.h>
#include <webp/decode.h>

#include <algorithm>
#include <memory>

#include "image/codec.hpp"

namespace scalestyle::image {
namespace {

struct DeleteDecoder {
  void operator()(WebPIDecoder* decoder) const { WebPIDelete(decoder); }
};

const std::uint8_t* data_of(std::span<const std::byte> bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

std::unexpected<core::Error> error_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA: return damaged("the WebP ends before its last row");
    case VP8_STATUS_UNSUPPORTED_FEATURE: return unsupported("the WebP uses a feature that is not read");
    case VP8_STATUS_OUT_OF_MEMORY: return above_limit("no memory to decode the WebP");
    default: return damaged("the WebP's compressed data is damaged");
  }
}

// The file is given to the decoder part by part, so that the clock is looked at between.
core::Status feed(WebPIDecoder& decoder, const DecodeJob& job) {
  const std::size_t step = std::max<std::size_t>(4096, job.bytes.size() / 64);
  VP8StatusCode status = VP8_STATUS_SUSPENDED;
  for (std::size_t given = 0; status == VP8_STATUS_SUSPENDED && given < job.bytes.size();) {
    if (job.out_of_time()) return out_of_time("WebP", job.limits);
    given = std::min(given + step, job.bytes.size());
    status = WebPIUpdate(&decoder, data_of(job.bytes), given);  // reads on where it stopped; copies nothing
  }
  if (status != VP8_STATUS_OK) return error_of(status);
  return {};
}

}  // namespace

core::Result<Picture> decode_webp(const DecodeJob& job) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return unsupported("libwebp is of another version than its header");
  const VP8StatusCode status = WebPGetFeatures(data_of(job.bytes), job.bytes.size(), &config.input);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) return damaged("the WebP ends before its picture begins");
  if (status != VP8_STATUS_OK) return error_of(status);
  const auto width = static_cast<std::uint32_t>(config.input.width);
  const auto height = static_cast<std::uint32_t>(config.input.height);
  CORE_CHECK(check_size("WebP", width, height, job.limits));
  if (config.input.has_animation != 0) return unsupported("the WebP is animated; send one of its frames");

  const bool alpha = config.input.has_alpha != 0;
  const std::size_t pixels = std::size_t{width} * height;
  const std::size_t channels = alpha ? 4 : 3;
  Picture picture{width, height, std::vector<std::uint8_t>(pixels * channels)};
  config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = picture.rgb.data();
  config.output.u.RGBA.stride = static_cast<int>(width * channels);
  config.output.u.RGBA.size = picture.rgb.size();
  const std::unique_ptr<WebPIDecoder, DeleteDecoder> decoder(WebPIDecode(nullptr, 0, &config));
  if (decoder == nullptr) return above_limit("no memory to decode the WebP");
  CORE_CHECK(feed(*decoder, job));
  if (alpha) {
    over_white(picture.rgb.data(), pixels, picture.rgb.data());
    picture.rgb.resize(pixels * 3);
  }
  return picture;
}

}  // namespace scalestyle::image
