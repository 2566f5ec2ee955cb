#pragma once
// Feature files at rest: features.db and its copies (docs/formats/features.md), looked into and cleaned without loading.
//
// Every function blocks on the disk. Thread safety: none may run while another connection writes the same file.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "events/event_position.hpp"
#include "events/event.hpp"
#include "events/features.hpp"

namespace scalestyle::adapters::embedded {

struct FeatureFileInfo {
  std::vector<events::EventPosition> positions{};  // what is included, for each partition that has any
  events::EpochMs watermark_ms = 0;                // receipt of the newest event included; 0: none
  std::uint64_t subjects = 0;
  std::uint64_t items = 0;
  std::string options{};                           // fingerprint of the FeatureOptions that made it
};

// The text that stands for `options` in a feature file. The bound of memory is not in it: a new one acts from now on, and a
// rebuild under it may keep other of the least recently active subjects than were kept under the old one.
[[nodiscard]] std::string fingerprint(const events::FeatureOptions& options);

// Errors: kNotFound (no file, or an empty one, whose making was cut off), kDataLoss, kFailedPrecondition (another format version),
// kPermissionDenied, kUnavailable.
[[nodiscard]] core::Result<FeatureFileInfo> read_feature_file_info(const std::filesystem::path& path);

// Removes the subject and the bytes it had, journal included. A subject that is not there, or a file that does not exist,
// is no error. Errors: kDataLoss, kFailedPrecondition, kResourceExhausted, kPermissionDenied, kUnavailable.
[[nodiscard]] core::Status scrub_subject(const std::filesystem::path& path, const events::Subject& subject);

}  // namespace scalestyle::adapters::embedded
