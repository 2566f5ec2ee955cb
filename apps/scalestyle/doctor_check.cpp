#include "doctor_check.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::app {

std::string_view to_string(CheckStatus status) {
  switch (status) {
    case CheckStatus::kOk: return "ok";
    case CheckStatus::kSkipped: return "skipped";
    case CheckStatus::kWarn: return "warn";
    case CheckStatus::kFail: return "fail";
  }
  return "fail";
}

Check passed(std::string name, std::string found) { return {std::move(name), CheckStatus::kOk, std::move(found)}; }

Check skipped(std::string name, std::string why) { return {std::move(name), CheckStatus::kSkipped, std::move(why)}; }

Check warned(std::string name, std::string found, std::string advice) {
  return {std::move(name), CheckStatus::kWarn, std::move(found), std::move(advice)};
}

Check failed(std::string name, std::string found, std::string advice) {
  return {std::move(name), CheckStatus::kFail, std::move(found), std::move(advice)};
}

Check failed(std::string name, const core::Error& error, std::string advice) {
  return failed(std::move(name), error.message, std::move(advice));
}

Check failed_at(std::string name, std::string_view where, const core::Error& error, std::string advice) {
  if (error.message.contains(where)) return failed(std::move(name), error, std::move(advice));
  return failed(std::move(name), fmt::format("{}: {}", where, error.message), std::move(advice));
}

bool is_good(std::span<const Check> checks, bool strict) {
  return std::ranges::none_of(checks, [strict](const Check& check) {
    return check.status == CheckStatus::kFail || (strict && check.status == CheckStatus::kWarn);
  });
}

std::string describe(std::span<const Check> checks) {
  std::string text;
  for (const Check& check : checks) {
    text += fmt::format("{:<7} {:<18} {}\n", to_string(check.status), check.name, check.found);
    if (!check.advice.empty()) text += fmt::format("{:<26} -> {}\n", "", check.advice);
  }
  return text;
}

std::string summary(std::span<const Check> checks) {
  const auto count = [checks](CheckStatus status) { return std::ranges::count(checks, status, &Check::status); };
  return fmt::format("{} ok, {} warnings, {} failures, {} skipped", count(CheckStatus::kOk), count(CheckStatus::kWarn),
                     count(CheckStatus::kFail), count(CheckStatus::kSkipped));
}

}  // namespace scalestyle::app
