#pragma once
// Checking everything that events are kept in: the log, the checkpoint of the features, the horizon and its candidates,
// and that they agree. Nothing is changed; a server may run meanwhile. Thread safety: free function; it blocks.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "core/result.hpp"
#include "events/features.hpp"

namespace scalestyle::consumer {

struct FeatureFileReport {
  std::filesystem::path path{};
  std::int64_t offset = 0;  // includes events up to here
  std::uint64_t subjects = 0;
  std::uint64_t items = 0;
};

struct EventVerification {
  adapters::embedded::VerifyReport log{};
  std::vector<FeatureFileReport> files{};  // those that can be read
  std::vector<std::string> notes{};        // worth knowing, no problem
  std::vector<std::string> problems{};     // each names its file and place; the log's are in `log`
  [[nodiscard]] bool sound() const { return problems.empty() && log.problems.empty() && log.more_problems == 0; }
};

// `work`: a folder for files that the caller removes. Errors: kNotFound (no log in `data`), kPermissionDenied, kUnavailable;
// what is damaged is a problem of the report.
[[nodiscard]] core::Result<EventVerification> verify_events(const std::filesystem::path& data, const std::filesystem::path& work,
                                                            const events::FeatureOptions& options,
                                                            const adapters::embedded::MemoryFeatureStore::Environment& environment);

}  // namespace scalestyle::consumer
