#include "http/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace scalestyle::http {

namespace {

constexpr std::uint8_t kNone = 0xFF;
constexpr std::size_t kMaxDataUrlHead = 256;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

std::uint8_t value_of(char c) { return kValues[static_cast<unsigned char>(c)]; }

std::unexpected<core::Error> refuse(std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace

core::Result<std::string> base64_decode(std::string_view text) {
  const auto is_wrong = [](char c) { return value_of(c) == kNone; };
  const std::string_view digits = text.substr(0, text.size() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  if (const auto wrong = std::ranges::find_if(digits, is_wrong); wrong != digits.end()) {
    return refuse(fmt::format("is not Base64 at character {}", wrong - digits.begin() + 1));
  }
  if (text.size() % 4 != 0) return refuse(fmt::format("is not Base64: its {} characters are no multiple of 4", text.size()));

  std::string bytes(text.size() / 4 * 3 - (text.size() - digits.size()), '\0');
  std::size_t out = 0;
  std::size_t at = 0;
  for (; at + 4 <= digits.size(); at += 4, out += 3) {
    const std::uint32_t group = std::uint32_t{value_of(digits[at])} << 18U | std::uint32_t{value_of(digits[at + 1])} << 12U |
                                std::uint32_t{value_of(digits[at + 2])} << 6U | std::uint32_t{value_of(digits[at + 3])};
    bytes[out] = static_cast<char>(group >> 16U & 0xFFU);
    bytes[out + 1] = static_cast<char>(group >> 8U & 0xFFU);
    bytes[out + 2] = static_cast<char>(group & 0xFFU);
  }
  std::uint32_t rest = 0;
  unsigned bits = 0;
  for (; at < digits.size(); ++at, bits += 6) rest = rest << 6U | value_of(digits[at]);
  for (; bits >= 8; bits -= 8) bytes[out++] = static_cast<char>(rest >> (bits - 8U) & 0xFFU);
  if ((rest & ((1U << bits) - 1U)) != 0) return refuse("is not Base64: its last character has bits that belong to no byte");
  return bytes;
}

core::Result<std::string_view> without_data_url(std::string_view text) {
  constexpr std::string_view kScheme = "data:";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  if (text.size() < kScheme.size() || !std::ranges::equal(text.substr(0, kScheme.size()), kScheme, {}, lower)) return text;
  const std::size_t comma = text.substr(0, kMaxDataUrlHead).find(',');
  if (comma == std::string_view::npos) return refuse("is a data: URL without a comma");
  std::string head(text.substr(0, comma));
  std::ranges::transform(head, head.begin(), lower);
  if (!head.ends_with(";base64")) return refuse("is a data: URL that is not in Base64");
  return text.substr(comma + 1);
}

}  // namespace scalestyle::http
