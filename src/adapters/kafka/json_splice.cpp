#include "adapters/kafka/json_splice.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/json_text.hpp"

namespace scalestyle::adapters::kafka {

namespace {

struct Member {
  std::string_view name;   // as written, in quotes
  std::string_view value;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The end of the value that begins at `at`, in valid JSON: the comma or bracket behind it on its own level.
std::size_t end_of_part(std::string_view text, std::size_t at, char until) {
  int depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') {
        ++at;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (depth == 0 && (c == until || c == '}')) {
      return at;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return at;
}

std::vector<Member> members_of(std::string_view object) {
  std::vector<Member> members;
  const std::string_view text = trimmed(object);
  std::size_t at = 1;  // behind the bracket
  while (at < text.size()) {
    const std::size_t colon = end_of_part(text, at, ':');
    if (colon >= text.size() || text[colon] != ':') break;  // the end of an empty object
    const std::size_t end = end_of_part(text, colon + 1, ',');
    members.push_back({trimmed(text.substr(at, colon - at)), trimmed(text.substr(colon + 1, end - colon - 1))});
    at = end + 1;
  }
  return members;
}

// Names may be written with escapes.
bool is_named(const Member& member, std::string_view name) {
  if (member.name.size() == name.size() + 2 && member.name.substr(1, name.size()) == name) return true;
  if (member.name.find('\\') == std::string_view::npos) return false;
  boost::system::error_code error;
  const auto parsed = boost::json::parse({member.name.data(), member.name.size()}, error);
  return !error && parsed.is_string() && std::string_view(parsed.get_string()) == name;
}

bool parses(std::string_view text, bool as_object) {
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::system::error_code error;
  const auto parsed = boost::json::parse({text.data(), text.size()}, error, {}, options);
  return !error && (!as_object || parsed.is_object());
}

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

bool is_json(std::string_view text) { return parses(text, false); }
bool is_json_object(std::string_view text) { return parses(text, true); }

std::optional<std::string> member_text(std::string_view object, std::string_view name) {
  std::optional<std::string> found;
  for (const Member& member : members_of(object)) {
    if (is_named(member, name)) found = std::string(member.value);
  }
  return found;
}

std::string without_member(std::string_view object, std::string_view name) {
  std::string out = "{";
  for (const Member& member : members_of(object)) {
    if (is_named(member, name)) continue;
    if (out.size() > 1) out += ',';
    out.append(member.name).append(":").append(member.value);
  }
  return out + '}';
}

std::string with_member(std::string_view object, std::string_view name, std::string_view value) {
  std::string_view text = trimmed(object);
  text.remove_suffix(1);
  std::string out(trimmed(text));
  if (out.size() > 1) out += ',';
  text::append_json_text(name, out);
  out.append(":").append(value).append("}");
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? kDigits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t group = 0;
    std::size_t count = 0;
    for (; count < 4 && text[at + count] != '='; ++count) {
      const auto digit = kDigits.find(text[at + count]);
      if (digit == std::string_view::npos) return std::nullopt;
      group |= static_cast<std::uint32_t>(digit) << (18 - 6 * count);
    }
    const bool last = at + 4 == text.size();
    if (count < 2 || (count < 4 && !last) || (count == 2 && text[at + 3] != '=')) return std::nullopt;
    for (std::size_t i = 0; i + 1 < count; ++i) out += static_cast<char>(group >> (16 - 8 * i) & 255U);
  }
  return out;
}

}  // namespace scalestyle::adapters::kafka
