#pragma once
// Which network addresses belong to the public Internet, by the IANA registries of special-purpose addresses (RFC 6890).

#include <cstddef>
#include <span>

#include "core/result.hpp"

namespace scalestyle::adapters {

// `address` is 4 bytes (IPv4) or 16 (IPv6), in network order. kPermissionDenied, with the address in the message, for
// private, loopback, link-local (metadata services too), unique-local, shared (RFC 6598), multicast, documentation,
// benchmark and reserved addresses, and for IPv6 addresses that carry an IPv4 one (mapped, translated, 6to4, Teredo).
[[nodiscard]] core::Status check_public_address(std::span<const std::byte> address);

}  // namespace scalestyle::adapters
