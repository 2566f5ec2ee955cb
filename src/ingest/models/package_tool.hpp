#pragma once
// The package managers that a user has configured (mirrors, proxies, credentials): asked when a package cannot be had
// by plain HTTPS.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "ingest/models/manifest.hpp"

namespace scalestyle::ingest::models {

class PackageTool {
 public:
  virtual ~PackageTool() = default;
  // Puts the archive of `package` into `folder` under its own name; the caller verifies it. Blocks.
  // Errors: kNotFound (no such program), kUnavailable with the program's last words, kDeadlineExceeded.
  [[nodiscard]] virtual core::Status download(const PackageSource& package, const std::filesystem::path& folder,
                                              core::Deadline deadline) = 0;
};

// `mvn dependency:copy` and `python3 -m pip download`.
class SystemPackageTool final : public PackageTool {
 public:
  explicit SystemPackageTool(const core::Clock& clock) : clock_(clock) {}
  [[nodiscard]] core::Status download(const PackageSource& package, const std::filesystem::path& folder,
                                      core::Deadline deadline) override;

 private:
  const core::Clock& clock_;
};

// Runs `arguments` (looked up on PATH, no shell), its output going to `log`; kills it at the deadline.
// Same errors as PackageTool::download.
[[nodiscard]] core::Status run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                                       core::Deadline deadline, const core::Clock& clock);

}  // namespace scalestyle::ingest::models
