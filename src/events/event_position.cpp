#include "events/event_position.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace scalestyle::events {

namespace {

// Bytes of a token, then in base64url without padding: version, partition and offset as LEB128, in version 2 the mark in 8
// bytes, stream, check sum.
constexpr char kVersion = 1;
constexpr char kMarkedVersion = 2;
constexpr std::size_t kMarkBytes = 8;
constexpr std::size_t kCheckBytes = 4;
constexpr std::size_t kMaxStreamBytes = 32;
constexpr std::size_t kMaxTokenCharacters = 96;
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7FU) | 0x80U);
  out += static_cast<char>(value);
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// FNV-1a of 32 bits: every change of one byte changes it.
std::string check_sum(std::string_view bytes) {
  std::uint32_t hash = 2'166'136'261U;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 16'777'619U;
  std::string sum;
  for (std::size_t i = 0; i < kCheckBytes; ++i) sum += static_cast<char>((hash >> (8 * i)) & 0xFFU);
  return sum;
}

std::string to_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    pending = (pending << 8U) | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[(pending >> (bits - 6)) & 0x3FU];
  }
  if (bits > 0) out += kDigits[(pending << (6 - bits)) & 0x3FU];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    pending = (pending << 6U) | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>((pending >> bits) & 0xFFU);
  }
  return out;
}

bool is_stream_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxStreamBytes &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'; });
}

std::optional<EventReference> decode(std::string_view token) {
  if (token.size() > kMaxTokenCharacters) return std::nullopt;
  const auto bytes = from_base64url(token);
  if (!bytes || bytes->size() <= kCheckBytes || (bytes->front() != kVersion && bytes->front() != kMarkedVersion)) return std::nullopt;
  std::string_view rest(*bytes);
  rest.remove_suffix(kCheckBytes);
  rest.remove_prefix(1);
  const auto partition = take_varint(rest);
  const auto offset = take_varint(rest);
  if (!partition || !offset) return std::nullopt;
  std::uint64_t mark = 0;
  if (bytes->front() == kMarkedVersion) {
    if (rest.size() < kMarkBytes) return std::nullopt;
    for (std::size_t i = 0; i < kMarkBytes; ++i) mark |= std::uint64_t{static_cast<unsigned char>(rest[i])} << (8 * i);
    rest.remove_prefix(kMarkBytes);
  }
  if (!is_stream_name(rest)) return std::nullopt;
  if (*partition > 0x7FFF'FFFFU || *offset > 0x7FFF'FFFF'FFFF'FFFFU) return std::nullopt;
  EventReference event{{std::string(rest), static_cast<std::int32_t>(*partition), static_cast<std::int64_t>(*offset)}, mark};
  // Covers the check sum too, and leaves each position one token.
  if (to_token(event.position, event.mark) != token) return std::nullopt;
  return event;
}

}  // namespace

std::string to_token(const EventPosition& position, std::uint64_t mark) {
  std::string bytes(1, mark == 0 ? kVersion : kMarkedVersion);
  append_varint(bytes, static_cast<std::uint32_t>(position.partition));
  append_varint(bytes, static_cast<std::uint64_t>(position.offset));
  for (std::size_t i = 0; mark != 0 && i < kMarkBytes; ++i) bytes += static_cast<char>((mark >> (8 * i)) & 0xFFU);
  bytes += position.stream;
  return to_base64url(bytes + check_sum(bytes));
}

core::Result<EventPosition> parse_token(std::string_view token, std::string_view field) {
  CORE_TRY(EventReference event, parse_reference(token, field));
  return std::move(event.position);
}

core::Result<EventReference> parse_reference(std::string_view token, std::string_view field) {
  auto event = decode(token);
  if (event) return *std::move(event);
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} must be a token as an accepted event's answer gave it", field), std::string(field));
}

}  // namespace scalestyle::events
