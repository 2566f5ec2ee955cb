#pragma once
// HMAC-SHA-256 (RFC 2104; OpenSSL), and what keys and their comparison need.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/hash.hpp"

namespace scalestyle::core {

[[nodiscard]] Sha256Digest hmac_sha256(std::string_view key, std::string_view text);

// Takes the same time wherever the two differ. False for different sizes.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

// From the system's generator for keys.
[[nodiscard]] std::string random_key(std::size_t bytes);

}  // namespace scalestyle::core
