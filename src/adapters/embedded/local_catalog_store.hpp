#pragma once
// CatalogStore over the generations of a data folder. Reading a generation takes a fraction of a second of one worker.
// Thread safety: as the port.

#include <filesystem>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "core/worker_pool.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::adapters::embedded {

class LocalCatalogStore final : public ports::CatalogStore {
 public:
  struct Options {
    std::filesystem::path data_dir;
    FileCheck check = FileCheck::kHashes;  // of catalog.db and neighbours.bin, which are read whole in any case
  };

  // Generations are read on `reading`, whose work may wait long; which one is current is looked up on `pool`. Both must outlive
  // the store.
  LocalCatalogStore(Options options, core::WorkerPool& pool, core::WorkerPool& reading)
      : options_(std::move(options)), folder_(options_.data_dir), pool_(pool), reading_(reading) {}
  LocalCatalogStore(Options options, core::WorkerPool& pool) : LocalCatalogStore(std::move(options), pool, pool) {}

  [[nodiscard]] core::Task<core::Result<core::GenerationId>> current(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> load(
      core::GenerationId generation, core::Deadline deadline) override;

 private:
  Options options_;
  DataFolder folder_;
  core::WorkerPool& pool_;
  core::WorkerPool& reading_;
};

}  // namespace scalestyle::adapters::embedded
