#pragma once
// Forms as browsers and other clients send them: multipart/form-data (RFC 7578, on RFC 2046).
//
// The reader is strict and bounded: every part named, no text around the parts, no nesting, a limit on parts and on their
// headers; it makes one pass and copies no content.
// Thread safety: free functions and plain values.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::http {

inline constexpr std::size_t kMaxFormParts = 512;
inline constexpr std::size_t kMaxPartHeaderBytes = 4096;

struct FormPart {
  std::string name;         // as sent, without its quotes
  bool is_file = false;     // it has a file name, which is not looked at
  std::string_view content; // within the body
};

// Whether a Content-Type is multipart/form-data, whatever its parameters are.
[[nodiscard]] bool is_form(std::string_view content_type);

// The parts in order; their contents point into `body`. Errors: kInvalidArgument with field "Content-Type" (no usable
// boundary) or "body" (with the place); kResourceExhausted with field "body" (too many parts, a header too large).
[[nodiscard]] core::Result<std::vector<FormPart>> read_form(std::string_view content_type, std::string_view body);

}  // namespace scalestyle::http
