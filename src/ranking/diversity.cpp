#include "ranking/diversity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace scalestyle::ranking {

namespace {

// How many items of each key a window has. A window is small: a list is faster than a table.
class KeyCounts {
 public:
  void clear() { counts_.clear(); }
  // Whether one more of `key` is within `limit` (0: none).
  [[nodiscard]] bool has_room(std::uint32_t key, std::size_t limit) const {
    if (limit == 0) return true;
    const auto found = std::ranges::find(counts_, key, &Count::key);
    return found == counts_.end() || found->items < limit;
  }
  void add(std::uint32_t key) {
    const auto found = std::ranges::find(counts_, key, &Count::key);
    if (found == counts_.end()) {
      counts_.push_back({key, 1});
    } else {
      ++found->items;
    }
  }

 private:
  struct Count {
    std::uint32_t key = 0;
    std::size_t items = 0;
  };
  std::vector<Count> counts_;
};

}  // namespace

core::Status DiversityLimits::validate() const {
  const auto check = [](std::size_t value, std::size_t minimum, const char* name) -> core::Status {
    if (value >= minimum && value <= kMaxDiversityWindow) return {};
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{} must be {} to {}, not {}", name, minimum, kMaxDiversityWindow, value), name);
  };
  CORE_CHECK(check(max_per_type, 0, "max_per_type"));
  CORE_CHECK(check(max_per_section, 0, "max_per_section"));
  return check(window, 1, "diversity_window");
}

std::vector<std::uint32_t> diversify(std::span<const DiversityKeys> items, const DiversityLimits& limits, std::size_t wanted) {
  std::vector<std::uint32_t> order;
  order.reserve(items.size());
  std::vector<std::uint32_t> left(std::min(items.size(), kDiversityDepth));
  std::iota(left.begin(), left.end(), 0U);
  std::vector<std::uint32_t> passed_over;
  KeyCounts types;
  KeyCounts sections;
  while (limits.active() && order.size() < wanted && !left.empty()) {
    types.clear();
    sections.clear();
    passed_over.clear();
    std::size_t taken = 0;
    std::size_t next = 0;
    for (; next < left.size() && taken < limits.window; ++next) {
      const DiversityKeys& keys = items[left[next]];
      if (!types.has_room(keys.type, limits.max_per_type) || !sections.has_room(keys.section, limits.max_per_section)) {
        passed_over.push_back(left[next]);
        continue;
      }
      types.add(keys.type);
      sections.add(keys.section);
      order.push_back(left[next]);
      ++taken;
    }
    const auto filling = std::min(limits.window - taken, passed_over.size());
    order.insert(order.end(), passed_over.begin(), passed_over.begin() + static_cast<std::ptrdiff_t>(filling));
    // In place: what was passed over goes before what was not reached.
    const std::size_t kept = passed_over.size() - filling;
    const std::size_t begin = next - kept;
    std::copy(passed_over.begin() + static_cast<std::ptrdiff_t>(filling), passed_over.end(),
              left.begin() + static_cast<std::ptrdiff_t>(begin));
    left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  order.insert(order.end(), left.begin(), left.end());
  for (std::size_t item = std::min(items.size(), kDiversityDepth); item < items.size(); ++item) {
    order.push_back(static_cast<std::uint32_t>(item));
  }
  return order;
}

}  // namespace scalestyle::ranking
