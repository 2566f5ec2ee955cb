#include "adapters/remote_inference/server_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace scalestyle::adapters::remote_inference {

namespace {

constexpr std::size_t kMaxAddresses = 64;

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

core::Status check_server_address(std::string_view url, std::string_view setting) {
  const auto refuse = [&](std::string_view why) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("an address in {} {}", setting, why), std::string(setting));
  };
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || (url.substr(0, scheme) != "http" && url.substr(0, scheme) != "https")) {
    return refuse("must begin with http:// or https://");
  }
  const std::string_view rest = url.substr(scheme + 3);
  if (rest.empty() || rest.front() == '/' || !printable(url)) return refuse("names no host, or has characters that must be escaped");
  // A password in it would end up in messages.
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) return refuse("must not hold a user or a password");
  if (rest.find_first_of("?#") != std::string_view::npos) return refuse("must not hold a query or a fragment");
  return {};
}

core::Result<std::vector<std::string>> parse_server_addresses(std::string_view text, std::string_view setting) {
  const auto refuse = [&](std::string why) { return core::fail(core::ErrorCode::kInvalidArgument, std::move(why), std::string(setting)); };
  std::vector<std::string> addresses;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view one = trimmed(text.substr(0, comma));
    while (one.ends_with('/')) one.remove_suffix(1);
    CORE_CHECK(check_server_address(one, setting));
    if (std::ranges::find(addresses, one) != addresses.end()) return refuse(fmt::format("{} names {} twice", setting, one));
    addresses.emplace_back(one);
    if (addresses.size() > kMaxAddresses) return refuse(fmt::format("{} names more than {} servers", setting, kMaxAddresses));
    if (comma == std::string_view::npos) return addresses;
    text.remove_prefix(comma + 1);
  }
}

core::Result<std::string> key_from_environment(const std::string& variable) {
  const char* const value = variable.empty() ? nullptr : std::getenv(variable.c_str());
  std::string key = value == nullptr ? "" : value;
  if (printable(key)) return key;
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("the key in {} has characters that a key does not have", variable));
}

}  // namespace scalestyle::adapters::remote_inference
