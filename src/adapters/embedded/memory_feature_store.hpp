#pragma once
// MemoryFeatureStore: the FeatureStore of the embedded shape. Features live in memory; DATA/features.db holds a
// checkpoint of them together with the log position it includes (docs/formats/features.md). What was applied after the
// checkpoint comes back by replaying the log from committed().
//
// The state is a pure function of the prefix of the log that was applied: bounds, expiry and eviction go by the events'
// own times (the watermark is the receipt of the event applied last), so a rebuild from the log gives the same state,
// whatever was checkpointed when. The wall clock acts on reading only.
//
// Thread safety: apply() by one caller at a time; checkpoint(), checkpoint_now(), scrub_now() and copy_to() from any
// thread, one after the other; everything else from any thread, concurrently. Tasks that wait (wait_applied) and
// checkpoints must have ended before the store is destroyed.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/feature_store.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded {

class MemoryFeatureStore final : public ports::FeatureStore {
 public:
  struct Environment {
    core::WorkerPool& pool;      // resumes those who waited for an event
    core::TimerQueue& timers;    // ends their waits
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    // Runs a function that blocks on the disk, on the thread meant for that (maintenance). Empty: checkpoint() blocks its
    // caller. The function given must be run exactly once.
    std::function<void(std::function<void()>)> run_blocking{};
  };

  struct Usage {
    std::size_t memory_bytes = 0;  // of subjects, items and names, as compared with FeatureOptions::max_memory_bytes
    std::size_t subjects = 0;
    std::size_t items = 0;         // with popularity
    std::uint64_t evicted_subjects = 0;  // for lack of memory, since the store was opened
    std::uint64_t evicted_items = 0;
    std::uint64_t expired_subjects = 0;
  };

  // Loads the checkpoint at `path`, or makes an empty one. Blocks; some seconds for a million subjects. The file must
  // be this process's alone (the caller holds the events' lock).
  // Errors: kDataLoss (a damaged file: set it aside and rebuild from the log), kFailedPrecondition (made with other
  // options or by another version: `scalestyle events rebuild`), kInvalidArgument (options), kPermissionDenied,
  // kResourceExhausted, kUnavailable.
  [[nodiscard]] static core::Result<std::unique_ptr<MemoryFeatureStore>> open(const std::filesystem::path& path,
                                                                              const events::FeatureOptions& options,
                                                                              Environment environment);
  ~MemoryFeatureStore() override;

  // The port. apply(), read(), popularity() and committed() complete on the calling thread, without waiting; the
  // deadline is looked at on entry. wait_applied() resumes on the compute pool, or on the thread that ends the wait when
  // the pool refuses. checkpoint() runs through Environment::run_blocking and resumes on that thread.
  core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline deadline) override;
  core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                     core::Deadline deadline) override;
  core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline deadline) override;
  core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) override;
  core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent event, core::Deadline deadline) override;
  core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                core::Deadline deadline) override;

  // What checkpoint() does, on the calling thread. One transaction; after an error the changes wait for the next call.
  // Errors: kResourceExhausted (disk full), kDataLoss, kUnavailable.
  [[nodiscard]] core::Result<std::vector<events::EventPosition>> checkpoint_now();

  // A checkpoint after which the file and its journal hold no byte of a subject that is gone.
  [[nodiscard]] core::Status scrub_now();

  // Replaces `path` atomically by a copy of the last checkpoint, synced; gives the positions it includes. The copy can be
  // opened like the original.
  [[nodiscard]] core::Result<std::vector<events::EventPosition>> copy_to(const std::filesystem::path& path);

  // The positions applied so far, checkpointed or not.
  [[nodiscard]] std::vector<events::EventPosition> applied() const;
  [[nodiscard]] Usage usage() const;
  [[nodiscard]] const events::FeatureOptions& options() const;

 private:
  friend std::optional<std::string> first_difference(const MemoryFeatureStore&, const MemoryFeatureStore&, double);
  struct Impl;
  explicit MemoryFeatureStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Where two stores differ in what they know of subjects and items and in the positions applied, in words; empty when
// they agree, numbers to `tolerance` relative to their size. What either has let expire is not compared. For rebuilds and
// tests: nothing may be applied to either meanwhile.
[[nodiscard]] std::optional<std::string> first_difference(const MemoryFeatureStore& left, const MemoryFeatureStore& right,
                                                          double tolerance);

}  // namespace scalestyle::adapters::embedded
