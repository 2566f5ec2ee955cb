#pragma once
// Endpoint: where a Redis server listens.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::adapters::redis {

struct Endpoint {
  std::string host{};  // a name or an address; an IPv6 address without brackets
  std::uint16_t port = 0;

  // "host:port", "[::1]:6379". kInvalidArgument.
  [[nodiscard]] static core::Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace scalestyle::adapters::redis
