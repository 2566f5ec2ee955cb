#include "http/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/text_distance.hpp"
#include "text/unicode.hpp"

namespace scalestyle::http {

namespace {

std::unexpected<core::Error> refuse(std::string_view name, std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(name));
}

core::Status check_text(const ParameterSpec& spec, const std::string& value) {
  std::size_t characters = 0;
  bool blank = true;
  for (std::size_t position = 0; position < value.size(); ++characters) {
    const char32_t code_point = text::next_code_point(value, position);
    blank = blank && (text::is_bert_whitespace(code_point) || text::is_bert_control(code_point));
  }
  if (blank && !spec.may_be_blank) return refuse(spec.name, fmt::format("{} must not be blank", spec.name));
  if (static_cast<double>(characters) < spec.minimum || static_cast<double>(characters) > spec.maximum) {
    return refuse(spec.name, fmt::format("{} must have {} to {} characters, not {}", spec.name, spec.minimum, spec.maximum,
                                         characters));
  }
  return {};
}

core::Result<std::size_t> parse_integer(const ParameterSpec& spec, const std::string& value) {
  std::size_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number);
  const bool parsed = error == std::errc() && stopped == end;
  if (parsed && static_cast<double>(number) >= spec.minimum && static_cast<double>(number) <= spec.maximum) return number;
  return refuse(spec.name, fmt::format("{} must be a whole number from {} to {}, not \"{}\"", spec.name, spec.minimum,
                                       spec.maximum, shown_name(value)));
}

core::Result<double> parse_number(const ParameterSpec& spec, const std::string& value) {
  double number = 0;
  const char* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, number, std::chars_format::fixed);
  const bool parsed = error == std::errc() && stopped == end && std::isfinite(number);
  const bool within = number >= spec.minimum && (spec.maximum <= spec.minimum || number <= spec.maximum);
  if (parsed && within) return number;
  return refuse(spec.name, fmt::format("{} must be a number not below {}, such as 19.95, not \"{}\"", spec.name, spec.minimum,
                                       shown_name(value)));
}

constexpr std::array<std::string_view, 2> kBooleans{"true", "false"};

core::Result<std::string> parse_choice(const ParameterSpec& spec, std::string_view value) {
  const auto choices = spec.kind == ParameterKind::kBoolean ? std::span<const std::string_view>(kBooleans) : spec.choices;
  if (std::ranges::find(choices, value) != choices.end()) return std::string(value);
  return refuse(spec.name, fmt::format("{} {}", spec.name, choice_fault(choices, value)));
}

std::unexpected<core::Error> unknown_parameter(std::span<const ParameterSpec> specs, const std::string& name) {
  std::vector<std::string> known;
  for (const ParameterSpec& spec : specs) {
    if (spec.place == ParameterPlace::kQuery) known.emplace_back(spec.name);
  }
  const std::string shown = shown_name(name);
  const std::string nearest = core::nearest_name(shown, known);
  const std::string hint = nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest);
  return refuse(shown, fmt::format("unknown parameter \"{}\"{}", shown, hint));
}

}  // namespace

std::string choice_fault(std::span<const std::string_view> choices, std::string_view value) {
  const std::vector<std::string> known(choices.begin(), choices.end());
  const std::string shown = shown_name(value);
  const std::string nearest = core::nearest_name(shown, known);
  const std::string hint = nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest);
  return fmt::format("must be one of {}, not \"{}\"{}", fmt::join(known, ", "), shown, hint);
}

core::Result<Parameters> Parameters::check(std::span<const ParameterSpec> specs, QueryPairs values) {
  Parameters result;
  for (auto& [name, value] : values) {
    const auto spec = std::ranges::find(specs, std::string_view(name), &ParameterSpec::name);
    if (spec == specs.end()) return unknown_parameter(specs, name);
    std::vector<std::string>& given = result.values_[name];
    if (given.size() >= spec->max_values) {
      return refuse(name, spec->max_values == 1 ? fmt::format("{} must be given once", name)
                                                : fmt::format("{} must be given at most {} times", name, spec->max_values));
    }
    given.push_back(std::move(value));
  }
  for (const ParameterSpec& spec : specs) {
    const auto given = result.values_.find(spec.name);
    if (given == result.values_.end()) {
      if (spec.required) return refuse(spec.name, fmt::format("{} is required", spec.name));
      if (!spec.default_value.empty()) CORE_CHECK(result.take(spec, std::string(spec.default_value)));
      continue;
    }
    for (const std::string& value : given->second) CORE_CHECK(result.take(spec, value));
  }
  return result;
}

core::Status Parameters::take(const ParameterSpec& spec, const std::string& value) {
  switch (spec.kind) {
    case ParameterKind::kText: return check_text(spec, value);
    case ParameterKind::kInteger: {
      CORE_TRY(integers_[std::string(spec.name)], parse_integer(spec, value));
      break;
    }
    case ParameterKind::kNumber: {
      CORE_TRY(numbers_[std::string(spec.name)], parse_number(spec, value));
      break;
    }
    case ParameterKind::kBase64:
      if (static_cast<double>(value.size()) >= spec.minimum && static_cast<double>(value.size()) <= spec.maximum) break;
      return refuse(spec.name, fmt::format("{} must have {} to {} characters", spec.name, spec.minimum, spec.maximum));
    case ParameterKind::kBoolean:
    case ParameterKind::kChoice: {
      CORE_TRY(choices_[std::string(spec.name)], parse_choice(spec, value));
      break;
    }
  }
  return {};
}

std::optional<std::string> Parameters::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second.front());
}

std::vector<std::string> Parameters::texts(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::string> Parameters::take_text(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  std::string text = std::move(found->second.front());
  values_.erase(found);
  return text;
}

std::optional<double> Parameters::number(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Parameters::integer(std::string_view name) const {
  const auto found = integers_.find(name);
  return found == integers_.end() ? 0 : found->second;
}

std::optional<std::size_t> Parameters::optional_integer(std::string_view name) const {
  const auto found = integers_.find(name);
  if (found == integers_.end()) return std::nullopt;
  return found->second;
}

bool Parameters::boolean(std::string_view name) const { return choice(name) == kBooleans.front(); }

std::string Parameters::choice(std::string_view name) const {
  const auto found = choices_.find(name);
  return found == choices_.end() ? std::string() : found->second;
}

}  // namespace scalestyle::http
