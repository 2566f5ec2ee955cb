#pragma once
// Candidates of a boost as a test writes them: one struct each, window sums instead of logarithms.

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ranking/behavior_boost.hpp"

namespace scalestyle::ranking {

struct TestCandidate {
  double base = 1;
  bool recent_click = false;
  double affinity = 0;
  std::array<double, kBoostWindows> sums{};
};

// Owns what BoostCandidates has views of. Rows are numbered from 0 in the order given, unless set otherwise.
class TestCandidates {
 public:
  explicit TestCandidates(const std::vector<TestCandidate>& candidates) {
    for (const TestCandidate& candidate : candidates) {
      rows.push_back({static_cast<std::uint32_t>(rows.size())});
      base_scores.push_back(candidate.base);
      recent_clicks.push_back(candidate.recent_click ? 1 : 0);
      affinities.push_back(candidate.affinity);
      for (std::size_t window = 0; window < kBoostWindows; ++window) {
        window_logs[window].push_back(std::log1p(candidate.sums[window]));
      }
    }
  }

  [[nodiscard]] BoostCandidates view() const {
    return {.rows = rows,
            .base_scores = base_scores,
            .recent_clicks = recent_clicks,
            .affinities = affinities,
            .window_logs = {window_logs[0], window_logs[1], window_logs[2]}};
  }

  std::vector<catalog::RowIndex> rows;
  std::vector<double> base_scores;
  std::vector<std::uint8_t> recent_clicks;
  std::vector<double> affinities;
  std::array<std::vector<double>, kBoostWindows> window_logs;
};

}  // namespace scalestyle::ranking
