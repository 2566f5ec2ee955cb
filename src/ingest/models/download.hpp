#pragma once
// One pinned file by HTTP, resumed where an earlier attempt stopped.

#include <filesystem>
#include <string>

#include "core/result.hpp"
#include "ingest/models/fetch.hpp"

namespace scalestyle::ingest::models {

struct Download {
  std::string url;
  std::string bearer_token{};
  PinnedFile file;
  std::filesystem::path target;  // appears when it is complete and verified; until then <target>.part grows
  std::string label;             // for progress
};

// Retries what is worth it while bytes keep coming. Errors: kDataLoss (what came is not the pinned file; it is
// removed), kNotFound, kPermissionDenied, kUnavailable, kDeadlineExceeded, or what the disk says.
[[nodiscard]] core::Status download_file(const Download& download, const FetchOptions& options,
                                         const FetchServices& services);

}  // namespace scalestyle::ingest::models
