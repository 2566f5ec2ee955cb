#include "events/event_id.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <random>

#include "core/hash.hpp"

namespace scalestyle::events {

std::string make_event_id() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  constexpr std::uint64_t kVersion = 0x4000;
  constexpr std::uint64_t kVariant = 0x8000;
  const std::uint64_t high = generator();
  const std::uint64_t low = generator();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFFU, (high & 0x0FFFU) | kVersion,
                     ((low >> 48U) & 0x3FFFU) | kVariant, low & 0xFFFF'FFFF'FFFFU);
}

std::uint64_t event_mark(std::string_view event_id) {
  const core::Sha256Digest digest = core::sha256(event_id);
  std::uint64_t mark = 0;
  for (std::size_t i = 0; i < sizeof mark; ++i) mark |= std::uint64_t{digest[i]} << (8 * i);
  return mark == 0 ? 1 : mark;
}

std::string derived_event_id(std::string_view kind, std::string_view name) {
  constexpr std::size_t kHexDigits = 40;
  return fmt::format("{}{}:{}", kReservedIdPrefix, kind, core::sha256_hex(name).substr(0, kHexDigits));
}

}  // namespace scalestyle::events
