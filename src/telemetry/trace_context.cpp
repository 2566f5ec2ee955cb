#include "telemetry/trace_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <random>

namespace scalestyle::telemetry {

namespace {

constexpr std::size_t kParentLength = 55;  // "00-" + 32 + "-" + 16 + "-" + 2
constexpr std::size_t kMaxStateLength = 512;
constexpr std::size_t kMaxStateMembers = 32;
constexpr std::size_t kMaxKeyLength = 256;

bool is_hexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Of at most 16 hexadecimal digits.
std::uint64_t number_of(std::string_view digits) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

void append_hex(std::string& out, std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(number >> static_cast<unsigned>(shift)) & 0xFU];
}

// Sebastiano Vigna's SplitMix64: a bijection of 64 bits that passes for random.
std::uint64_t mix(std::uint64_t number) {
  number += 0x9E3779B97F4A7C15U;
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9U;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBU;
  return number ^ (number >> 31U);
}

std::uint64_t not_zero(std::uint64_t number) { return number != 0 ? number : 1; }

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "key" or "tenant@system".
bool is_state_key(std::string_view key) {
  const auto is_start = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_part = [&](char c) { return is_start(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@'; };
  return !key.empty() && key.size() <= kMaxKeyLength && is_start(key.front()) && std::ranges::all_of(key, is_part) &&
         std::ranges::count(key, '@') <= 1;
}

bool is_state_value(std::string_view value) {
  return !value.empty() && value.size() <= kMaxKeyLength && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

std::string TraceId::hex() const {
  std::string out;
  out.reserve(32);
  append_hex(out, high);
  append_hex(out, low);
  return out;
}

std::string SpanId::hex() const {
  std::string out;
  out.reserve(16);
  append_hex(out, value);
  return out;
}

std::optional<TraceParent> parse_traceparent(std::string_view header) {
  if (header.size() < kParentLength || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const std::string_view trace = header.substr(3, 32);
  const std::string_view parent = header.substr(36, 16);
  const std::string_view flags = header.substr(53, 2);
  if (!is_hexadecimal(version) || !is_hexadecimal(trace) || !is_hexadecimal(parent) || !is_hexadecimal(flags)) {
    return std::nullopt;
  }
  if (version == "ff") return std::nullopt;
  const bool is_longer = header.size() > kParentLength;
  if (is_longer && (version == "00" || header[kParentLength] != '-')) return std::nullopt;
  const TraceParent read{.trace = {number_of(trace.substr(0, 16)), number_of(trace.substr(16))},
                         .parent = {number_of(parent)},
                         .sampled = (number_of(flags) & 1U) != 0};
  if (!read.trace.is_valid() || !read.parent.is_valid()) return std::nullopt;
  return read;
}

std::string write_traceparent(const TraceParent& parent) {
  std::string out;
  out.reserve(kParentLength);
  out += "00-";
  append_hex(out, parent.trace.high);
  append_hex(out, parent.trace.low);
  out += '-';
  append_hex(out, parent.parent.value);
  out += parent.sampled ? "-01" : "-00";
  return out;
}

std::string_view usable_tracestate(std::string_view header) {
  header = trimmed(header);
  if (header.size() > kMaxStateLength) return {};
  std::array<std::string_view, kMaxStateMembers> keys;
  std::size_t members = 0;
  for (std::string_view rest = header; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view member = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (member.empty()) continue;  // the source lets lists have empty members
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || members == kMaxStateMembers) return {};
    const std::string_view key = member.substr(0, equals);
    if (!is_state_key(key) || !is_state_value(member.substr(equals + 1))) return {};
    if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(members), key) !=
        keys.begin() + static_cast<std::ptrdiff_t>(members)) {
      return {};
    }
    keys[members++] = key;
  }
  return members == 0 ? std::string_view() : header;
}

IdSource::IdSource() : seed_(random_seed()), other_seed_(random_seed()) {}

// Counters far apart on the generator's cycle, each mixed twice so that neighbours have nothing in common.
TraceId IdSource::trace_id() {
  const std::uint64_t number = count_.fetch_add(1, std::memory_order_relaxed);
  return {mix(seed_ ^ mix(number)), not_zero(mix(other_seed_ ^ mix(number)))};
}

SpanId IdSource::span_id() {
  const std::uint64_t number = count_.fetch_add(1, std::memory_order_relaxed);
  return {not_zero(mix(seed_ ^ mix(number)))};
}

SpanId derived_span_id(SpanId parent, std::uint64_t number) { return {not_zero(mix(parent.value ^ mix(number)))}; }

}  // namespace scalestyle::telemetry
