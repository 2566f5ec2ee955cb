#pragma once
// Times as text. Thread safety: free functions without state.

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "events/event.hpp"

namespace scalestyle::events {

// RFC 3339 date-time with 'T' and an offset ("2026-03-07T10:30:45.123Z", "2026-03-07T11:30:45+01:00"), years 0001 to
// 9999, any number of fractional digits up to nine (cut to milliseconds, towards the past), second 60 read as the next
// minute. kInvalidArgument with `field`.
[[nodiscard]] core::Result<EpochMs> parse_timestamp(std::string_view text, std::string_view field);

// "2026-03-07T10:30:45.123Z"; of years 0001 to 9999, others are cut to them.
[[nodiscard]] std::string to_timestamp(EpochMs time);

[[nodiscard]] EpochMs to_epoch_ms(core::WallTime time);

}  // namespace scalestyle::events
