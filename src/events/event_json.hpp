#pragma once
// Events and impressions as JSON: one object on one line. The form of the log's rows, of `scalestyle events export` and
// `import`, and of messages to other systems.
//
// Of an event, in this order; a field is left out where it says nothing (absent, empty, or the default in brackets):
//   event_id, event_type, event_time_ms, received_time_ms, user_id, session_id, item_id, category, weight, source
//   [unknown], device [api], query, position, request_id, personalize.
// Times are integers, UTC milliseconds since the epoch: exact, and cheap to read. Of an impression: request_id, time_ms,
// user_id, session_id, source, query, generation, personalized [false], degraded [false], arms ([{experiment, arm}]),
// items ([{item_id, position, probability}]; probability only where the item was drawn to be shown).
//
// An event that was made anonymous (its subject was forgotten) has neither user_id nor session_id; of item events and
// kForget alone.
// Reading is strict: JSON of RFC 8259 in UTF-8, one object and nothing behind it but blanks, every field of its one
// type, no unknown or repeated field, the limits of events/validation.hpp. What was read writes back the same bytes that
// to_json() would give of it, and parse(to_json(event)) == event for every event that check_event() accepts.
// Thread safety: free functions without state.

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "events/event.hpp"
#include "events/impression.hpp"

namespace scalestyle::events {

// Longest text that parse_… reads; a longer one is refused unread.
inline constexpr std::size_t kMaxEventJsonBytes = 16 * 1024;
inline constexpr std::size_t kMaxImpressionJsonBytes = 256 * 1024;

// No line break in it. Ill-formed UTF-8 in a field becomes U+FFFD.
[[nodiscard]] std::string to_json(const Event& event);
[[nodiscard]] std::string to_json(const Impression& impression);

// The same, appended.
void append_json(const Event& event, std::string& out);
void append_json(const Impression& impression, std::string& out);

// kInvalidArgument: the message begins with `where` ("events.jsonl, line 12"); field names the field at fault, when it
// is one.
[[nodiscard]] core::Result<Event> parse_event_json(std::string_view json, std::string_view where);
[[nodiscard]] core::Result<Impression> parse_impression_json(std::string_view json, std::string_view where);

}  // namespace scalestyle::events
