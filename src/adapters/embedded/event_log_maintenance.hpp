#pragma once
// What a maintenance thread does for the event log. Every function blocks; none holds up an append for more than a few
// milliseconds.
//
// Crash points: log.checkpoint.begin, log.checkpoint.copied; retention.before_slice, retention.slice, retention.done;
// erasure.begin, erasure.slice, erasure.scrubbed, erasure.marked, erasure.truncated, erasure.gaps.
// Thread safety: one thread at a time calls these for one log; appends and reads go on meanwhile.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "core/result.hpp"
#include "events/event.hpp"
#include "events/subject.hpp"

namespace scalestyle::adapters::embedded {

struct EventLogFigures {
  std::int64_t removed_through = 0;  // retention has removed everything up to here
  std::int64_t first_offset = 0;     // kept; 0 when the log is empty
  std::int64_t last_offset = 0;      // ever given
  std::int64_t committed_offset = 0; // up to here the consumer's effects are durable, as it told since open()
  events::EpochMs oldest_received_ms = 0;
  events::EpochMs newest_received_ms = 0;
  std::uint64_t used_bytes = 0;      // of pages in use; what retention by size goes by
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::size_t pending_erasures = 0;
};
[[nodiscard]] core::Result<EventLogFigures> figures(SqliteEventLog& log);

// Copies what is in the write-ahead log into the database, so that it can be written from its beginning again. Call it
// every second or so: it does nothing below `wal_bytes`.
struct WalCheckpointOptions {
  std::uint64_t wal_bytes = 48u << 20;  // begin when the write-ahead log holds this much that is not copied
};
struct WalCheckpointReport {
  bool ran = false;
  bool restarted = false;              // the next commit begins at the start of the file again
  std::uint64_t copied_pages = 0;
  std::chrono::nanoseconds turn_held{0};  // how long appends waited for it
};
[[nodiscard]] core::Result<WalCheckpointReport> checkpoint_wal(SqliteEventLog& log, const WalCheckpointOptions& options = {});

struct RetentionRule {
  std::chrono::milliseconds max_age{std::chrono::hours(24 * 30)};
  std::uint64_t max_bytes = std::uint64_t{4} << 30;
};

// The greatest offset such that every event up to it is past retention (too old, or too much by size), is covered by the
// consumer's commit and by no pending erasure; nullopt when there is none. Removes nothing: the caller has first to see to
// a snapshot of the features at the offset it chooses.
[[nodiscard]] core::Result<std::optional<std::int64_t>> past_retention(SqliteEventLog& log, const RetentionRule& rule,
                                                                       events::EpochMs now_ms);

// Removes the events up to and including `offset`, in slices; gives how many. Safe to repeat after a crash.
// kFailedPrecondition above the committed offset, or where an erasure is pending.
[[nodiscard]] core::Result<std::uint64_t> remove_through(SqliteEventLog& log, std::int64_t offset);

// A session that became part of a forgotten subject: its events between the merge before (0: none) and that merge.
struct ForgottenSession {
  events::Subject subject{};
  std::int64_t above_offset = 0;
  std::int64_t merge_offset = 0;
};

// A subject that asked to be forgotten, and the sessions that had become part of it.
struct Forgotten {
  events::Subject subject{};
  std::vector<ForgottenSession> sessions{};  // merged into it before the barrier
  std::int64_t barrier_offset = 0;          // of the kForget event
  events::EpochMs barrier_ms = 0;           // when it was received
};

// Erases what pending kForget events ask for, of those that the consumer's commit covers: makes the subject's events of
// before the barrier anonymous, calls `scrub` (which must take the subject out of everything else on disk: impressions,
// feature files; it may be called again after a crash), makes the kForget event itself anonymous, and empties the
// write-ahead log, so that the bytes are gone. An error of `scrub` leaves the erasure pending.
// Gives how many were completed; waiters of wait_erased() go on.
using Scrub = std::function<core::Status(const Forgotten&)>;
[[nodiscard]] core::Result<std::size_t> erase_pending(SqliteEventLog& log, const Scrub& scrub);

}  // namespace scalestyle::adapters::embedded
