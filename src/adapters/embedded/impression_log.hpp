#pragma once
// SqliteImpressionLog: what answers showed, in one light SQLite file, DATA/impressions.db (docs/formats/impressions.md).
//
// note() puts a record in a bounded queue and returns; a maintenance thread calls flush() about once a second, which
// writes what is queued in one transaction without waiting for the disk. A crash of the process loses what was not
// flushed, a power cut also what the system had not written; neither damages what is there.
// Crash points: impressions.before_commit, impressions.committed.
// Thread safety: every method may be called from any thread, concurrently; flush(), retain() and erase() block, and wait
// for each other.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/worker_pool.hpp"
#include "events/event.hpp"
#include "ports/impression_log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::embedded {

class SqliteImpressionLog final : public ports::ImpressionLog {
 public:
  struct Options {
    std::filesystem::path folder{};          // holds impressions.db; must exist
    std::size_t max_queued = 4'096;          // records; more are dropped and counted
    std::size_t max_queued_bytes = 16u << 20;
    std::chrono::milliseconds max_age{std::chrono::hours(24 * 7)};
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    std::string vfs{};                       // SQLite's file layer; empty: the system's

    // kInvalidArgument with the option as field.
    [[nodiscard]] core::Status validate() const;
  };

  // Opens or creates the file. A file that is damaged beyond use is put aside (impressions.db.damaged) and a new one begun:
  // the records are not worth a refusal to start; `restarted()` tells.
  // The caller holds the folder's events.lock: one process writes. `metrics` and `pool` must outlive the log.
  [[nodiscard]] static core::Result<std::unique_ptr<SqliteImpressionLog>> open(Options options, core::WorkerPool& pool,
                                                                               telemetry::Metrics& metrics);
  ~SqliteImpressionLog() override;

  bool note(events::Impression impression) override;
  [[nodiscard]] core::Task<core::Result<std::vector<events::Impression>>> history(events::Subject subject, std::size_t limit,
                                                                                 core::Deadline deadline) override;

  // The record of one answer, also when it is still queued. nullopt: not kept.
  [[nodiscard]] core::Result<std::optional<events::Impression>> find(const std::string& request_id);

  // Writes what is queued. After an error the records are dropped, counted.
  [[nodiscard]] core::Status flush();

  // Removes what is older than max_age, then the oldest until the file's used pages are within max_bytes, in slices;
  // gives how many records went.
  [[nodiscard]] core::Result<std::uint64_t> retain(events::EpochMs now_ms);

  // Removes the records of `subject` up to and including `until_ms`, queued ones too, and their bytes.
  [[nodiscard]] core::Status erase(const events::Subject& subject, events::EpochMs until_ms);

  // Why the file was begun anew at open(); empty when it was not.
  [[nodiscard]] const std::string& restarted() const;

 private:
  struct Impl;
  explicit SqliteImpressionLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::embedded
