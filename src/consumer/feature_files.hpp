#pragma once
// The feature files of a data folder (docs/formats/features.md):
//   features.db                    the checkpoint: features and the log position they include
//   features.horizon.db            the features at the retention horizon: every event up to there may be gone
//   features.next-<offset>.db      candidates for the next horizon, oldest first
//   features.<why>-<time>.db       a checkpoint that start-up could not use, put aside for people to look at
// Each is one SQLite file, with SQLite's journals beside it while it is open or after a crash.
//
// Thread safety: const methods from any thread; what changes files, by the holder of events.lock.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/embedded/feature_file.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::consumer {

struct FeatureCopy {
  std::filesystem::path path{};
  std::int64_t offset = 0;  // of a candidate, from its name
};

class FeatureFiles {
 public:
  explicit FeatureFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path checkpoint() const { return folder_ / "features.db"; }
  [[nodiscard]] std::filesystem::path horizon() const { return folder_ / "features.horizon.db"; }
  [[nodiscard]] std::filesystem::path candidate(std::int64_t offset) const;
  [[nodiscard]] std::filesystem::path staged_candidate() const { return folder_ / "features.next.db"; }

  // By offset, ascending. Errors: kPermissionDenied, kUnavailable.
  [[nodiscard]] core::Result<std::vector<FeatureCopy>> candidates() const;
  // Files that set_aside() left.
  [[nodiscard]] core::Result<std::vector<std::filesystem::path>> put_aside() const;

  // Renames the file, and its journals, to features.<why>-<time>.db; gives the new name. `why`: "damaged", "outdated".
  [[nodiscard]] core::Result<std::filesystem::path> set_aside(const std::filesystem::path& path, std::string_view why,
                                                              core::WallTime now) const;
  // Makes `to` a whole copy of `from`, synced; a crash leaves the old file or the new one.
  [[nodiscard]] core::Status copy(const std::filesystem::path& from, const std::filesystem::path& to) const;
  // Renames `from`, a file without journals, to `to`: a crash leaves the old file or the new one, or none where the old one
  // cannot be read.
  [[nodiscard]] core::Status install(const std::filesystem::path& from, const std::filesystem::path& to) const;
  // Removes the file and its journals; one that does not exist is no error.
  [[nodiscard]] core::Status remove(const std::filesystem::path& path) const;

 private:
  std::filesystem::path folder_;
};

// A whole and consistent copy of a feature file, also while a server checkpoints into it. `to` must not exist.
// Errors: kNotFound, kDataLoss, kResourceExhausted, kUnavailable.
[[nodiscard]] core::Status snapshot(const std::filesystem::path& from, const std::filesystem::path& to);

// What a log holds, as far as feature files must agree with it.
struct LogExtent {
  std::string name{};               // of its positions
  std::int64_t removed_through = 0; // retention has removed everything up to here
  std::int64_t last_offset = 0;     // of the newest event ever appended
};

enum class Standing : std::uint8_t {
  kUsable,    // replaying the log from its position gives the present state
  kOtherLog,  // its position is one of another log
  kAhead,     // it includes events that the log does not have
  kBehind,    // events between its position and the log's first are gone
};
[[nodiscard]] Standing standing(const adapters::embedded::FeatureFileInfo& info, const LogExtent& log);

// "features.db includes events up to position 12 of log "a", …": why a file that is not usable is not.
[[nodiscard]] std::string explain(const std::filesystem::path& path, const adapters::embedded::FeatureFileInfo& info,
                                  const LogExtent& log);

// Up to here the file includes the log's events; 0 when none.
[[nodiscard]] std::int64_t included_offset(const adapters::embedded::FeatureFileInfo& info);

}  // namespace scalestyle::consumer
