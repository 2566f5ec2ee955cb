#pragma once
// SqliteCatalogChanges: changes of articles in one SQLite file, DATA/changes.db (docs/formats/changes.md), and the reader
// that ingest takes them with while a server may be writing.
//
// One process writes, which holds DATA/changes.lock. A batch is one transaction, synced before append() completes. After
// a commit that failed for another reason than a full disk, whether it was kept is not known: writes are refused until the
// file is opened again.
// Crash points: changes.before_commit, changes.committed, changes.before_removal, changes.removed.
// Thread safety: as the port; calls block on the disk.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "ports/catalog_changes.hpp"

namespace scalestyle::adapters::embedded {

class SqliteCatalogChanges final : public ports::CatalogChanges {
 public:
  struct Options {
    std::filesystem::path folder{};       // holds changes.db and changes.lock; must exist
    std::size_t max_changes = 500'000;    // kept; more are refused until an ingest has taken them
    std::string vfs{};                    // SQLite's file layer; empty: the system's
  };

  // Opens or creates the file. `clock` must outlive the object.
  // Errors: kFailedPrecondition (another process writes; a file of another version), kDataLoss (damaged: says what to do),
  // kPermissionDenied, kResourceExhausted, kUnavailable.
  [[nodiscard]] static core::Result<std::unique_ptr<SqliteCatalogChanges>> open(Options options, const core::Clock& clock);
  ~SqliteCatalogChanges() override;

  [[nodiscard]] core::Task<std::expected<std::int64_t, ports::AppendFailure>> append(ports::ChangeBatch batch,
                                                                                   core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::LoggedChange>>> read(std::int64_t after, std::size_t limit,
                                                                               core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::ArticleVector>>> vectors(ports::EncoderInfo encoder,
                                                                                    core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> settle(std::int64_t sequence, std::int64_t until_ms, core::Deadline deadline) override;

 private:
  struct Impl;
  explicit SqliteCatalogChanges(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What DATA/changes.db holds, read without writing beside what a server writes.
struct KeptChanges {
  std::vector<ports::LoggedChange> changes{};  // in order
  std::int64_t last_sequence = 0;              // the greatest one ever given; 0 without any
};
// Nothing when there is no such file. Errors: kDataLoss, kFailedPrecondition (another version), kUnavailable.
[[nodiscard]] core::Result<KeptChanges> read_kept_changes(const std::filesystem::path& data_folder);

}  // namespace scalestyle::adapters::embedded
