#pragma once
// The sub-commands, each in a file of its own.

#include <string>
#include <vector>

#include "command.hpp"

namespace scalestyle::app {

[[nodiscard]] std::vector<Command> all_commands();

// One line on a group of sub-commands ("models", "evaluate").
[[nodiscard]] std::string group_help(const std::string& group);

}  // namespace scalestyle::app
