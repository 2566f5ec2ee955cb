#pragma once
// RedisFeatureStore: the FeatureStore of the distributed shape, on Redis standalone or Cluster (docs/formats/redis.md).
//
// A subject is one value, changed by one script together with what its events contribute to popularity; marks of events in the
// value make each count once, however often and by whomever it is applied. Popularity is merged by consumers on their own clock
// and kept in memory here, so that popularity() asks no server. It follows apply() after up to two intervals.
//
// Differences from the embedded store, by design: events of one partition take effect in their order, those of different
// partitions in any; what a session did after a login but was applied before it belongs to the user; bounds of memory are the
// server's (noeviction: a full server refuses events, they wait in the log).
//
// Thread safety: apply() by one caller at a time; check(), start() and stop() once each, from the owner's thread; everything else
// from any thread. Tasks resume on the client's I/O thread or the timers'. All tasks must have ended before the store is destroyed.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "events/features.hpp"
#include "ports/feature_store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::redis {

class RedisClient;

class RedisFeatureStore final : public ports::FeatureStore {
 public:
  struct Options {
    std::string prefix = "scalestyle:";   // of all keys; 1–64 of [A-Za-z0-9:._-]
    std::size_t shards = 64;              // 1–1,024; the same for all processes and for ever
    events::FeatureOptions features{};    // max_memory_bytes does not count here
    std::int64_t marker_days = 8;         // 1–366; more than the log keeps its events
    std::size_t max_markers = 4'096;      // of a subject; 16–65,536
    std::optional<std::size_t> replicas_acked{};  // that have a write before it counts; none given: 1 where there are replicas
    bool keeps_positions = false;         // the log keeps none itself: committed() answers from here
    bool merges_popularity = false;       // consumers
    bool read_only = false;               // gateways: apply() is refused, and rights to write are not asked for
    std::string log_stream{};             // the log's stream; events of others are not waited for. Empty: of any
    std::size_t max_items = 200'000;      // with popularity; beyond it the least recently active go
    std::size_t max_global_popular = 50'000;
    std::size_t max_waiting_entries = 100'000;    // contributions of a shard; more are refused until they are merged
    std::chrono::milliseconds refresh_interval{250};
    std::chrono::milliseconds background_timeout{5'000};  // of one turn
    bool allow_eviction = false;          // of keys by the server: events may then count twice or not at all

    // kInvalidArgument with the setting as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Environment {
    RedisClient& client;  // its run() must be running
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };

  // Connects to nothing. Errors: those of validate().
  [[nodiscard]] static core::Result<std::unique_ptr<RedisFeatureStore>> create(Options options, Environment environment);
  ~RedisFeatureStore() override;

  // Whether the server can be used: version, eviction, rights (tried on keys of its own), and that others use it with the same
  // shards and half-lives. Writes these at the first time. Then loads popularity.
  // Errors: kFailedPrecondition, kPermissionDenied (each says what to do), kUnavailable, kDeadlineExceeded.
  [[nodiscard]] core::Task<core::Status> check(core::Deadline deadline);

  // Follows popularity (and merges it) from now on, every refresh_interval. A failing turn is repeated at the next.
  void start();
  // Ends that, and waits for the turn in progress. Not on the client's thread.
  void stop();

  // One turn at once, for those who cannot wait for it; not while start() is in effect.
  [[nodiscard]] core::Task<core::Status> refresh_popularity(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> merge_popularity(core::Deadline deadline);  // all that waits; whoever has the lease

  // Empty while all is well; else what is wrong, for readiness and people.
  [[nodiscard]] std::string trouble() const;

  // The port. read() costs one round trip, popularity() none. wait_applied() looks at the subject's value every few
  // milliseconds; without a subject at the partition's position, which consumers write after each batch.
  core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline deadline) override;
  core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                     core::Deadline deadline) override;
  core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline deadline) override;
  core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) override;
  core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent event, core::Deadline deadline) override;
  core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                core::Deadline deadline) override;

 private:
  struct Impl;
  explicit RedisFeatureStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::redis
