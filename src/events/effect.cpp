#include "events/effect.hpp"

#include <algorithm>
#include <cmath>

#include "events/validation.hpp"

namespace scalestyle::events {

EpochMs effective_received_ms(const Event& event) {
  return std::clamp<EpochMs>(event.received_time_ms, 1, kMaxEpochMs);
}

EpochMs effective_time_ms(const Event& event) {
  const EpochMs latest = std::min(effective_received_ms(event) + kMaxLeadMs, kMaxEpochMs);
  return std::clamp<EpochMs>(event.event_time_ms, 1, latest);
}

double effective_weight(const Event& event) {
  if (!std::isfinite(event.weight) || event.weight < 0) return 0;
  return std::min(event.weight, kMaxEventWeight);
}

}  // namespace scalestyle::events
