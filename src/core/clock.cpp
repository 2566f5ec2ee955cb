#include "core/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace scalestyle::core {

std::string to_iso8601(WallTime time) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(millis);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (millis - seconds).count());
}

}  // namespace scalestyle::core
