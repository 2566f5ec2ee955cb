#pragma once
// The data folder of the embedded shape, as docs/formats/generation.md lays it out:
//   DATA/CURRENT                          id of the generation to serve, replaced by rename
//   DATA/generations/<id>/                one immutable generation
//   DATA/generations/.building-<hash>/    an ingest in progress or interrupted
//   DATA/ingest.lock                      held by the one process that ingests
// Thread safety: const methods from any thread; write_current() only by the holder of the ingest lock.

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::embedded {

// 1–64 letters, digits, '-', '_' or '.', not beginning with '.': safe as the name of a folder.
[[nodiscard]] bool is_generation_id(std::string_view text);

class DataFolder {
 public:
  explicit DataFolder(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path generations() const { return root_ / "generations"; }
  [[nodiscard]] std::filesystem::path generation(const core::GenerationId& id) const { return generations() / id.value(); }
  [[nodiscard]] std::filesystem::path current_file() const { return root_ / "CURRENT"; }
  [[nodiscard]] std::filesystem::path ingest_lock() const { return root_ / "ingest.lock"; }

  // Errors: kNotFound (nothing ingested yet), kDataLoss (not the id of a generation), kPermissionDenied, kUnavailable.
  [[nodiscard]] core::Result<core::GenerationId> read_current() const;
  [[nodiscard]] core::Status write_current(const core::GenerationId& id) const;

  // The complete generations (folders with a manifest), by id. A missing folder has none.
  [[nodiscard]] core::Result<std::vector<core::GenerationId>> list_generations() const;

 private:
  std::filesystem::path root_;
};

}  // namespace scalestyle::adapters::embedded
