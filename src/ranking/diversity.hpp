#pragma once
// Diversity: keeps one product type or one section from filling a page.
//
// The list is made anew in windows: each takes the best items that are left, passing over those that would be one more of
// their type or section than the window may have. What was passed over stays at the head of what is left, so that nothing
// is dropped and everything else keeps its order. A window that cannot be filled that way takes the best of what was
// passed over. Only the first kDiversityDepth items are looked at; those behind them stay where they are.
//
// Pure; same input, same output. Thread safety: free functions.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ranking {

inline constexpr std::size_t kDiversityDepth = 1'000;
inline constexpr std::size_t kMaxDiversityWindow = 100;

struct DiversityLimits {
  std::size_t max_per_type = 0;     // in a window; 0: no limit
  std::size_t max_per_section = 0;  // in a window; 0: no limit
  std::size_t window = 10;          // items; 1 … kMaxDiversityWindow

  [[nodiscard]] bool active() const { return max_per_type > 0 || max_per_section > 0; }

  // kInvalidArgument with max_per_type, max_per_section or diversity_window as field.
  [[nodiscard]] core::Status validate() const;
  friend bool operator==(const DiversityLimits&, const DiversityLimits&) = default;
};

struct DiversityKeys {
  std::uint32_t type = 0;
  std::uint32_t section = 0;
};

// The order of the items, best first given: their places in `items`. At least the first `wanted` of it are diverse; windows
// behind those are not worked out, and their items follow in the order given. `limits` must be valid.
[[nodiscard]] std::vector<std::uint32_t> diversify(std::span<const DiversityKeys> items, const DiversityLimits& limits,
                                                   std::size_t wanted);

}  // namespace scalestyle::ranking
