#pragma once

#include <string_view>

namespace scalestyle::app {

inline constexpr std::string_view kVersion = SCALESTYLE_VERSION;

}  // namespace scalestyle::app
