#pragma once
// ImpressionLog: where answers note what they showed. Embedded: a SQLite file of its own. Distributed: a topic.

#include <cstddef>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "events/impression.hpp"
#include "events/subject.hpp"

namespace scalestyle::ports {

// Thread safety: every method may be called from any thread, concurrently.
class ImpressionLog {
 public:
  virtual ~ImpressionLog() = default;

  // Takes the record for writing later; never waits. False when it was dropped because too many wait (counted).
  virtual bool note(events::Impression impression) = 0;

  // The subject's records that are kept, newest first, at most `limit`; kUnsupported where the engine cannot tell.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<events::Impression>>> history(events::Subject subject,
                                                                                         std::size_t limit,
                                                                                         core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
