#include "http/client_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace scalestyle::http {

namespace {

constexpr std::size_t kMappedBits = 96;  // before the IPv4 address in ::ffff:a.b.c.d
constexpr std::size_t kMaxText = 64;
constexpr std::size_t kMaxNetworks = 256;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

AddressBytes mapped(std::span<const std::uint8_t, 4> ipv4) {
  AddressBytes address{};
  address[10] = address[11] = 0xFF;
  std::ranges::copy(ipv4, address.begin() + kMappedBits / 8);
  return address;
}

bool is_mapped(const AddressBytes& address) {
  const std::array<std::uint8_t, 4> any{};
  return std::equal(address.begin(), address.begin() + kMappedBits / 8, mapped(any).begin());
}

// An address without brackets and port.
std::optional<AddressBytes> parse_bare(std::string_view text) {
  if (text.empty() || text.size() > kMaxText || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string copy(text);
  std::array<std::uint8_t, 4> ipv4{};
  if (::inet_pton(AF_INET, copy.c_str(), ipv4.data()) == 1) return mapped(ipv4);
  AddressBytes ipv6{};
  if (::inet_pton(AF_INET6, copy.c_str(), ipv6.data()) == 1) return ipv6;
  return std::nullopt;
}

bool is_within(const AddressBytes& address, const AddressBytes& network, std::size_t bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), network.begin())) return false;
  if (bits % 8 == 0) return true;
  const int shift = static_cast<int>(8 - bits % 8);
  return address[whole] >> shift == network[whole] >> shift;
}

}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : parse_bare(text.substr(1, end - 1));
  }
  // One colon: a port follows an IPv4 address. More: they belong to an IPv6 address.
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) text = text.substr(0, colon);
  return parse_bare(text);
}

bool is_loopback(const AddressBytes& address) {
  if (is_mapped(address)) return address[kMappedBits / 8] == 127;
  AddressBytes loopback{};
  loopback.back() = 1;
  return address == loopback;
}

core::Result<TrustedProxies> TrustedProxies::parse(std::string_view text) {
  TrustedProxies proxies;
  const auto refuse = [](std::string message) {
    return core::fail(core::ErrorCode::kInvalidArgument, "trusted_proxies: " + std::move(message), "trusted_proxies");
  };
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view entry = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (entry.empty()) continue;
    const std::size_t slash = std::min(entry.find('/'), entry.size());
    const auto address = parse_bare(entry.substr(0, slash));
    if (!address) return refuse(fmt::format("\"{}\" is no address and no network such as 10.0.0.0/8", entry));
    const std::size_t most = is_mapped(*address) ? 32 : 128;
    std::size_t bits = most;
    if (slash < entry.size()) {
      const std::string_view number = entry.substr(slash + 1);
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
      if (number.empty() || error != std::errc() || end != number.data() + number.size() || bits > most) {
        return refuse(fmt::format("\"{}\": after the slash come 0 to {} bits", entry, most));
      }
    }
    if (proxies.networks_.size() == kMaxNetworks) return refuse(fmt::format("more than {} entries", kMaxNetworks));
    proxies.networks_.push_back({*address, 128 - most + bits});
  }
  return proxies;
}

bool TrustedProxies::contains(const AddressBytes& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) { return is_within(address, network.address, network.bits); });
}

std::optional<AddressBytes> TrustedProxies::client(std::string_view peer, std::string_view forwarded_for) const {
  std::optional<AddressBytes> nearest = parse_address(peer);
  while (nearest && !forwarded_for.empty() && contains(*nearest)) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    const auto before = parse_address(forwarded_for.substr(begin));
    if (!before) break;
    nearest = before;
    forwarded_for = forwarded_for.substr(0, begin == 0 ? 0 : begin - 1);
  }
  return nearest;
}

std::string limited_address(const AddressBytes& address) {
  if (is_loopback(address)) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(address)) {
    ::inet_ntop(AF_INET, address.data() + kMappedBits / 8, text.data(), text.size());
    return text.data();
  }
  AddressBytes network{};
  std::copy_n(address.begin(), 8, network.begin());
  ::inet_ntop(AF_INET6, network.data(), text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace scalestyle::http
