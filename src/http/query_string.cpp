#include "http/query_string.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/unicode.hpp"

namespace scalestyle::http {

namespace {

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string shown_name(std::string_view name) {
  constexpr std::size_t kMaxBytes = 64;
  std::string shown;
  for (std::size_t position = 0; position < name.size();) {
    if (shown.size() >= kMaxBytes) return shown + "…";
    text::append_utf8(text::next_code_point(name, position), shown);
  }
  return shown;
}

core::Result<std::string> percent_decode(std::string_view text, bool plus_is_blank, std::string_view field) {
  const auto refuse = [&](std::string_view what) {
    const std::string name = shown_name(field);
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: {}", name, what), name);
  };
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hexadecimal(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hexadecimal(text[i + 2]) : -1;
    if (high < 0 || low < 0) return refuse("\"%\" must be followed by two hexadecimal digits (write %25 for a percent sign)");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (decoded.find('\0') != std::string::npos) return refuse("must not contain NUL");
  if (!text::is_valid_utf8(decoded)) return refuse("must be UTF-8");
  return decoded;
}

core::Result<QueryPairs> parse_query(std::string_view query) {
  QueryPairs pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    CORE_TRY(std::string name, percent_decode(piece.substr(0, equals), true, piece.substr(0, equals)));
    CORE_TRY(std::string value, percent_decode(piece.substr(std::min(equals + 1, piece.size())), true, name));
    pairs.emplace_back(std::move(name), std::move(value));
  }
  return pairs;
}

}  // namespace scalestyle::http
