#pragma once
// Which client a request is from: the address of the connection, or the one that trusted proxies tell of.
//
// X-Forwarded-For is read from its end, where the proxy nearest to us wrote, and only while every address passed so far is one of
// ours; what a client wrote before that is never believed.
// Thread safety: immutable.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::http {

// An IP address as 16 bytes; IPv4 as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;

// "192.0.2.1", "2001:db8::1", "[2001:db8::1]", each with ":port" where that is unambiguous; nothing for other text.
[[nodiscard]] std::optional<AddressBytes> parse_address(std::string_view text);

[[nodiscard]] bool is_loopback(const AddressBytes& address);

class TrustedProxies {
 public:
  TrustedProxies() = default;  // none

  // "10.0.0.0/8, 192.0.2.7, 2001:db8::/32"; empty: none. kInvalidArgument with the field "trusted_proxies".
  [[nodiscard]] static core::Result<TrustedProxies> parse(std::string_view text);

  [[nodiscard]] bool contains(const AddressBytes& address) const;

  // The client's address behind `peer`, the connection's other end; `forwarded_for` is X-Forwarded-For as sent. Nothing when
  // `peer` is no address. Where the header ends in something that is no address, the proxy that passed it on is the client.
  [[nodiscard]] std::optional<AddressBytes> client(std::string_view peer, std::string_view forwarded_for) const;

 private:
  struct Network {
    AddressBytes address{};
    std::size_t bits = 128;
  };
  std::vector<Network> networks_;
};

// What a limit counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address, within which every client may
// choose freely (RFC 4291, section 2.5.4). Empty for a loopback address: it is the machine itself.
[[nodiscard]] std::string limited_address(const AddressBytes& address);

}  // namespace scalestyle::http
