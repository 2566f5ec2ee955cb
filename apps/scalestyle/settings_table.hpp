#pragma once
// Every setting of every sub-command, in one table.

#include <vector>

#include "core/settings.hpp"

namespace scalestyle::app {

[[nodiscard]] const std::vector<core::SettingSpec>& settings_table();

}  // namespace scalestyle::app
