#pragma once
// GenerationUse: which generations the gateways serve now, so that an ingest removes only what nobody needs any more.
//
// A gateway reports every generation that it holds, again well before `ttl` has passed; what it does not repeat is
// forgotten, so a gateway that died holds nothing for ever. Distributed: keys that expire, beside the catalogue.

#include <chrono>
#include <set>
#include <string>

#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

// Thread safety: every method may be called from any thread, concurrently.
class GenerationUse {
 public:
  virtual ~GenerationUse() = default;

  // `gateway` (its id: 1 … 64 bytes, the same for its whole life) holds `generation` for `ttl` from now; reporting again
  // prolongs it. Other generations that it reported stay until their own time is over. May be repeated.
  // Errors: kInvalidArgument (empty ids, ttl of less than a second), kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Status> report(std::string gateway, core::GenerationId generation,
                                                        std::chrono::milliseconds ttl, core::Deadline deadline) = 0;

  // All generations that some gateway holds. What cannot be read is an error, never an empty answer.
  // Errors: kUnavailable, kDeadlineExceeded, kDataLoss.
  [[nodiscard]] virtual core::Task<core::Result<std::set<core::GenerationId>>> used(core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
