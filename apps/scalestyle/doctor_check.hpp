#pragma once
// One finding of doctor, and what all of them together mean. Plain values; free functions without state.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::app {

enum class CheckStatus : std::uint8_t {
  kOk,
  kSkipped,  // not asked for, or nothing to look at
  kWarn,     // works, and somebody should know
  kFail,     // something will not work
};
[[nodiscard]] std::string_view to_string(CheckStatus status);  // "ok", "skipped", "warn", "fail"

struct Check {
  std::string name;      // "disk_sync", "redis": the same in every run
  CheckStatus status = CheckStatus::kOk;
  std::string found{};   // what was found, in a sentence; never a secret
  std::string advice{};  // what to do; empty where all is well
};
using Checks = std::vector<Check>;

[[nodiscard]] Check passed(std::string name, std::string found);
[[nodiscard]] Check skipped(std::string name, std::string why);
[[nodiscard]] Check warned(std::string name, std::string found, std::string advice);
[[nodiscard]] Check failed(std::string name, std::string found, std::string advice);
// The error's message as what was found; `where` before it, unless it is named there.
[[nodiscard]] Check failed(std::string name, const core::Error& error, std::string advice);
[[nodiscard]] Check failed_at(std::string name, std::string_view where, const core::Error& error, std::string advice);

// Nothing failed; with `strict` nothing warned either.
[[nodiscard]] bool is_good(std::span<const Check> checks, bool strict);

// The checks for people: a line each, what to do below it.
[[nodiscard]] std::string describe(std::span<const Check> checks);
// "14 ok, 2 warnings, 0 failures, 3 skipped".
[[nodiscard]] std::string summary(std::span<const Check> checks);

}  // namespace scalestyle::app
