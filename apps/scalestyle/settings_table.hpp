#pragma once
// Every setting of every sub-command, in one table.

#include <string>
#include <vector>

#include "core/settings.hpp"

namespace scalestyle::app {

[[nodiscard]] const std::vector<core::SettingSpec>& settings_table();

// A setting whose value is shown nowhere: a password, a key or a secret.
[[nodiscard]] bool is_secret(const std::string& name);

// The value as it may be shown: a secret is hidden.
[[nodiscard]] std::string shown_value(const std::string& name, const std::string& value);

}  // namespace scalestyle::app
