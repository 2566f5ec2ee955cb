#pragma once
// What a route's JSON body may be: one description for validation and for the OpenAPI document, and the reader that
// checks a body against it.
//
// The reader is strict: one JSON object in UTF-8, every member known, none twice, each of its type and within its
// limits. It stops at the first fault, so a hostile body costs no more than reading it up to there; nesting beyond the
// description is such a fault. A member that is null counts as absent, unless the description says otherwise.
// Thread safety: free functions and plain values.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::http {

enum class BodyKind : std::uint8_t {
  kText,
  kInteger,
  kNumber,
  kBoolean,
  kTime,     // an RFC 3339 text or whole milliseconds since the Unix epoch
  kObjects,  // an array of objects
};

struct BodySpec;

struct BodyField {
  std::string_view name;
  BodyKind kind = BodyKind::kText;
  std::string_view description;
  double minimum = 0;                             // text: characters; array: entries
  double maximum = 0;                             // text: characters; array: entries
  bool required = false;
  bool may_be_blank = false;                      // a text of blanks only, or empty
  bool nullable = false;                          // null is a value: the member is there, with nothing in it
  std::span<const std::string_view> choices{};    // the only texts allowed, when not empty
  const BodySpec* entries = nullptr;              // of kObjects
};

struct BodySpec {
  std::string_view schema;  // its name in components/schemas
  std::string_view description;
  std::span<const BodyField> fields;  // at most 64
};

// One object of a body, checked. Immutable.
class Body {
 public:
  // Absent members, and those that are null, give nothing or an empty span. The name must be one of the description's, of that kind.
  [[nodiscard]] const std::string* text(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;
  [[nodiscard]] std::span<const Body> objects(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  friend class BodyReader;
  using Value = std::variant<std::string, std::int64_t, double, bool, std::vector<Body>, std::monostate>;

  [[nodiscard]] const Value* find(std::string_view name) const;

  std::vector<std::pair<const BodyField*, Value>> members_;
};

// kInvalidArgument with the path of the member at fault as field ("events[3].item_id"; "body" where it is the whole):
// not JSON (with the place), a member unknown (the nearest right one is told), given twice, missing, of a wrong type or
// out of its limits.
[[nodiscard]] core::Result<Body> read_body(const BodySpec& spec, std::string_view json);

}  // namespace scalestyle::http
