#include "nn/config_fields.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdint>
#include <utility>

#include "core/files.hpp"

namespace scalestyle::nn {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20U;

std::string place(const ConfigFields& fields, std::string_view key) {
  return fields.section.empty() ? fmt::format("{}: {}", fields.name, key)
                                : fmt::format("{}: {}.{}", fields.name, fields.section, key);
}

}  // namespace

core::Result<std::string> read_config_file(const std::filesystem::path& path) {
  return core::read_text_file(path, kMaxConfigBytes);
}

core::Result<json::object> parse_config(std::string_view bytes, const std::string& name) {
  boost::system::error_code error;
  json::value value = json::parse(bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", name, error.message()));
  if (!value.is_object()) return core::fail(ErrorCode::kDataLoss, name + ": not a JSON object");
  return std::move(value.get_object());
}

std::unexpected<core::Error> ConfigFields::damaged(std::string_view key, std::string_view what) const {
  return core::fail(ErrorCode::kDataLoss, fmt::format("{} {}", place(*this, key), what));
}

std::unexpected<core::Error> ConfigFields::unsupported(std::string_view key, std::string_view what) const {
  return core::fail(ErrorCode::kUnsupported, fmt::format("{} {}", place(*this, key), what));
}

core::Status ConfigFields::size(std::string_view key, std::size_t maximum, std::size_t& out) const {
  const json::value* value = object.if_contains(key);
  const std::int64_t* number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr || *number < 1 || static_cast<std::uint64_t>(*number) > maximum) {
    return damaged(key, fmt::format("must be a whole number from 1 to {}", maximum));
  }
  out = static_cast<std::size_t>(*number);
  return {};
}

core::Status ConfigFields::size_if_there(std::string_view key, std::size_t maximum, std::size_t& out) const {
  if (!object.contains(key)) return {};
  return size(key, maximum, out);
}

core::Status ConfigFields::exactly(std::string_view key, std::string_view only) const {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return {};
  const json::string* text = value->if_string();
  if (text == nullptr || *text != only) return unsupported(key, fmt::format("must be \"{}\"", only));
  return {};
}

core::Status ConfigFields::layer_norm_epsilon(float& out) const {
  const json::value* value = object.if_contains("layer_norm_eps");
  if (value == nullptr) return {};
  boost::system::error_code error;
  const auto number = value->to_number<double>(error);
  if (error || !(number > 0) || !(number < 1)) return damaged("layer_norm_eps", "must be a number between 0 and 1");
  out = static_cast<float>(number);
  return {};
}

}  // namespace scalestyle::nn
