#pragma once
// Damage of a file that is made once, so that inputs stay small: a list of patches, each
//
//   offset, three bytes, the lowest first, modulo the file's size; length, one byte; that many bytes
//
// A patch of length 0 cuts the file off at its offset. What is left of an input behind its last whole patch has no effect.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalestyle::fuzz {

[[nodiscard]] inline std::string patch(std::size_t offset, std::string_view bytes) {
  std::string made;
  for (unsigned shift = 0; shift < 24; shift += 8) made += static_cast<char>(static_cast<std::uint8_t>(offset >> shift));
  return made + static_cast<char>(static_cast<std::uint8_t>(bytes.size())) + std::string(bytes);
}
[[nodiscard]] inline std::string cut(std::size_t offset) { return patch(offset, {}); }

[[nodiscard]] inline std::string damaged(std::string file, std::string_view patches) {
  constexpr std::size_t kHead = 4;
  const auto byte = [&patches](std::size_t at) { return std::size_t{static_cast<std::uint8_t>(patches[at])}; };
  while (patches.size() >= kHead && !file.empty()) {
    const std::size_t offset = (byte(0) | byte(1) << 8U | byte(2) << 16U) % file.size();
    const std::size_t length = byte(3);
    if (patches.size() < kHead + length) break;
    const std::string_view bytes = patches.substr(kHead, std::min(length, file.size() - offset));
    if (length == 0) file.resize(offset);
    file.replace(offset, bytes.size(), bytes);
    patches.remove_prefix(kHead + length);
  }
  return file;
}

}  // namespace scalestyle::fuzz
