#pragma once
// Members of a JSON object as the text they are, so that a record can be passed on byte for byte, with a member added, taken
// out or replaced. And Base64 (RFC 4648), for bytes that are no JSON.
// Thread safety: free functions without state.

#include <optional>
#include <string>
#include <string_view>

namespace scalestyle::adapters::kafka {

[[nodiscard]] bool is_json(std::string_view text);         // one value of RFC 8259 in UTF-8, at most 64 levels deep
[[nodiscard]] bool is_json_object(std::string_view text);

// The text of a member's value; of several of that name, the last. `object` must be a JSON object (is_json_object).
[[nodiscard]] std::optional<std::string> member_text(std::string_view object, std::string_view name);
// The object without its members of that name.
[[nodiscard]] std::string without_member(std::string_view object, std::string_view name);
// The object with one member more, at the end. `value` is JSON.
[[nodiscard]] std::string with_member(std::string_view object, std::string_view name, std::string_view value);

[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace scalestyle::adapters::kafka
