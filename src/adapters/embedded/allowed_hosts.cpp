#include "adapters/embedded/allowed_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace scalestyle::adapters {

namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kHttpPort = 80;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool is_host(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !text.empty() && std::ranges::all_of(text, allowed) && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos;
}

}  // namespace

core::Result<AllowedHosts> AllowedHosts::parse(std::string_view text) {
  AllowedHosts hosts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view entry = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (entry.empty()) continue;
    CORE_TRY(Entry parsed, parse_entry(entry));
    hosts.entries_.push_back(std::move(parsed));
  }
  return hosts;
}

core::Result<AllowedHosts::Entry> AllowedHosts::parse_entry(std::string_view text) {
  const auto refuse = [shown = std::string(text)] {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("image_url_hosts: \"{}\" is neither a host (shop.example), nor all hosts below one (*.shop.example), "
                                  "each perhaps with http:// before or :port behind", shown),
                      "image_url_hosts");
  };
  Entry entry;
  if (text.starts_with(kHttp)) {
    entry.plain_http = true;
    text.remove_prefix(kHttp.size());
  } else if (text.starts_with(kHttps)) {
    text.remove_prefix(kHttps.size());
  }
  entry.port = entry.plain_http ? kHttpPort : kHttpsPort;
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), entry.port);
    if (error != std::errc() || end != port.data() + port.size() || entry.port == 0) return refuse();
    text = text.substr(0, colon);
  }
  if (text.starts_with("*.")) {
    entry.below = true;
    text.remove_prefix(2);
  }
  std::string host(text);
  std::ranges::transform(host, host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  if (!is_host(host)) return refuse();
  entry.host = entry.below ? "." + host : host;
  return entry;
}

bool AllowedHosts::allows(std::string_view scheme, std::string_view host, std::uint16_t port) const {
  const auto fits = [&](const Entry& entry) {
    const bool same_host = entry.below ? host.size() > entry.host.size() && host.ends_with(entry.host) : host == entry.host;
    return same_host && port == entry.port && scheme == (entry.plain_http ? "http" : "https");
  };
  return std::ranges::any_of(entries_, fits);
}

}  // namespace scalestyle::adapters
