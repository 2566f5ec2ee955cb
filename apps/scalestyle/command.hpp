#pragma once
// A sub-command of the program: its name, the settings it takes as flags, and what it does.

#include <functional>
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace scalestyle::app {

// Exit codes, the same for every sub-command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // the work failed
inline constexpr int kExitUsage = 2;    // wrong flags, settings or input files; nothing was changed

struct Invocation {
  core::Settings settings;
  std::vector<std::string> positionals{};
};

struct Command {
  std::vector<std::string> path;  // {"models", "fetch"}
  std::string help;
  std::vector<std::string> settings;  // names in the settings table
  std::string positional_help{};      // "NAME": takes any number of positional arguments; empty: none
  std::function<int(const Invocation&)> run;
};

// Prints "error: …" and returns kExitUsage for a caller's mistake, kExitFailure otherwise.
int report(const core::Error& error);

}  // namespace scalestyle::app
