#pragma once
// SHA-256 of bytes and files (OpenSSL), as lower-case hex or raw bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::core {

using Sha256Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

// Incremental. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text.data(), text.size()))); }
  [[nodiscard]] Sha256Digest finish();  // once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] Sha256Digest sha256(std::string_view text);
[[nodiscard]] inline std::string sha256_hex(std::string_view text) { return to_hex(sha256(text)); }

// kNotFound or kUnavailable with the path when the file cannot be read.
[[nodiscard]] Result<std::string> sha256_file_hex(const std::filesystem::path& path);

}  // namespace scalestyle::core
