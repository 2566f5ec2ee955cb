#pragma once
// Opening the features of a data folder at start-up, with the repair that may be needed.
//
// A checkpoint that is missing, damaged, or older than what the log still has is replaced by the newest copy that a
// replay of the log makes whole (the horizon or a candidate for it), or by nothing when the log has every event; the
// event loop then replays from there. What was not usable is put aside under a name that tells. Every step is logged.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "consumer/feature_files.hpp"
#include "core/result.hpp"
#include "events/features.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::consumer {

struct FeatureOpening {
  const FeatureFiles& files;
  LogExtent extent;
  events::FeatureOptions options;
  adapters::embedded::MemoryFeatureStore::Environment environment;
  telemetry::Logger& log;
};

[[nodiscard]] core::Result<LogExtent> extent_of(adapters::embedded::SqliteEventLog& log);

// The caller holds events.lock (the open log does). Blocks.
// Errors: kFailedPrecondition with what to do (features of another log, ahead of the log, or made with other options),
// and those of MemoryFeatureStore::open but kDataLoss of the checkpoint, which is repaired.
[[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::MemoryFeatureStore>> open_features(const FeatureOpening& opening);

// The newest copy from which a replay gives the present state under these options; those that cannot be used are logged.
// nullopt: none can.
struct UsableCopy {
  std::filesystem::path path{};
  std::int64_t offset = 0;
};
[[nodiscard]] core::Result<std::optional<UsableCopy>> newest_usable_copy(const FeatureOpening& opening);

}  // namespace scalestyle::consumer
