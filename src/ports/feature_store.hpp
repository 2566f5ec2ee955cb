#pragma once
// FeatureStore: what is known of subjects and of items' popularity, computed from events. Embedded: memory, with a
// checkpoint on disk that holds features and log position in one transaction. Distributed: Redis.

#include <cstddef>
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
#include "events/subject.hpp"

namespace scalestyle::ports {

struct SubjectSnapshot {
  events::SubjectFeatures features{};
  std::optional<events::EpochMs> newest_applied_ms{};  // receipt of the newest event that has taken effect, of anyone's
};

// What somebody waits for: an event, and whose it is where the asker knows that.
struct WaitedEvent {
  events::EventPosition position{};
  std::uint64_t mark = 0;                       // events::event_mark() of its id; 0: not known
  std::optional<events::Subject> subject{};     // stores that keep marks with their subject can wait for no one else's
};

// An event that itself could not take effect (what is stored of its subject is of a wrong type, …), while others can.
struct RefusedEvent {
  std::size_t index = 0;  // in the batch
  core::Error cause{};
};

struct ApplyReport {
  // Effects are durable on return; else they are by the next checkpoint().
  bool durable = false;
  std::vector<RefusedEvent> refused{};  // by index
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
  // Partitions that are not named go on from where their stream was committed.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline deadline) = 0;

  // Lets the events take effect, each exactly once however often it is given: an event at or below its partition's
  // applied position (embedded), or whose marker is set (distributed), is passed over. Readers see all of an event or
  // nothing. Events that could not take effect by themselves are told of; all others did. After an error the same batch may
  // be given again.
  // Errors: kUnavailable, kDeadlineExceeded, kResourceExhausted.
  [[nodiscard]] virtual core::Task<core::Result<ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                                    core::Deadline deadline) = 0;

  // Makes durable what was applied before the call; gives the positions that committed() would give now. Stores whose
  // apply() is durable by itself return at once. Does not block apply() or readers for longer than a millisecond.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline deadline) = 0;

  // Errors: kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Result<SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) = 0;

  // Waits until the event itself (not just a later one) has taken effect, or the deadline: then reached is false. An event of
  // another stream is not waited for.
  [[nodiscard]] virtual core::Task<core::Result<AppliedState>> wait_applied(WaitedEvent event, core::Deadline deadline) = 0;

  // The items whose popularity differs from what it was at version `since` (0: from nothing), as of `now`. Costs
  // nothing when nothing changed. Window sums change with time too: what left a window is reported.
  [[nodiscard]] virtual core::Task<core::Result<PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                               core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
