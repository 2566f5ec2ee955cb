#include "adapters/embedded/local_catalog_store.hpp"

#include <fmt/format.h>

#include <utility>

#include "adapters/embedded/neighbour_file.hpp"

namespace scalestyle::adapters::embedded {

namespace {

core::Result<std::shared_ptr<const ports::CatalogSnapshot>> read_snapshot(const std::filesystem::path& folder,
                                                                          const core::GenerationId& id, FileCheck check) {
  if (!is_generation_id(id.value())) {
    return core::fail(core::ErrorCode::kNotFound, "not the id of a generation: \"" + id.value() + "\"");
  }
  CORE_TRY(auto manifest, read_manifest(folder));
  CORE_CHECK(check_file(folder, manifest, kCatalogFile, check));
  CORE_TRY(auto articles, read_catalog_file(folder / kCatalogFile, manifest.info.articles));
  if (manifest.info.id != id) {
    return core::fail(core::ErrorCode::kDataLoss,
                      fmt::format("{} describes the generation {}; the folder was renamed or copied, ingest again",
                                  (folder / kManifestFile).string(), manifest.info.id.value()));
  }
  std::shared_ptr<const ranking::ItemNeighbours> neighbours;
  if (manifest.neighbours) {
    CORE_CHECK(check_file(folder, manifest, kNeighboursFile, check));
    CORE_TRY(auto read, read_neighbours(folder / kNeighboursFile, manifest.info.articles));
    neighbours = std::make_shared<const ranking::ItemNeighbours>(std::move(read));
  }
  return std::make_shared<const ports::CatalogSnapshot>(std::move(manifest.info), std::move(articles), std::move(neighbours));
}

}  // namespace

core::Task<core::Result<core::GenerationId>> LocalCatalogStore::current(core::Deadline deadline) {
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  co_return folder_.read_current();
}

core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> LocalCatalogStore::load(
    core::GenerationId generation, core::Deadline deadline) {
  CORE_CO_CHECK(co_await reading_.schedule(deadline));
  co_return read_snapshot(folder_.generation(generation), generation, options_.check);
}

}  // namespace scalestyle::adapters::embedded
