#pragma once
// Settings: every knob of the product. A flag (--query-prefix), an environment variable (SCALESTYLE_QUERY_PREFIX) and
// a configuration-file key (query_prefix) of the same name set the same thing, in that order of precedence. Some settings
// have a second variable of a well-known name.
//
// A configuration file has one `key = value` a line; `#` starts a comment line; values may be in double quotes.
// An unknown or repeated key, an unknown SCALESTYLE_ variable and a bad value are errors that name where and, for
// names, the nearest right one. Immutable after resolve(): safe to share.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::core {

enum class SettingKind : std::uint8_t { kText, kInteger, kNumber, kBoolean };

struct SettingSpec {
  std::string name;           // snake_case
  SettingKind kind = SettingKind::kText;
  std::string default_value;  // must be valid itself, or empty for "not set"
  std::string help;
  double minimum = std::numeric_limits<double>::lowest();
  double maximum = std::numeric_limits<double>::max();
  std::vector<std::string> choices{};  // of a kText; empty: any
  std::string plain_variable{};        // a variable without SCALESTYLE_ that sets it too, where the other one does not
};

struct SettingValue {
  std::string text;
  std::string origin;  // "default", "environment SCALESTYLE_PORT", "scalestyle.conf:3", "flag --port"
};

inline constexpr std::string_view kDefaultOrigin = "default";

struct SettingSources {
  std::map<std::string, std::string> flags{};                 // by setting name
  std::vector<std::pair<std::string, std::string>> environment{};  // all variables of the process
  std::string file_name{};                                    // empty: no file
  std::string file_text{};
};

class Settings {
 public:
  // `known` are all settings of the program (a key of another sub-command is not unknown).
  [[nodiscard]] static Result<Settings> resolve(std::span<const SettingSpec> known, const SettingSources& sources);

  // Asserts that `name` is a known setting of that kind.
  [[nodiscard]] const std::string& text(std::string_view name) const { return find(name).text; }
  [[nodiscard]] bool is_set(std::string_view name) const { return !find(name).text.empty(); }
  // Nobody said anything: the value is the table's own.
  [[nodiscard]] bool is_default(std::string_view name) const { return find(name).origin == kDefaultOrigin; }
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] const std::string& origin(std::string_view name) const { return find(name).origin; }
  [[nodiscard]] const std::map<std::string, SettingValue, std::less<>>& all() const { return values_; }

 private:
  [[nodiscard]] const SettingValue& find(std::string_view name) const;
  std::map<std::string, SettingValue, std::less<>> values_;
};

// The variable and flag of a setting: "query_prefix" → "SCALESTYLE_QUERY_PREFIX", "--query-prefix".
[[nodiscard]] std::string environment_name(std::string_view setting);
[[nodiscard]] std::string flag_name(std::string_view setting);

// The environment of this process as pairs.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> process_environment();

}  // namespace scalestyle::core
