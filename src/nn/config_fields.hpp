#pragma once
// Checked look-ups in a hub-style `config.json`. Errors: kDataLoss for what no model has, kUnsupported for what this code
// does not compute; each names the file and the key.

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::nn {

// The bytes of `config.json` in `model_dir`. Also kNotFound, kResourceExhausted above 1 MiB.
[[nodiscard]] core::Result<std::string> read_config_file(const std::filesystem::path& path);

// `name` is what errors call the file.
[[nodiscard]] core::Result<boost::json::object> parse_config(std::string_view bytes, const std::string& name);

struct ConfigFields {
  const boost::json::object& object;
  const std::string& name;
  std::string_view section{};  // of the file, where `object` is one; errors name it before the key

  // A whole number from 1 to `maximum`; it must be there.
  [[nodiscard]] core::Status size(std::string_view key, std::size_t maximum, std::size_t& out) const;
  // The same; an absent key leaves `out` as it is.
  [[nodiscard]] core::Status size_if_there(std::string_view key, std::size_t maximum, std::size_t& out) const;
  // An absent key has the value `only`. Errors: kUnsupported for another.
  [[nodiscard]] core::Status exactly(std::string_view key, std::string_view only) const;
  // `layer_norm_eps`; where absent `out` stays as it is.
  [[nodiscard]] core::Status layer_norm_epsilon(float& out) const;

  [[nodiscard]] std::unexpected<core::Error> damaged(std::string_view key, std::string_view what) const;
  [[nodiscard]] std::unexpected<core::Error> unsupported(std::string_view key, std::string_view what) const;
};

}  // namespace scalestyle::nn
