#include "http/multipart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::http {

namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046, section 5.1.1
constexpr std::size_t kMaxNameBytes = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_word(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::unexpected<core::Error> refuse(std::string message, const char* field = "body") {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), field);
}

// A header's value and its parameters: `form-data; name="a"; filename="b.jpg"`.
struct ParameterList {
  std::string_view value;
  std::vector<std::pair<std::string_view, std::string>> parameters;

  [[nodiscard]] const std::string* find(std::string_view name) const {
    const auto found = std::ranges::find_if(parameters, [&](const auto& parameter) { return same_word(parameter.first, name); });
    return found == parameters.end() ? nullptr : &found->second;
  }
};

// Takes a token or a quoted string from the front of `rest`; nothing when the quotes do not end.
std::optional<std::string> take_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    value = trimmed(rest.substr(0, end));
    rest.remove_prefix(end);
    return value;
  }
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      rest = trimmed(rest.substr(at + 1));
      return value;
    }
    // A quoted pair is of a quote or backslash alone: Windows clients send paths with bare backslashes.
    const bool pair = rest[at] == '\\' && at + 1 < rest.size() && (rest[at + 1] == '"' || rest[at + 1] == '\\');
    if (pair) ++at;
    value += rest[at];
  }
  return std::nullopt;
}

std::optional<ParameterList> parse_parameters(std::string_view text) {
  ParameterList list;
  const std::size_t end = std::min(text.find(';'), text.size());
  list.value = trimmed(text.substr(0, end));
  std::string_view rest = text.substr(end);
  while (!rest.empty()) {
    if (!rest.starts_with(';')) return std::nullopt;
    rest = trimmed(rest.substr(1));
    if (rest.empty()) break;
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trimmed(rest.substr(0, equals));
    rest = trimmed(rest.substr(equals + 1));
    auto value = take_value(rest);
    if (!value || list.find(name) != nullptr) return std::nullopt;
    list.parameters.emplace_back(name, std::move(*value));
  }
  return list;
}

core::Result<std::string> boundary_of(std::string_view content_type) {
  constexpr std::string_view kAllowed = "'()+_,-./:=? ";
  const auto parsed = parse_parameters(content_type);
  const std::string* boundary = parsed ? parsed->find("boundary") : nullptr;
  const auto allowed = [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || kAllowed.find(c) != std::string_view::npos;
  };
  if (boundary == nullptr || boundary->empty() || boundary->size() > kMaxBoundary || boundary->ends_with(' ') ||
      !std::ranges::all_of(*boundary, allowed)) {
    return refuse(fmt::format("multipart/form-data needs a boundary of 1 to {} characters", kMaxBoundary), "Content-Type");
  }
  return *boundary;
}

class FormReader {
 public:
  FormReader(std::string boundary, std::string_view body) : delimiter_("\r\n--" + boundary), body_(body) {}

  core::Result<std::vector<FormPart>> read() {
    std::vector<FormPart> parts;
    if (body_.starts_with("\r\n")) at_ = 2;
    if (!body_.substr(at_).starts_with(std::string_view(delimiter_).substr(2))) return refuse("the form does not begin with its boundary");
    at_ += delimiter_.size() - 2;
    while (true) {
      CORE_TRY(const bool last, end_delimiter());
      if (last) return parts;
      if (parts.size() == kMaxFormParts) {
        return core::fail(core::ErrorCode::kResourceExhausted, fmt::format("the form has more than {} parts", kMaxFormParts), "body");
      }
      CORE_TRY(FormPart part, read_part());
      parts.push_back(std::move(part));
    }
  }

 private:
  // Behind a boundary: true at the end of the form, false where a part begins.
  core::Result<bool> end_delimiter() {
    const bool last = body_.substr(at_).starts_with("--");
    if (last) at_ += 2;
    while (at_ < body_.size() && (body_[at_] == ' ' || body_[at_] == '\t')) ++at_;
    const std::string_view rest = body_.substr(at_);
    if (last && (rest.empty() || rest == "\r\n")) return true;
    if (last) return refuse(fmt::format("the form goes on after its end, at byte {}", at_));
    if (!rest.starts_with("\r\n")) return refuse(fmt::format("a boundary is not followed by a line's end, at byte {}", at_));
    at_ += 2;
    return false;
  }

  core::Result<FormPart> read_part() {
    FormPart part;
    CORE_CHECK(read_header(part));
    const std::size_t end = body_.find(delimiter_, at_);
    if (end == std::string_view::npos) return refuse(fmt::format("part \"{}\" has no end", part.name));
    part.content = body_.substr(at_, end - at_);
    at_ = end + delimiter_.size();
    return part;
  }

  core::Status read_header(FormPart& part) {
    const std::size_t begin = at_;
    bool named = false;
    while (true) {
      const std::string_view window = body_.substr(at_, kMaxPartHeaderBytes);
      const std::size_t end = window.find("\r\n");
      if (at_ - begin + std::min(end, window.size()) > kMaxPartHeaderBytes || (end == std::string_view::npos && window.size() == kMaxPartHeaderBytes)) {
        return core::fail(core::ErrorCode::kResourceExhausted,
                          fmt::format("the header of a part is larger than {} bytes, at byte {}", kMaxPartHeaderBytes, begin), "body");
      }
      if (end == std::string_view::npos) return refuse(fmt::format("the header of a part has no end, at byte {}", begin));
      const std::string_view line = window.substr(0, end);
      at_ += end + 2;
      if (line.empty()) break;
      CORE_CHECK(read_line(line, part, named));
    }
    if (named) return {};
    return refuse(fmt::format("a part has no Content-Disposition: form-data with a name, at byte {}", begin));
  }

  static core::Status read_line(std::string_view line, FormPart& part, bool& named) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; })) {
      return refuse("a part has a header line that is none");
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same_word(name, "Content-Disposition")) {
      const auto parsed = parse_parameters(value);
      const std::string* given = parsed && same_word(parsed->value, "form-data") ? parsed->find("name") : nullptr;
      if (named || given == nullptr || given->empty() || given->size() > kMaxNameBytes) {
        return refuse("a part must have one Content-Disposition: form-data with one name");
      }
      named = true;
      part.name = *given;
      part.is_file = parsed->find("filename") != nullptr || parsed->find("filename*") != nullptr;
    } else if (same_word(name, "Content-Transfer-Encoding")) {
      if (!same_word(value, "binary") && !same_word(value, "8bit") && !same_word(value, "7bit")) {
        return refuse("a part must not have a transfer encoding");
      }
    } else if (same_word(name, "Content-Type")) {
      const auto parsed = parse_parameters(value);
      const std::string* charset = parsed ? parsed->find("charset") : nullptr;
      if (!parsed || (charset != nullptr && !same_word(*charset, "utf-8") && !same_word(*charset, "us-ascii"))) {
        return refuse("a part's texts must be in UTF-8");
      }
      if (same_word(parsed->value.substr(0, std::string_view("multipart/").size()), "multipart/")) return refuse("parts must not have parts");
    }
    return {};
  }

  const std::string delimiter_;
  const std::string_view body_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_form(std::string_view content_type) {
  return same_word(trimmed(content_type.substr(0, content_type.find(';'))), "multipart/form-data");
}

core::Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body) {
  CORE_TRY(std::string boundary, boundary_of(content_type));
  return FormReader(std::move(boundary), body).read();
}

}  // namespace scalestyle::http
