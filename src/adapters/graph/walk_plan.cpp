#include "adapters/graph/walk_plan.hpp"

#include <algorithm>

namespace scalestyle::adapters::graph {

WalkPlan plan_walk(const WalkNeeds& needs, const WalkOptions& options) {
  if (needs.eligible == 0 || needs.rows == 0) return {};
  const std::size_t wanted = std::min(needs.wanted, needs.eligible);
  const std::size_t breadth = std::max(options.breadth, wanted + wanted / 4);
  if (options.rows_a_step <= 0) return {.walk = true, .breadth = breadth, .most_steps = needs.rows};
  const auto eligible = static_cast<double>(needs.eligible);
  const double steps = static_cast<double>(breadth) * static_cast<double>(needs.rows) / eligible;
  if (2 * steps * options.rows_a_step > eligible) return {};
  // No walk takes more steps than there are rows.
  const double most = std::min(static_cast<double>(needs.rows), eligible / options.rows_a_step);
  return {.walk = true, .breadth = breadth, .most_steps = static_cast<std::size_t>(most)};
}

}  // namespace scalestyle::adapters::graph
