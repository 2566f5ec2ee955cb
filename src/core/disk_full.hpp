#pragma once
// A full disk, told from the other bounds that kResourceExhausted stands for: it does not pass by itself, somebody has to make room.

#include <string_view>

#include "core/result.hpp"

namespace scalestyle::core {

inline constexpr std::string_view kDiskFullField = "disk";  // Error::field of such an error

[[nodiscard]] inline bool is_disk_full(const Error& error) {
  return error.code == ErrorCode::kResourceExhausted && error.field == kDiskFullField;
}

}  // namespace scalestyle::core
