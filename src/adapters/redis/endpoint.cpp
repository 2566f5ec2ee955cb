#include "adapters/redis/endpoint.hpp"

#include <fmt/format.h>

#include <charconv>

namespace scalestyle::adapters::redis {

core::Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto wrong = [text] {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("'{}' is not host:port", text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 255) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  Endpoint endpoint;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error != std::errc() || end != digits.data() + digits.size() || endpoint.port == 0) return wrong();
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  for (const char c : host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '/') return wrong();
  }
  endpoint.host = std::string(host);
  return endpoint;
}

std::string Endpoint::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

}  // namespace scalestyle::adapters::redis
