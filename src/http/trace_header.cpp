#include "http/trace_header.hpp"

#include <algorithm>
#include <cstddef>

namespace scalestyle::http {

namespace {

bool is_hexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view header) {
  constexpr std::size_t kLength = 55;  // "00-" + 32 + "-" + 16 + "-" + 2
  if (header.size() < kLength || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const std::string_view trace = header.substr(3, 32);
  const std::string_view parent = header.substr(36, 16);
  const std::string_view flags = header.substr(53, 2);
  if (!is_hexadecimal(version) || !is_hexadecimal(trace) || !is_hexadecimal(parent) || !is_hexadecimal(flags)) return std::nullopt;
  if (version == "ff" || is_zero(trace) || is_zero(parent)) return std::nullopt;
  if (version == "00" ? header.size() != kLength : header.size() > kLength && header[kLength] != '-') return std::nullopt;
  constexpr std::string_view kOdd = "13579bdf";
  return TraceParent{.trace_id = std::string(trace), .parent_id = std::string(parent), .sampled = kOdd.find(flags[1]) != std::string_view::npos};
}

}  // namespace scalestyle::http
