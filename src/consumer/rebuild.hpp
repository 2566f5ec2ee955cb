#pragma once
// Rebuilding features from the log: a copy of the features at the horizon, where there is one, and every event that is
// kept. What comes out must equal what a server that read the same events has.
//
// Thread safety: free functions; they block. The log may be appended to meanwhile, and its features be checkpointed.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/memory_feature_store.hpp"
#include "consumer/feature_files.hpp"
#include "core/result.hpp"
#include "events/features.hpp"

namespace scalestyle::consumer {

inline constexpr double kRebuildTolerance = 1e-9;  // of numbers, relative to their size

struct Rebuilt {
  std::unique_ptr<adapters::embedded::MemoryFeatureStore> store{};  // nothing but the base is on disk yet
  std::int64_t offset = 0;                                          // the last event that counted
  std::uint64_t events = 0;                                         // applied on top of the base
  std::uint64_t undecodable = 0;                                    // records that are no event
};

class FeatureRebuild {
 public:
  struct Request {
    std::filesystem::path data{};  // the folder of events.db and features.db
    std::filesystem::path work{};  // a folder for files that the caller removes; must exist
    events::FeatureOptions options{};
  };

  // Errors: those of EventLogReader::open.
  [[nodiscard]] static core::Result<FeatureRebuild> open(Request request,
                                                         adapters::embedded::MemoryFeatureStore::Environment environment);

  // The features after the event at `last` (absent: after the newest), made from the horizon and the log; once.
  // Errors: kDataLoss, kFailedPrecondition (the horizon is not one of this log, or of other options), kResourceExhausted.
  [[nodiscard]] core::Result<Rebuilt> rebuild(std::optional<std::int64_t> last);

  // The checkpoint features.db, read from a copy of its own. Errors: kNotFound, kDataLoss, kFailedPrecondition.
  [[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::MemoryFeatureStore>> load_checkpoint();

  // Makes what was rebuilt the checkpoint; the caller holds events.lock. Copies that were made under other options go;
  // when the horizon is one of them, what was rebuilt takes its place.
  [[nodiscard]] core::Status install(Rebuilt rebuilt);

  // From now on rebuild() begins from nothing where the horizon was made under other options.
  void allow_other_horizon() { allow_other_horizon_ = true; }
  // Why rebuild() left the horizon out; empty when it did not.
  [[nodiscard]] const std::string& horizon_left_out() const { return horizon_left_out_; }

 private:
  FeatureRebuild(Request request, adapters::embedded::MemoryFeatureStore::Environment environment,
                 adapters::embedded::EventLogReader reader);
  [[nodiscard]] core::Result<LogExtent> extent();
  [[nodiscard]] core::Status use_horizon(const std::filesystem::path& target);

  Request request_;
  FeatureFiles files_;
  adapters::embedded::MemoryFeatureStore::Environment environment_;
  adapters::embedded::EventLogReader reader_;
  bool allow_other_horizon_ = false;
  std::string horizon_left_out_;
};

// The last event of the log that the store has applied; 0 when none.
[[nodiscard]] std::int64_t applied_offset(const adapters::embedded::MemoryFeatureStore& store);

}  // namespace scalestyle::consumer
