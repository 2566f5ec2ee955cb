#pragma once
// Flags of the load programs: --name VALUE, or --name alone for a switch.

#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "core/result.hpp"

namespace scalestyle::load {

class CommandLine {
 public:
  void text(std::string name, std::string& target) {
    flags_[std::move(name)] = {true, [&target](std::string_view value) { target = value; return core::Status(); }};
  }
  void flag(std::string name, bool& target) {
    flags_[std::move(name)] = {false, [&target](std::string_view) { target = true; return core::Status(); }};
  }
  template <class Number>
  void number(const std::string& name, Number& target) {
    flags_[name] = {true, [name, &target](std::string_view value) -> core::Status {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), target);
      if (error == std::errc{} && end == value.data() + value.size()) return {};
      return core::fail(core::ErrorCode::kInvalidArgument, "--" + name + ": \"" + std::string(value) + "\" is not a number");
    }};
  }

  // kInvalidArgument for an unknown flag, a missing or a wrong value.
  [[nodiscard]] core::Status parse(int argc, char** argv) const {
    const auto wrong = [](std::string_view what, std::string_view argument) {
      return core::fail(core::ErrorCode::kInvalidArgument, std::string(argument) + ": " + std::string(what) + "; see --help");
    };
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      const auto found = argument.starts_with("--") ? flags_.find(std::string(argument.substr(2))) : flags_.end();
      if (found == flags_.end()) return wrong("no such option", argument);
      if (found->second.takes_value && i + 1 == argc) return wrong("a value is missing", argument);
      CORE_CHECK(found->second.take(found->second.takes_value ? argv[++i] : ""));
    }
    return {};
  }

 private:
  struct Flag {
    bool takes_value = false;
    std::function<core::Status(std::string_view)> take;
  };
  std::map<std::string, Flag> flags_;
};

}  // namespace scalestyle::load
