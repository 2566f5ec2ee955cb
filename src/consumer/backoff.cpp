#include "consumer/backoff.hpp"

#include <algorithm>

namespace scalestyle::consumer {

std::chrono::milliseconds Backoff::next() {
  constexpr std::uint32_t kMostDoublings = 20;
  const std::int64_t doubled = options_.first.count() << std::min(failures_, kMostDoublings);
  const std::int64_t whole = std::clamp<std::int64_t>(doubled, 1, std::max<std::int64_t>(1, options_.longest.count()));
  ++failures_;
  // The standard's distributions differ between libraries; the engine itself does not.
  const auto half = static_cast<std::uint64_t>(whole / 2);
  return std::chrono::milliseconds(whole - static_cast<std::int64_t>(half == 0 ? 0 : random_() % (half + 1)));
}

}  // namespace scalestyle::consumer
