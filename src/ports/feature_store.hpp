#pragma once
// FeatureStore: what is known of subjects and of items' popularity, computed from events. Embedded: memory, with a
// checkpoint on disk that holds features and log position in one transaction. Distributed: Redis.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "events/event.hpp"
#include "events/features.hpp"

namespace scalestyle::ports {

struct SubjectSnapshot {
  events::SubjectFeatures features{};
  std::optional<events::EpochMs> newest_applied_ms{};  // receipt of the newest event that has taken effect, of anyone's
};

struct AppliedState {
  bool reached = false;
  std::optional<events::EpochMs> newest_applied_ms{};
};

struct PopularityChanges {
  bool complete = false;       // `items` is everything, and items that are not in it have none; else they are unchanged
  std::uint64_t version = 0;   // for the next call
  std::vector<events::ItemPopularity> items{};  // in no particular order
};

// Thread safety: apply() and checkpoint() by one caller at a time each; everything else by any thread, concurrently.
class FeatureStore {
 public:
  virtual ~FeatureStore() = default;

  // The position up to and including which effects are durable, for each partition that has any: where to go on from.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline deadline) = 0;

  // Lets the events take effect, each exactly once however often it is given: an event at or below its partition's
  // applied position (embedded), or whose marker is set (distributed), is passed over. Readers see all of an event or
  // nothing. After an error the same batch may be given again.
  // Errors: kUnavailable, kDeadlineExceeded, kResourceExhausted.
  [[nodiscard]] virtual core::Task<core::Status> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                       core::Deadline deadline) = 0;

  // Makes durable what was applied before the call; gives the positions that committed() would give now. Stores whose
  // apply() is durable by itself return at once. Does not block apply() or readers for longer than a millisecond.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline deadline) = 0;

  // Errors: kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Result<SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) = 0;

  // Waits until the event at `position` itself (not just a later one) has taken effect, or the deadline: then reached
  // is false. A position of another stream is not waited for.
  [[nodiscard]] virtual core::Task<core::Result<AppliedState>> wait_applied(events::EventPosition position,
                                                                            core::Deadline deadline) = 0;

  // The items whose popularity differs from what it was at version `since` (0: from nothing), as of `now`. Costs
  // nothing when nothing changed. Window sums change with time too: what left a window is reported.
  [[nodiscard]] virtual core::Task<core::Result<PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                               core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
