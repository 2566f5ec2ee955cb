#pragma once
// Features compared as readers see them, for rebuilds and audits. Thread safety: free functions without state.

#include <optional>
#include <string>

#include "events/features.hpp"

namespace scalestyle::events {

// The first thing in which they differ, in words; empty when they agree. Numbers agree to `tolerance` relative to their size,
// scores at one common time.
[[nodiscard]] std::optional<std::string> difference(const SubjectFeatures& left, const SubjectFeatures& right, double half_life_seconds,
                                                    double tolerance);
[[nodiscard]] std::optional<std::string> difference(const ItemPopularity& left, const ItemPopularity& right, double half_life_seconds,
                                                    double tolerance);

// False for what a store may let expire.
[[nodiscard]] bool is_worth_anything(const ItemPopularity& item, EpochMs now_ms, double half_life_seconds);

}  // namespace scalestyle::events
