#pragma once
// Pieces of JSON that the reports share.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "evaluation/metrics.hpp"
#include "text/json_text.hpp"

namespace scalestyle::evaluation {

[[nodiscard]] inline std::string json_of(std::string_view text) {
  std::string quoted;
  text::append_json_text(text, quoted);
  return quoted;
}

[[nodiscard]] inline std::string json_of(const Interval& interval) {
  return fmt::format(R"({{"mean":{},"low":{},"high":{}}})", interval.mean, interval.low, interval.high);
}

}  // namespace scalestyle::evaluation
