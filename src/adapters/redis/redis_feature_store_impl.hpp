#pragma once
// The inside of RedisFeatureStore. For this folder only.

#include <atomic>
#include <mutex>
#include <semaphore>

#include "adapters/redis/feature_applier.hpp"
#include "adapters/redis/popularity_keeper.hpp"
#include "adapters/redis/redis_client.hpp"
#include "adapters/redis/redis_feature_store.hpp"

namespace scalestyle::adapters::redis {

struct RedisFeatureStore::Impl {
  Impl(Options given, Environment used);

  // Of the server and its contents, before anything else.
  [[nodiscard]] core::Task<core::Status> check_server(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_rights(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_meta(core::Deadline deadline);

  [[nodiscard]] core::Task<core::Status> publish_positions(const std::vector<events::LoggedEvent>& batch,
                                                           const ports::ApplyReport& report, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> positions(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<std::optional<SubjectValue>>> value_of(events::Subject subject, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<bool>> has_applied(const ports::WaitedEvent& event, core::Deadline deadline);

  [[nodiscard]] core::Task<core::Status> follow();
  [[nodiscard]] core::Task<core::Result<bool>> turn();
  [[nodiscard]] core::Task<core::Result<bool>> holds_lease(core::Deadline deadline);
  void set_trouble(const core::Status& status);
  [[nodiscard]] std::optional<events::EpochMs> newest_applied_ms() const;

  const Options options;
  Environment environment;
  const FeatureKeys keys;
  const FeatureScripts scripts;
  const MarkerOptions markers;
  FeatureContext context;
  FeatureApplier applier;
  PopularityKeeper keeper;
  const std::string owner;  // of the lease
  std::atomic<events::EpochMs> newest_ms{0};  // of what was applied here

  core::Operation following;
  bool started = false;
  std::binary_semaphore ended{0};
  mutable std::mutex mutex;
  std::string last_trouble;  // guarded by mutex

  struct {
    telemetry::Counter applied, refused, merged, failed_turns;
    telemetry::Gauge items;
    telemetry::Histogram apply_seconds, turn_seconds;
  } metrics;
};

}  // namespace scalestyle::adapters::redis
