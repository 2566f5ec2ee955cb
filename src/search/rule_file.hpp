#pragma once
// RuleFile: the merchandising rules of a file, followed while the server runs (followed_file.hpp), and those rules on the
// generation that is served.

#include <filesystem>
#include <memory>
#include <mutex>

#include "core/result.hpp"
#include "ranking/bound_rules.hpp"
#include "search/followed_file.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class RuleFile final : public FollowedFile<ranking::RuleSet> {
 public:
  // Reads the file. Errors: those of read_rules.
  [[nodiscard]] static core::Result<std::unique_ptr<RuleFile>> open(std::filesystem::path path);

  // The rules in force on `generation`, which must live as long as they are used. The first call for a generation and a
  // version of the file binds them, which others wait for; later ones find them bound. Safe from any thread.
  // kInternal when the stemmer cannot be had.
  [[nodiscard]] core::Result<std::shared_ptr<const ranking::BoundRules>> on(const std::shared_ptr<const ServingGeneration>& generation) const;

 private:
  explicit RuleFile(std::filesystem::path path);

  mutable std::mutex binding_;
  mutable std::weak_ptr<const ServingGeneration> bound_to_;         // guarded by binding_, as is the next
  mutable std::shared_ptr<const ranking::BoundRules> bound_;
};

// Gauges of the rules in force and of a file that cannot be followed. `file` must outlive the last render.
void show_rules(telemetry::Metrics& metrics, const RuleFile& file);

}  // namespace scalestyle::search
