#include "adapters/embedded/public_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace scalestyle::adapters {

namespace {

constexpr std::size_t kBytes4 = 4;
constexpr std::size_t kBytes6 = 16;

struct Block4 {
  std::array<std::uint8_t, kBytes4> start;
  unsigned bits;
};
constexpr std::array kSpecial4{
    Block4{{0, 0, 0, 0}, 8},        // this network
    Block4{{10, 0, 0, 0}, 8},       // private
    Block4{{100, 64, 0, 0}, 10},    // shared, behind carriers' translation
    Block4{{127, 0, 0, 0}, 8},      // loopback
    Block4{{169, 254, 0, 0}, 16},   // link-local, where clouds have their metadata
    Block4{{172, 16, 0, 0}, 12},    // private
    Block4{{192, 0, 0, 0}, 24},     // protocol assignments
    Block4{{192, 0, 2, 0}, 24},     // documentation
    Block4{{192, 88, 99, 0}, 24},   // 6to4 relays
    Block4{{192, 168, 0, 0}, 16},   // private
    Block4{{198, 18, 0, 0}, 15},    // benchmarks
    Block4{{198, 51, 100, 0}, 24},  // documentation
    Block4{{203, 0, 113, 0}, 24},   // documentation
    Block4{{224, 0, 0, 0}, 4},      // multicast
    Block4{{240, 0, 0, 0}, 4},      // reserved, and broadcast
};

struct Block6 {
  std::array<std::uint8_t, kBytes4> start;  // the first 32 bits; no block here is longer
  unsigned bits;
};
constexpr Block6 kGlobalUnicast{{0x20, 0x00, 0x00, 0x00}, 3};  // all that is assigned to the public so far
constexpr std::array kSpecial6{
    Block6{{0x20, 0x01, 0x00, 0x00}, 23},  // protocol assignments: Teredo, ORCHID, benchmarks
    Block6{{0x20, 0x01, 0x0D, 0xB8}, 32},  // documentation
    Block6{{0x20, 0x02, 0x00, 0x00}, 16},  // 6to4
    Block6{{0x3F, 0xFF, 0x00, 0x00}, 20},  // documentation
};

bool in_block(std::span<const std::byte> address, std::span<const std::uint8_t> start, unsigned bits) {
  for (std::size_t i = 0; bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const unsigned mask = (0xFFU << (8U - here)) & 0xFFU;
    if ((std::to_integer<unsigned>(address[i]) & mask) != (start[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

std::string shown(std::span<const std::byte> address) {
  std::string text;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto value = std::to_integer<unsigned>(address[i]);
    if (address.size() == kBytes4) {
      text += fmt::format("{}{}", i == 0 ? "" : ".", value);
    } else {
      text += fmt::format("{}{:02x}", i == 0 || i % 2 == 1 ? "" : ":", value);
    }
  }
  return text;
}

}  // namespace

core::Status check_public_address(std::span<const std::byte> address) {
  const auto holds = [&](const auto& block) { return in_block(address, block.start, block.bits); };
  bool is_public = false;
  if (address.size() == kBytes4) is_public = std::ranges::none_of(kSpecial4, holds);
  if (address.size() == kBytes6) is_public = holds(kGlobalUnicast) && std::ranges::none_of(kSpecial6, holds);
  if (is_public) return {};
  return core::fail(core::ErrorCode::kPermissionDenied, fmt::format("{} is no address of the public Internet", shown(address)));
}

}  // namespace scalestyle::adapters
