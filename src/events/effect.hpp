#pragma once
// What of an event counts, whoever wrote it into the log: the store must hold its ground against any times and weights.

#include "events/event.hpp"

namespace scalestyle::events {

// An event never counts as later than this after its receipt: what is ahead of every clock would stay on top for ever.
inline constexpr EpochMs kMaxLeadMs = 600'000;

// The event's own time, within 1 ms and the end of year 9999, and not beyond receipt + kMaxLeadMs.
[[nodiscard]] EpochMs effective_time_ms(const Event& event);
// Receipt within the same limits.
[[nodiscard]] EpochMs effective_received_ms(const Event& event);
// 0 for a weight that is negative or no number; at most 1e6.
[[nodiscard]] double effective_weight(const Event& event);

// Logs may hold events whose subject was erased: only what, when and how much is left of them.
[[nodiscard]] inline bool has_subject(const Event& event) { return event.user_id.has_value() || event.session_id.has_value(); }

}  // namespace scalestyle::events
