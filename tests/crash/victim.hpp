#pragma once
// The process that gets killed: opens the event stack, lets one thread an appender send its part of the plan, and writes
// into the ledger what was acknowledged.

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "crash/event_stack.hpp"
#include "crash/ledger.hpp"
#include "crash/plan.hpp"

namespace scalestyle::crash {

struct VictimOptions {
  StackOptions stack{};
  std::size_t batches = 0;      // of each appender, then it ends gracefully
  std::string kill_point{};     // dies at this crash point …
  std::uint64_t kill_pass = 0;  // … when it passes for the so-manyth time since Ledger::clear_passes()
};

// Every batch that holds an entry without an acknowledgement is sent, from the first one on; the same after each death,
// so that what was sent and not acknowledged is sent again. Returns the child's id. No other thread may run.
[[nodiscard]] pid_t start_victim(const Plan& plan, Ledger& ledger, const VictimOptions& options);

// The first batch of the appender that is not acknowledged whole.
[[nodiscard]] std::size_t first_open_batch(const Plan& plan, const Ledger& ledger, std::size_t appender);

// Sends one batch and notes the answer; what is wrong with it, or empty.
[[nodiscard]] std::string send_batch(EventStack& stack, const PlannedBatch& batch, Ledger& ledger);

}  // namespace scalestyle::crash
