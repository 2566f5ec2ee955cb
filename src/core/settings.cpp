#include "core/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

#include "core/text_distance.hpp"

extern char** environ;

namespace scalestyle::core {

namespace {

constexpr std::string_view kPrefix = "SCALESTYLE_";
// Variables that belong to the installation or to the tests, not to a setting.
constexpr std::array<std::string_view, 2> kReserved = {"SCALESTYLE_CONFIG", "SCALESTYLE_SHARED"};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "1" || text == "on" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "off" || text == "no") return false;
  return std::nullopt;
}

std::string range_text(const SettingSpec& spec) {
  const bool low = spec.minimum != std::numeric_limits<double>::lowest();
  const bool high = spec.maximum != std::numeric_limits<double>::max();
  if (low && high) return fmt::format(" from {} to {}", spec.minimum, spec.maximum);
  if (low) return fmt::format(" of at least {}", spec.minimum);
  if (high) return fmt::format(" of at most {}", spec.maximum);
  return "";
}

Status check_value(const SettingSpec& spec, const std::string& text, const std::string& origin) {
  const auto wrong = [&](std::string_view expected) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: '{}' is not a valid {}; expected {}", origin, text, spec.name, expected), spec.name);
  };
  switch (spec.kind) {
    case SettingKind::kInteger: {
      const auto value = parse_number<std::int64_t>(text);
      if (!value || static_cast<double>(*value) < spec.minimum || static_cast<double>(*value) > spec.maximum) {
        return wrong("a whole number" + range_text(spec));
      }
      return {};
    }
    case SettingKind::kNumber: {
      const auto value = parse_number<double>(text);
      if (!value || !std::isfinite(*value) || *value < spec.minimum || *value > spec.maximum) {
        return wrong("a number" + range_text(spec));
      }
      return {};
    }
    case SettingKind::kBoolean:
      if (!parse_boolean(text)) return wrong("true or false");
      return {};
    case SettingKind::kText:
      if (!spec.choices.empty() && std::ranges::find(spec.choices, text) == spec.choices.end()) {
        return wrong(fmt::format("one of {}", fmt::join(spec.choices, ", ")));
      }
      return {};
  }
  return {};
}

class Resolver {
 public:
  explicit Resolver(std::span<const SettingSpec> known) {
    for (const auto& spec : known) {
      specs_.emplace(spec.name, &spec);
      names_.push_back(spec.name);
      values[spec.name] = SettingValue{spec.default_value, std::string(kDefaultOrigin)};
    }
  }

  Status set(const std::string& name, std::string text, std::string origin) {
    const auto spec = specs_.find(name);
    if (spec == specs_.end()) {
      const auto nearest = nearest_name(name, names_);
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: unknown setting '{}'{}", origin, name, nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)),
                  name);
    }
    CORE_CHECK(check_value(*spec->second, text, origin));
    values[name] = SettingValue{std::move(text), std::move(origin)};
    return {};
  }

  Status read_file(const std::string& file_name, std::string_view content) {
    std::map<std::string, std::size_t> seen;
    std::size_t line_number = 0;
    while (!content.empty()) {
      ++line_number;
      const auto end = content.find('\n');
      auto line = trim(content.substr(0, end));
      content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
      if (line.empty() || line.front() == '#') continue;
      const auto equals = line.find('=');
      const auto where = fmt::format("{}:{}", file_name, line_number);
      if (equals == std::string_view::npos) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{}: expected 'key = value', found '{}'", where, line));
      }
      const std::string key(trim(line.substr(0, equals)));
      auto value = trim(line.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      if (const auto [first, is_new] = seen.emplace(key, line_number); !is_new) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{}: '{}' was set in line {} already", where, key, first->second), key);
      }
      CORE_CHECK(set(key, std::string(value), where));
    }
    return {};
  }

  Status read_environment(const std::vector<std::pair<std::string, std::string>>& environment) {
    for (const auto& [variable, value] : environment) {
      for (const auto& [name, spec] : specs_) {
        if (spec->plain_variable == variable && !variable.empty()) CORE_CHECK(set(name, value, "environment " + variable));
      }
    }
    for (const auto& [variable, value] : environment) {
      if (!variable.starts_with(kPrefix) || std::ranges::find(kReserved, variable) != kReserved.end()) continue;
      std::string name = variable.substr(kPrefix.size());
      std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      CORE_CHECK(set(name, value, "environment " + variable));
    }
    return {};
  }

  std::map<std::string, SettingValue, std::less<>> values;

 private:
  std::map<std::string, const SettingSpec*> specs_;
  std::vector<std::string> names_;
};

}  // namespace

Result<Settings> Settings::resolve(std::span<const SettingSpec> known, const SettingSources& sources) {
  Resolver resolver(known);
  if (!sources.file_name.empty()) CORE_CHECK(resolver.read_file(sources.file_name, sources.file_text));
  CORE_CHECK(resolver.read_environment(sources.environment));
  for (const auto& [name, value] : sources.flags) CORE_CHECK(resolver.set(name, value, "flag " + flag_name(name)));
  Settings settings;
  settings.values_ = std::move(resolver.values);
  return settings;
}

const SettingValue& Settings::find(std::string_view name) const {
  const auto found = values_.find(name);
  assert(found != values_.end() && "not a known setting");
  return found->second;
}

std::int64_t Settings::integer(std::string_view name) const { return parse_number<std::int64_t>(find(name).text).value_or(0); }
double Settings::number(std::string_view name) const { return parse_number<double>(find(name).text).value_or(0); }
bool Settings::boolean(std::string_view name) const { return parse_boolean(find(name).text).value_or(false); }

std::string environment_name(std::string_view setting) {
  std::string name(kPrefix);
  for (const char c : setting) name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return name;
}

std::string flag_name(std::string_view setting) {
  std::string name = "--";
  for (const char c : setting) name.push_back(c == '_' ? '-' : c);
  return name;
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace scalestyle::core
