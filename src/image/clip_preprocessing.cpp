#include "image/clip_preprocessing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "image/resize.hpp"

namespace scalestyle::image {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20U;
constexpr std::int64_t kMaxSide = 4096;
constexpr std::int64_t kBicubic = 3;  // Pillow's number for it

struct Config {
  const json::object& object;
  const std::string& name;

  [[nodiscard]] std::unexpected<core::Error> wrong(std::string_view key, std::string_view must) const {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {} must be {}", name, key, must));
  }

  // A number, or an object of which every one of `sides` has that same number.
  [[nodiscard]] core::Status side(std::string_view key, std::span<const std::string_view> sides, std::uint32_t& out) const {
    const json::value* value = object.if_contains(key);
    if (value == nullptr) return {};
    const std::string must = fmt::format("a whole number from 1 to {}, or {{\"{}\": such a number}}", kMaxSide,
                                         fmt::join(sides, "\", \""));
    const json::value* number = value;
    if (const json::object* inside = value->if_object()) {
      number = inside->if_contains(sides.front());
      for (const std::string_view other : sides) {
        const json::value* same = inside->if_contains(other);
        if (same == nullptr || number == nullptr || *same != *number) return wrong(key, must);
      }
    }
    const std::int64_t* pixels = number->if_int64();
    if (pixels == nullptr || *pixels < 1 || *pixels > kMaxSide) return wrong(key, must);
    out = static_cast<std::uint32_t>(*pixels);
    return {};
  }

  [[nodiscard]] core::Status channels(std::string_view key, bool positive, std::array<float, 3>& out) const {
    const json::value* value = object.if_contains(key);
    if (value == nullptr) return {};
    const json::array* numbers = value->if_array();
    const std::string_view must = positive ? "three positive numbers" : "three numbers";
    if (numbers == nullptr || numbers->size() != out.size()) return wrong(key, must);
    for (std::size_t i = 0; i < out.size(); ++i) {
      boost::system::error_code error;
      out[i] = static_cast<float>((*numbers)[i].to_number<double>(error));
      if (error || !std::isfinite(out[i]) || (positive && !(out[i] > 0))) return wrong(key, must);
    }
    return {};
  }

  // Absent is as good.
  [[nodiscard]] core::Status exactly(std::string_view key, const json::value& only) const {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || *value == only) return {};
    return core::fail(ErrorCode::kUnsupported, fmt::format("{}: {} must be {}", name, key, json::serialize(only)));
  }
};

core::Result<ClipPreprocessing> parse(const Config& config) {
  constexpr std::array<std::string_view, 1> kShort = {"shortest_edge"};
  constexpr std::array<std::string_view, 2> kBoth = {"height", "width"};
  for (const std::string_view step : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"}) {
    CORE_CHECK(config.exactly(step, true));
  }
  CORE_CHECK(config.exactly("resample", kBicubic));
  if (const json::value* factor = config.object.if_contains("rescale_factor")) {
    boost::system::error_code error;
    const auto value = factor->to_number<double>(error);
    if (error || std::abs(value * 255 - 1) > 1e-6) {
      return core::fail(ErrorCode::kUnsupported, config.name + ": rescale_factor must be 1/255");
    }
  }
  ClipPreprocessing how;
  CORE_CHECK(config.side("size", kShort, how.resize_short_side));
  CORE_CHECK(config.side("crop_size", kBoth, how.crop));
  CORE_CHECK(config.channels("image_mean", false, how.mean));
  CORE_CHECK(config.channels("image_std", true, how.deviation));
  if (how.crop > how.resize_short_side) {
    return config.wrong("crop_size", fmt::format("at most size, {}", how.resize_short_side));
  }
  return how;
}

// As Pillow's callers compute it: the long side rounded down, the crop's corner too.
ResizeWindow window_of(const Picture& picture, const ClipPreprocessing& how) {
  const auto long_side = [&how](std::uint64_t longer, std::uint64_t shorter) {
    return static_cast<std::uint32_t>(how.resize_short_side * longer / shorter);
  };
  ResizeWindow window{how.resize_short_side, how.resize_short_side, 0, 0, how.crop, how.crop};
  if (picture.width > picture.height) {
    window.full_width = long_side(picture.width, picture.height);
  } else {
    window.full_height = long_side(picture.height, picture.width);
  }
  window.left = (window.full_width - how.crop) / 2;
  window.top = (window.full_height - how.crop) / 2;
  return window;
}

}  // namespace

core::Result<ClipPreprocessing> read_clip_preprocessing(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "preprocessor_config.json";
  const std::string name = path.string();
  CORE_TRY(const std::string bytes, core::read_text_file(path, kMaxConfigBytes));
  boost::system::error_code error;
  const json::value value = json::parse(bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", name, error.message()));
  if (!value.is_object()) return core::fail(ErrorCode::kDataLoss, name + ": not a JSON object");
  return parse(Config{value.get_object(), name});
}

core::Status preprocess(const Picture& picture, const ClipPreprocessing& how, std::span<float> out) {
  const std::size_t pixels = std::size_t{how.crop} * how.crop;
  if (picture.width == 0 || picture.height == 0 || picture.rgb.size() != std::size_t{picture.width} * picture.height * 3) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("a picture of {} x {} pixels with {} bytes", picture.width,
                                                               picture.height, picture.rgb.size()));
  }
  if (how.crop == 0 || how.crop > how.resize_short_side || out.size() != pixels * 3) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} floats for a crop of {} of a short side of {}", out.size(),
                                                               how.crop, how.resize_short_side));
  }
  const std::vector<std::uint8_t> rgb = resize_bicubic(picture, window_of(picture, how));
  for (std::size_t channel = 0; channel < 3; ++channel) {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto rescaled = static_cast<float>(static_cast<double>(i) * (1.0 / 255.0));
      values[i] = (rescaled - how.mean[channel]) / how.deviation[channel];
    }
    float* const plane = out.data() + channel * pixels;
    for (std::size_t i = 0; i < pixels; ++i) plane[i] = values[rgb[3 * i + channel]];
  }
  return {};
}

}  // namespace scalestyle::image
