#include "http/json_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

#include "core/text_distance.hpp"
#include "http/parameters.hpp"
#include "http/query_string.hpp"
#include "text/unicode.hpp"

namespace scalestyle::http {

namespace json = boost::json;
using ParseError = json::error_code;

namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxDepth = 8;  // every description is flatter, so its own check comes first
constexpr double kMaxExactInteger = 9'007'199'254'740'992.0;  // 2^53: up to here a double holds whole numbers exactly

std::string_view type_name(BodyKind kind) {
  switch (kind) {
    case BodyKind::kText: return "a string";
    case BodyKind::kInteger: return "a whole number";
    case BodyKind::kNumber: return "a number";
    case BodyKind::kBoolean: return "true or false";
    case BodyKind::kTime: return "an RFC 3339 string or milliseconds since 1970";
    case BodyKind::kObjects: return "an array of objects";
  }
  return "something else";
}

// Why `value` is no right text for `field`; empty when it is one.
std::string text_fault(const BodyField& field, std::string_view value) {
  std::size_t characters = 0;
  bool blank = true;
  for (std::size_t position = 0; position < value.size(); ++characters) {
    const char32_t code_point = text::next_code_point(value, position);
    if (code_point == 0) return "must not contain NUL";
    blank = blank && (text::is_bert_whitespace(code_point) || text::is_bert_control(code_point));
  }
  if (blank && !field.may_be_blank) return "must not be blank";
  if (static_cast<double>(characters) < field.minimum || static_cast<double>(characters) > field.maximum) {
    return fmt::format("must have {} to {} characters, not {}", field.minimum, field.maximum, characters);
  }
  if (!field.choices.empty() && std::ranges::find(field.choices, value) == field.choices.end()) {
    return choice_fault(field.choices, value);
  }
  return {};
}

}  // namespace

// Takes the parser's calls and builds the objects. A fault ends the parse with `fault_` set.
class BodyReader {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  explicit BodyReader(const BodySpec& spec) : spec_(spec) {}

  [[nodiscard]] const std::optional<core::Error>& fault() const { return fault_; }
  [[nodiscard]] Body take() && { return std::move(root_); }

  bool on_document_begin(ParseError&) { return true; }
  bool on_document_end(ParseError&) { return true; }

  bool on_object_begin(ParseError& error) {
    if (frames_.empty()) {
      frames_.push_back({&spec_, &root_});
      return true;
    }
    Frame& parent = frames_.back();
    if (!parent.in_array) return wrong_type("an object", error);
    auto& entries = std::get<std::vector<Body>>(parent.object->members_.back().second);
    if (static_cast<double>(entries.size()) >= parent.field->maximum) {
      return refuse(field_path(), fmt::format("must have at most {} entries", parent.field->maximum), error);
    }
    // The vector may move its entries, but no frame is below this one while it grows.
    entries.emplace_back();
    frames_.push_back({parent.field->entries, &entries.back()});
    return true;
  }

  bool on_object_end(std::size_t, ParseError& error) {
    const Frame& frame = frames_.back();
    for (const BodyField& field : frame.spec->fields) {
      if (field.required && !frame.object->has(field.name)) return refuse(path_of(field.name), "is required", error);
    }
    frames_.pop_back();
    return true;
  }

  bool on_array_begin(ParseError& error) {
    if (frames_.empty()) return wrong_type("an array", error);
    Frame& frame = frames_.back();
    if (frame.in_array || frame.field->kind != BodyKind::kObjects) return wrong_type("an array", error);
    frame.object->members_.emplace_back(frame.field, std::vector<Body>());
    frame.in_array = true;
    return true;
  }

  bool on_array_end(std::size_t count, ParseError& error) {
    Frame& frame = frames_.back();
    frame.in_array = false;
    if (static_cast<double>(count) >= frame.field->minimum) return true;
    return refuse(path_of(frame.field->name), fmt::format("must have at least {} entries", frame.field->minimum), error);
  }

  bool on_key_part(json::string_view part, std::size_t total, ParseError& error) {
    scratch_.append(part.data(), std::min(part.size(), kMaxNameBytes));
    return total <= kMaxNameBytes || unknown_member(error);
  }
  bool on_key(json::string_view part, std::size_t, ParseError& error) {
    scratch_.append(part.data(), std::min(part.size(), kMaxNameBytes));
    Frame& frame = frames_.back();
    const auto field = std::ranges::find(frame.spec->fields, std::string_view(scratch_), &BodyField::name);
    if (field == frame.spec->fields.end()) return unknown_member(error);
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(field - frame.spec->fields.begin());
    if ((frame.seen & bit) != 0) return refuse(path_of(field->name), "is given twice", error);
    frame.seen |= bit;
    frame.field = &*field;
    scratch_.clear();
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t total, ParseError& error) {
    if (!may_be_text(error)) return false;
    constexpr std::size_t kBytesPerCharacter = 4;
    const BodyField& field = *frames_.back().field;
    const auto limit = field.kind == BodyKind::kText ? static_cast<std::size_t>(field.maximum) * kBytesPerCharacter : kMaxNameBytes;
    if (total > limit) return refuse(field_path(), too_long(field), error);
    scratch_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t total, ParseError& error) {
    if (!on_string_part(part, total, error)) return false;
    const BodyField& field = *frames_.back().field;
    if (field.kind == BodyKind::kText) {
      if (std::string fault = text_fault(field, scratch_); !fault.empty()) return refuse(field_path(), std::move(fault), error);
    }
    keep(std::move(scratch_));
    scratch_.clear();
    return true;
  }

  bool on_number_part(json::string_view, ParseError&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, ParseError& error) { return on_whole(value, error); }
  bool on_uint64(std::uint64_t value, json::string_view, ParseError& error) {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return on_whole(static_cast<std::int64_t>(value), error);
    }
    return on_double(static_cast<double>(value), {}, error);
  }
  bool on_double(double value, json::string_view, ParseError& error) {
    if (!in_value(error, "a number")) return false;
    const BodyField& field = *frames_.back().field;
    const bool whole = std::abs(value) <= kMaxExactInteger && std::trunc(value) == value;
    if (whole && field.kind != BodyKind::kNumber) return on_whole(static_cast<std::int64_t>(value), error);
    switch (field.kind) {
      case BodyKind::kNumber: return keep_number(field, value, error);
      case BodyKind::kInteger: return refuse(field_path(), limits_of(field), error);
      default: return wrong_type("a number", error);
    }
  }

  bool on_bool(bool value, ParseError& error) {
    if (!in_value(error, "a boolean")) return false;
    if (frames_.back().field->kind != BodyKind::kBoolean) return wrong_type("a boolean", error);
    keep(value);
    return true;
  }
  bool on_null(ParseError& error) {
    if (!in_value(error, "null")) return false;
    if (frames_.back().field->nullable) keep(std::monostate());
    return true;
  }

  bool on_comment_part(json::string_view, ParseError&) { return true; }
  bool on_comment(json::string_view, ParseError&) { return true; }

 private:
  // An object being read. While in_array is set, its member `field` is an array being read.
  struct Frame {
    const BodySpec* spec = nullptr;
    Body* object = nullptr;
    const BodyField* field = nullptr;
    std::uint64_t seen = 0;
    bool in_array = false;
  };

  static std::string limits_of(const BodyField& field) {
    return fmt::format("must be {} from {} to {}", type_name(field.kind), field.minimum, field.maximum);
  }
  static std::string too_long(const BodyField& field) {
    if (field.kind == BodyKind::kText) return fmt::format("must have {} to {} characters", field.minimum, field.maximum);
    return fmt::format("must be {}", type_name(field.kind));
  }

  template <class Value>
  void keep(Value&& value) {
    const Frame& frame = frames_.back();
    frame.object->members_.emplace_back(frame.field, std::forward<Value>(value));
  }

  bool on_whole(std::int64_t value, ParseError& error) {
    if (!in_value(error, "a number")) return false;
    const BodyField& field = *frames_.back().field;
    switch (field.kind) {
      case BodyKind::kNumber: return keep_number(field, static_cast<double>(value), error);
      case BodyKind::kTime: keep(value); return true;
      case BodyKind::kInteger:
        if (static_cast<double>(value) < field.minimum || static_cast<double>(value) > field.maximum) {
          return refuse(field_path(), limits_of(field), error);
        }
        keep(value);
        return true;
      default: return wrong_type("a number", error);
    }
  }
  bool keep_number(const BodyField& field, double value, ParseError& error) {
    if (!std::isfinite(value) || value < field.minimum || value > field.maximum) return refuse(field_path(), limits_of(field), error);
    keep(value);
    return true;
  }

  // A scalar may stand here: it is a member's value, not an entry of an array nor the whole body.
  bool in_value(ParseError& error, std::string_view given) {
    if (frames_.empty() || frames_.back().in_array) return wrong_type(given, error);
    return true;
  }
  bool may_be_text(ParseError& error) {
    if (!in_value(error, "a string")) return false;
    const BodyKind kind = frames_.back().field->kind;
    return kind == BodyKind::kText || kind == BodyKind::kTime || wrong_type("a string", error);
  }

  bool wrong_type(std::string_view given, ParseError& error) {
    if (frames_.empty()) return refuse("body", fmt::format("must be a JSON object, not {}", given), error);
    const Frame& frame = frames_.back();
    const std::string_view wanted = frame.in_array ? "an object" : type_name(frame.field->kind);
    return refuse(field_path(), fmt::format("must be {}, not {}", wanted, given), error);
  }

  bool unknown_member(ParseError& error) {
    std::vector<std::string> known;
    for (const BodyField& field : frames_.back().spec->fields) known.emplace_back(field.name);
    const std::string shown = scratch_.empty() ? "\"\"" : shown_name(scratch_);
    const std::string nearest = core::nearest_name(shown, known);
    const std::string hint = nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest);
    fault_ = core::Error{core::ErrorCode::kInvalidArgument, fmt::format("unknown field {}{}", scratch_.empty() ? shown : fmt::format("\"{}\"", shown), hint), path_of(shown)};
    error = json::error::syntax;
    return false;
  }

  bool refuse(std::string path, std::string_view what, ParseError& error) {
    std::string message = fmt::format("{} {}", path == "body" ? "the body" : path, what);
    fault_ = core::Error{core::ErrorCode::kInvalidArgument, std::move(message), std::move(path)};
    error = json::error::syntax;
    return false;
  }

  // The path of member `name` of the innermost object.
  [[nodiscard]] std::string path_of(std::string_view name) const {
    std::string path;
    for (std::size_t i = 0; i + 1 < frames_.size(); ++i) path += outer_path(frames_[i]) + ".";
    return path += name;
  }
  // The path of the value being read.
  [[nodiscard]] std::string field_path() const {
    const Frame& frame = frames_.back();
    if (!frame.in_array) return path_of(frame.field->name);
    const auto& entries = std::get<std::vector<Body>>(frame.object->members_.back().second);
    const bool full = static_cast<double>(entries.size()) >= frame.field->maximum;
    return full ? path_of(frame.field->name) : fmt::format("{}[{}]", path_of(frame.field->name), entries.size());
  }
  [[nodiscard]] static std::string outer_path(const Frame& frame) {
    const auto& entries = std::get<std::vector<Body>>(frame.object->members_.back().second);
    return fmt::format("{}[{}]", frame.field->name, entries.size() - 1);
  }

  const BodySpec& spec_;
  Body root_;
  std::vector<Frame> frames_;
  std::string scratch_;
  std::optional<core::Error> fault_;
};

const Body::Value* Body::find(std::string_view name) const {
  for (const auto& [field, value] : members_) {
    if (field->name == name) return &value;
  }
  return nullptr;
}

const std::string* Body::text(std::string_view name) const {
  const Value* value = find(name);
  return value == nullptr ? nullptr : std::get_if<std::string>(value);
}

std::optional<std::int64_t> Body::integer(std::string_view name) const {
  const Value* value = find(name);
  const auto* number = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<double> Body::number(std::string_view name) const {
  const Value* value = find(name);
  const auto* number = value == nullptr ? nullptr : std::get_if<double>(value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<bool> Body::boolean(std::string_view name) const {
  const Value* value = find(name);
  const auto* flag = value == nullptr ? nullptr : std::get_if<bool>(value);
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::span<const Body> Body::objects(std::string_view name) const {
  const Value* value = find(name);
  const auto* entries = value == nullptr ? nullptr : std::get_if<std::vector<Body>>(value);
  return entries == nullptr ? std::span<const Body>() : std::span<const Body>(*entries);
}

core::Result<Body> read_body(const BodySpec& spec, std::string_view text) {
  const auto refuse = [](std::string message) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), "body");
  };
  if (text.empty()) return refuse("a JSON object is required as the body");
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<BodyReader> parser(options, spec);
  ParseError error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().fault()) return std::unexpected(*parser.handler().fault());
  if (error) return refuse(fmt::format("the body is not valid JSON at byte {}: {}", read, error.message()));
  if (read < text.size()) return refuse(fmt::format("the body goes on after its JSON object, at byte {}", read));
  return std::move(parser.handler()).take();
}

}  // namespace scalestyle::http
