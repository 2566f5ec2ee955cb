#pragma once
// What must hold of a folder after a process that wrote it was killed, whenever that was. Works on a copy, so that the
// next victim finds the folder as the killed one left it.

#include <filesystem>
#include <string>

#include "crash/event_stack.hpp"
#include "crash/ledger.hpp"
#include "crash/plan.hpp"

namespace scalestyle::crash {

struct VerificationOptions {
  StackOptions stack{};         // folder: the one to verify
  bool has_bounds = false;      // features are bounded or expire: compared with the rebuild alone, not with the oracle
};

// Opens the copy as a restart would, sends again what was sent and not acknowledged, and demands:
//  - one place in the log an event id, the same at every sending; every acknowledged event there or removed by retention;
//    nothing there that was not sent
//  - features and popularity as the oracle has them from the acknowledged events, and as a rebuild from the log has them
//  - the same features after a graceful end and a start
//  - no byte of a forgotten subject in any file
// Gives the first thing that does not hold, or nothing.
[[nodiscard]] std::string verify(const Plan& plan, const Ledger& ledger, const VerificationOptions& options);

}  // namespace scalestyle::crash
