#pragma once
// The newest events of a log, for what only looks back a little when a server starts. Blocks; beside an open log too.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "core/result.hpp"
#include "events/event.hpp"

namespace scalestyle::consumer {

struct NewestEvents {
  std::filesystem::path folder{};
  std::size_t limit = 200'000;         // offsets looked back over, at most
  events::EpochMs received_from_ms = 0;  // earlier ones are passed over
};

// Gives them to `sink`, oldest first and some hundreds at a time, until it returns false. Events of subjects whose erasure is
// pending come without subject. Returns how many were given. Errors: those of EventLogReader.
[[nodiscard]] core::Result<std::uint64_t> read_newest_events(
    const NewestEvents& wanted, const std::function<bool(std::span<const events::LoggedEvent>)>& sink);

}  // namespace scalestyle::consumer
