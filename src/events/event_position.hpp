#pragma once
// EventPosition: where an event is in its log, and the opaque token that clients carry of it.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::events {

struct EventPosition {
  std::string stream{};        // which log: 1–32 of [a-z0-9.]; a new log has a new name
  std::int32_t partition = 0;
  std::int64_t offset = 0;     // ascending within the partition, not dense

  friend bool operator==(const EventPosition&, const EventPosition&) = default;
};

// An event that somebody waits for: its position, and its mark (event_id.hpp) where the answer carried it, else 0.
struct EventReference {
  EventPosition position{};
  std::uint64_t mark = 0;

  friend bool operator==(const EventReference&, const EventReference&) = default;
};

// URL-safe text of at most 96 characters that carries position and mark, and a check sum against mistyping.
[[nodiscard]] std::string to_token(const EventPosition& position, std::uint64_t mark = 0);

// kInvalidArgument, with `field`, when the text was not made by to_token().
[[nodiscard]] core::Result<EventPosition> parse_token(std::string_view token, std::string_view field);
[[nodiscard]] core::Result<EventReference> parse_reference(std::string_view token, std::string_view field);

}  // namespace scalestyle::events
