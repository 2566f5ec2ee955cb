#pragma once
// What a route's parameters may be: one description for validation and for the OpenAPI document.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http/query_string.hpp"

namespace scalestyle::http {

enum class ParameterKind : std::uint8_t {
  kText,
  kInteger,
  kNumber,
  kBoolean,  // "true" or "false"
  kChoice,   // one of ParameterSpec::choices
  kBase64,   // bytes, of bodies alone: what they decode to is checked by whoever decodes them
};
enum class ParameterPlace : std::uint8_t { kQuery, kPath };

struct ParameterSpec {
  std::string_view name;
  ParameterKind kind = ParameterKind::kText;
  std::string_view description{};
  double minimum = 0;                     // text, Base64: characters
  double maximum = 0;                     // text, Base64: characters; a number without a limit: 0
  std::string_view default_value{};       // of an integer, a boolean or a choice; empty: none
  ParameterPlace place = ParameterPlace::kQuery;
  bool required = false;
  std::size_t max_values = 1;             // more than one: the parameter may repeat
  bool may_be_blank = false;
  std::span<const std::string_view> choices{};
  bool is_list = false;    // a text of several, separated by commas; in JSON an array of them too
  bool is_switch = false;  // a text that may be "true" or "false"; in JSON a boolean too
  bool is_count = false;   // a text that may be a whole number; in JSON a number too
};

// "must be one of a, b, c, not \"x\"", with the nearest right one where one is near.
[[nodiscard]] std::string choice_fault(std::span<const std::string_view> choices, std::string_view value);

// The values of a request, checked against its route. Immutable.
class Parameters {
 public:
  // kInvalidArgument with the parameter as field: unknown name (the nearest right one is told), a parameter missing or
  // given too often, text blank or of a wrong length, a number that is malformed or out of its limits, a choice that is
  // not one.
  [[nodiscard]] static core::Result<Parameters> check(std::span<const ParameterSpec> specs, QueryPairs values);

  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> take_text(std::string_view name);  // gives it away: then it is absent
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] std::size_t integer(std::string_view name) const;  // its default when absent; 0 without one
  [[nodiscard]] std::optional<std::size_t> optional_integer(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;         // its default when absent; false without one
  [[nodiscard]] std::string choice(std::string_view name) const;   // its default when absent; empty without one

 private:
  [[nodiscard]] core::Status take(const ParameterSpec& spec, const std::string& value);

  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::map<std::string, std::size_t, std::less<>> integers_;
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, std::string, std::less<>> choices_;  // of kBoolean too
};

}  // namespace scalestyle::http
