#include "http/parameter_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/text_distance.hpp"
#include "http/multipart.hpp"
#include "text/unicode.hpp"

namespace scalestyle::http {

namespace json = boost::json;
using ParseError = json::error_code;

namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxDepth = 4;  // the description is flatter, so its own check comes first
constexpr std::size_t kMaxListEntries = 64;
constexpr std::size_t kBytesPerCharacter = 4;
constexpr std::size_t kMaxChoiceBytes = 256;
constexpr std::size_t kMaxFormTextBytes = 64 * 1024;
constexpr double kMaxExactInteger = 9'007'199'254'740'992.0;  // 2^53

std::unexpected<core::Error> refuse_body(std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), "body");
}

std::string type_name(const ParameterSpec& spec) {
  std::string name = "a string";
  if (spec.kind == ParameterKind::kInteger) name = "a whole number";
  if (spec.kind == ParameterKind::kNumber) name = "a number";
  if (spec.kind == ParameterKind::kBoolean) name = "true or false";
  if (spec.is_switch) name += ", true or false";
  if (spec.is_count) name += ", a whole number";
  if (spec.is_list || spec.max_values > 1) name += " or an array of them";
  return name;
}

}  // namespace

// Takes the parser's calls. A fault ends the parse with `fault_` set.
class ParameterReader {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  explicit ParameterReader(std::span<const ParameterSpec> specs) : specs_(specs) {}

  [[nodiscard]] const std::optional<core::Error>& fault() const { return fault_; }
  [[nodiscard]] QueryPairs take() && { return std::move(pairs_); }

  bool on_document_begin(ParseError&) { return true; }
  bool on_document_end(ParseError&) { return true; }

  bool on_object_begin(ParseError& error) {
    if (in_object_) return wrong_type("an object", error);
    in_object_ = true;
    return true;
  }
  bool on_object_end(std::size_t, ParseError&) { return true; }

  bool on_array_begin(ParseError& error) {
    if (!in_object_ || in_array_ || !(spec_->is_list || spec_->max_values > 1)) return wrong_type("an array", error);
    in_array_ = true;
    entries_ = 0;
    return true;
  }
  bool on_array_end(std::size_t, ParseError&) {
    in_array_ = false;
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t total, ParseError& error) {
    scratch_.append(part.data(), std::min(part.size(), kMaxNameBytes));
    return total <= kMaxNameBytes || unknown_member(error);
  }
  bool on_key(json::string_view part, std::size_t, ParseError& error) {
    scratch_.append(part.data(), std::min(part.size(), kMaxNameBytes));
    const auto found = std::ranges::find(specs_, std::string_view(scratch_), &ParameterSpec::name);
    if (found == specs_.end()) return unknown_member(error);
    spec_ = &*found;
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(found - specs_.begin());
    if ((seen_ & bit) != 0) return refuse(std::string(spec_->name), "is given twice", error);
    seen_ |= bit;
    scratch_.clear();
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t total, ParseError& error) {
    if (!in_object_ || !takes_text()) return wrong_type("a string", error);
    const auto characters = static_cast<std::size_t>(spec_->maximum);
    std::size_t limit = characters * kBytesPerCharacter;
    if (spec_->kind == ParameterKind::kBase64) limit = characters;
    if (spec_->kind == ParameterKind::kChoice) limit = kMaxChoiceBytes;
    if (total > limit) {
      if (spec_->kind == ParameterKind::kChoice) return refuse(field(), "must be " + type_name(*spec_) + " of those that are known", error);
      return refuse(field(), fmt::format("must have {} to {} characters", spec_->minimum, spec_->maximum), error);
    }
    scratch_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t total, ParseError& error) {
    if (!on_string_part(part, total, error)) return false;
    if (spec_->kind != ParameterKind::kBase64 && scratch_.find('\0') != std::string::npos) return refuse(field(), "must not contain NUL", error);
    const bool kept = keep(std::move(scratch_), error);
    scratch_.clear();
    return kept;
  }

  bool on_number_part(json::string_view, ParseError&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, ParseError& error) { return on_whole(std::to_string(value), error); }
  bool on_uint64(std::uint64_t value, json::string_view, ParseError& error) { return on_whole(std::to_string(value), error); }
  bool on_double(double value, json::string_view, ParseError& error) {
    if (!in_object_) return wrong_type("a number", error);
    if (std::abs(value) <= kMaxExactInteger && std::trunc(value) == value) return on_int64(static_cast<std::int64_t>(value), {}, error);
    if (spec_->kind != ParameterKind::kNumber) return wrong_type("a number", error);
    std::array<char, 400> text{};  // the longest double in fixed notation has 327 characters
    const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (failed != std::errc() || !std::isfinite(value)) return refuse(field(), "must be a finite number", error);
    return keep(std::string(text.data(), end), error);
  }

  bool on_bool(bool value, ParseError& error) {
    if (!in_object_ || (spec_->kind != ParameterKind::kBoolean && !(spec_->is_switch && !in_array_))) return wrong_type("a boolean", error);
    return keep(value ? "true" : "false", error);
  }
  bool on_null(ParseError& error) { return (in_object_ && !in_array_) || wrong_type("null", error); }

  bool on_comment_part(json::string_view, ParseError&) { return true; }
  bool on_comment(json::string_view, ParseError&) { return true; }

 private:
  [[nodiscard]] bool takes_text() const {
    return spec_->kind == ParameterKind::kText || spec_->kind == ParameterKind::kChoice || spec_->kind == ParameterKind::kBase64;
  }

  bool on_whole(std::string digits, ParseError& error) {
    const bool taken = in_object_ && (spec_->kind == ParameterKind::kInteger || spec_->kind == ParameterKind::kNumber ||
                                      (spec_->is_count && !in_array_));
    return taken ? keep(std::move(digits), error) : wrong_type("a number", error);
  }

  // Entries of a list are joined, as its text has them; those of what may repeat are values of their own.
  bool keep(std::string value, ParseError& error) {
    const std::size_t limit = spec_->max_values > 1 ? spec_->max_values : kMaxListEntries;
    if (in_array_ && entries_ == limit) return refuse(std::string(spec_->name), fmt::format("must have at most {} entries", limit), error);
    const bool joins = in_array_ && spec_->max_values == 1 && entries_ > 0;
    if (joins) {
      pairs_.back().second += ',';
      pairs_.back().second += value;
    } else {
      pairs_.emplace_back(std::string(spec_->name), std::move(value));
    }
    if (in_array_) ++entries_;
    return true;
  }

  [[nodiscard]] std::string field() const { return in_array_ ? fmt::format("{}[{}]", spec_->name, entries_) : std::string(spec_->name); }

  bool wrong_type(std::string_view given, ParseError& error) {
    if (!in_object_) return refuse("body", fmt::format("must be a JSON object, not {}", given), error);
    return refuse(field(), fmt::format("must be {}, not {}", type_name(*spec_), given), error);
  }
  bool unknown_member(ParseError& error) {
    std::vector<std::string> known;
    for (const ParameterSpec& spec : specs_) known.emplace_back(spec.name);
    const std::string shown = scratch_.empty() ? "\"\"" : shown_name(scratch_);
    const std::string nearest = core::nearest_name(shown, known);
    const std::string hint = nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest);
    fault_ = core::Error{core::ErrorCode::kInvalidArgument, fmt::format("unknown field \"{}\"{}", scratch_.empty() ? "" : shown, hint), shown};
    error = json::error::syntax;
    return false;
  }
  bool refuse(std::string path, std::string_view what, ParseError& error) {
    std::string message = fmt::format("{} {}", path == "body" ? "the body" : path, what);
    fault_ = core::Error{core::ErrorCode::kInvalidArgument, std::move(message), std::move(path)};
    error = json::error::syntax;
    return false;
  }

  const std::span<const ParameterSpec> specs_;
  const ParameterSpec* spec_ = nullptr;  // of the member being read
  QueryPairs pairs_;
  std::string scratch_;
  std::uint64_t seen_ = 0;
  std::size_t entries_ = 0;  // of the array being read
  bool in_object_ = false;
  bool in_array_ = false;
  std::optional<core::Error> fault_;
};

core::Result<QueryPairs> parameters_of_json(std::span<const ParameterSpec> specs, std::string_view text) {
  if (text.empty()) return refuse_body("a JSON object is required as the body");
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<ParameterReader> parser(options, specs);
  ParseError error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().fault()) return std::unexpected(*parser.handler().fault());
  if (error) return refuse_body(fmt::format("the body is not valid JSON at byte {}: {}", read, error.message()));
  if (read < text.size()) return refuse_body(fmt::format("the body goes on after its JSON object, at byte {}", read));
  return std::move(parser.handler()).take();
}

namespace {

core::Result<ParameterValues> read_form_parameters(const ParameterBody& body, std::string_view content_type, std::string_view text,
                                                   const CompleteParameters& complete) {
  CORE_TRY(const std::vector<FormPart> parts, read_form(content_type, text));
  ParameterValues values;
  QueryPairs pairs;
  for (const FormPart& part : parts) {
    if (part.name == body.file_part) {
      if (values.file) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is given twice", part.name), part.name);
      values.file = std::string(part.content);
      continue;
    }
    const auto spec = std::ranges::find(body.parameters, std::string_view(part.name), &ParameterSpec::name);
    const bool is_text = spec == body.parameters.end() || spec->kind != ParameterKind::kBase64;
    const std::string field = shown_name(part.name);
    if (part.is_file || (is_text && part.content.size() > kMaxFormTextBytes)) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be a short text, not a file", field), field);
    }
    if (is_text && (!text::is_valid_utf8(part.content) || part.content.find('\0') != std::string_view::npos)) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be UTF-8 without NUL", field), field);
    }
    pairs.emplace_back(part.name, part.content);
  }
  if (complete) CORE_CHECK(complete(pairs));
  CORE_TRY(values.parameters, Parameters::check(body.parameters, std::move(pairs)));
  return values;
}

}  // namespace

core::Result<ParameterValues> read_parameters(const ParameterBody& body, std::string_view content_type, std::string_view text,
                                              const CompleteParameters& complete) {
  if (is_form(content_type)) return read_form_parameters(body, content_type, text, complete);
  CORE_TRY(QueryPairs pairs, parameters_of_json(body.parameters, text));
  if (complete) CORE_CHECK(complete(pairs));
  ParameterValues values;
  CORE_TRY(values.parameters, Parameters::check(body.parameters, std::move(pairs)));
  return values;
}

}  // namespace scalestyle::http
