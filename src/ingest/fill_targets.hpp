#pragma once
// From a generation's files to the stores that gateways read: all are filled and counted before any is told to serve it, and
// the data folder's CURRENT comes last. Not thread-safe; belongs to one run.

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "ingest/ingest.hpp"
#include "ports/catalog_target.hpp"

namespace scalestyle::ingest {

class TargetFiller {
 public:
  // Both must outlive the object.
  TargetFiller(const IngestOptions& options, const IngestContext& context) : options_(options), context_(context) {}

  [[nodiscard]] bool empty() const { return context_.stores.targets.empty(); }

  // That all stores answer, before much is done; remembers what each serves. Errors: the stores'.
  [[nodiscard]] core::Status look();

  // Whether a store serves this generation, or a gateway holds it: then another one must have another name.
  [[nodiscard]] bool is_served(const core::GenerationId& id) const;

  // Writes the generation whose files are in `folder` into every store, and compares what they count with it. After an
  // error what was begun is given up; what is served is as before. Errors: the stores' and the files'; kDataLoss where counts
  // differ; kCancelled.
  [[nodiscard]] core::Status fill(const std::filesystem::path& folder, ports::PopularitySeeds popular, IngestSummary& summary);

  // Tells the stores to serve it, in their order.
  [[nodiscard]] core::Status switch_over();

  // Removes generations that no gateway holds, but the one served before; what cannot be removed is told as a note.
  void tidy(IngestSummary& summary);

 private:
  struct Files;
  [[nodiscard]] core::Status fill_one(ports::CatalogTarget& target, const Files& files, IngestSummary& summary);
  [[nodiscard]] core::Status write_vectors(ports::CatalogTarget& target, const Files& files);
  [[nodiscard]] core::Deadline deadline() const;
  void step(std::string_view verb, const ports::CatalogTarget& target) const;
  void give_up();

  const IngestOptions& options_;
  const IngestContext& context_;
  std::vector<std::optional<core::GenerationId>> served_;  // by each target before
  std::set<core::GenerationId> used_;                      // by gateways before
  std::vector<ports::CatalogTarget*> begun_;
  core::GenerationId id_;
};

}  // namespace scalestyle::ingest
