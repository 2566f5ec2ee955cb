#pragma once
// Event ids: a client's idempotency key, or one that is made here.
// Thread safety: free functions; the random source is a thread's own.

#include <cstdint>
#include <string>
#include <string_view>

namespace scalestyle::events {

// A random UUID (RFC 9562, version 4) in lower case.
[[nodiscard]] std::string make_event_id();

// Ids of events that the service itself makes begin so. Clients may not use them: an id that was taken before would
// turn, say, a request to be forgotten into a duplicate without effect.
inline constexpr std::string_view kReservedIdPrefix = "scalestyle:";

// "scalestyle:<kind>:<40 hex of SHA-256(name)>": the same for the same name, on every machine.
[[nodiscard]] std::string derived_event_id(std::string_view kind, std::string_view name);

// What stands for the id where stores remember which events took effect: 64 bits of SHA-256(event_id), never 0; the same on
// every machine and for ever.
[[nodiscard]] std::uint64_t event_mark(std::string_view event_id);

}  // namespace scalestyle::events
