#pragma once
// FeatureCheckpoint: the connection to a feature file (docs/formats/features.md) that loads it into a FeatureState and
// writes what changed, with the log positions that are included, in one transaction.
//
// Blocks on the disk. Not thread-safe: one caller at a time.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "adapters/embedded/feature_file.hpp"
#include "adapters/embedded/feature_state.hpp"
#include "adapters/embedded/sqlite_database.hpp"

namespace scalestyle::adapters::embedded {

// What is true of the state as a whole at a checkpoint.
struct CheckpointHeader {
  std::vector<events::EventPosition> positions{};
  events::EpochMs watermark_ms = 0;
  std::uint64_t subjects = 0;
  std::uint64_t items = 0;
  std::uint64_t item_names = 0;
  std::uint64_t categories = 0;
};

class FeatureCheckpoint {
 public:
  // Opens or makes the file. Errors: kDataLoss, kFailedPrecondition (other options or version), kPermissionDenied,
  // kResourceExhausted, kUnavailable.
  [[nodiscard]] static core::Result<FeatureCheckpoint> open(const std::filesystem::path& path, const events::FeatureOptions& options);

  // Into an empty state. kDataLoss for anything that a checkpoint cannot have written.
  [[nodiscard]] core::Result<CheckpointHeader> load(FeatureState& state);

  // One transaction: begin(), any of the writes, commit(). After an error of any of them: rollback().
  [[nodiscard]] core::Status begin();
  [[nodiscard]] core::Status write_item_names(std::span<const events::NameChange> changes, const events::NameTable& names);
  [[nodiscard]] core::Status write_categories(std::span<const events::NameChange> changes, const events::NameTable& names);
  [[nodiscard]] core::Status write_items(std::span<const events::NameCode> changed, ItemTable& items);
  [[nodiscard]] core::Status write_subjects(const SubjectTable::Changes& changes, SubjectTable& subjects);
  [[nodiscard]] core::Status commit(const CheckpointHeader& header);
  void rollback();

  // Moves the journal's content into the file and empties it.
  [[nodiscard]] core::Status empty_journal();

  // Writes the file anew, so that no page keeps an old copy of a row that is gone: balanced pages do, in the space between
  // their cells, which secure_delete does not reach. Between checkpoints; empty_journal() afterwards.
  [[nodiscard]] core::Status compact();
  // Atomically replaces `path` by a compact copy of the file.
  [[nodiscard]] core::Status copy_to(const std::filesystem::path& path);

 private:
  explicit FeatureCheckpoint(SqliteDatabase database, std::filesystem::path path)
      : database_(std::move(database)), path_(std::move(path)) {}
  [[nodiscard]] core::Status write_names(std::string_view table, std::span<const events::NameChange> changes, const events::NameTable& names);
  [[nodiscard]] core::Status load_names(FeatureState& state, const CheckpointHeader& header);
  [[nodiscard]] core::Status load_items(FeatureState& state, const CheckpointHeader& header);
  [[nodiscard]] core::Status load_subjects(FeatureState& state, const CheckpointHeader& header);
  [[nodiscard]] core::Error damaged(std::string_view what) const;

  SqliteDatabase database_;
  std::filesystem::path path_;
};

}  // namespace scalestyle::adapters::embedded
