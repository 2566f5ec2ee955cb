#pragma once
// The features that are kept in Redis, wired: the store, with what it does by itself on the timers.

#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "ports/feature_store.hpp"
#include "redis_stack.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of features in Redis.
[[nodiscard]] std::vector<std::string> with_redis_feature_settings(std::vector<std::string> names);

class RedisFeatures {
 public:
  struct Services {
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };
  struct Wish {
    bool applies = false;          // this process lets events take effect, and merges popularity
    bool keeps_positions = false;  // the log remembers none itself
    std::string log_stream{};      // the log's name; empty: any
  };
  // Connects to nothing yet. kInvalidArgument with the setting as field.
  [[nodiscard]] static core::Result<std::unique_ptr<RedisFeatures>> open(const core::Settings& settings, RedisStack& redis, Wish wish,
                                                                         Services services);
  ~RedisFeatures();
  RedisFeatures(const RedisFeatures&) = delete;
  RedisFeatures& operator=(const RedisFeatures&) = delete;

  [[nodiscard]] ports::FeatureStore& store();
  // Whether this server can hold features: version, eviction policy, rights. One clear error.
  [[nodiscard]] core::Status check(core::Deadline deadline);
  // Empty while it answers.
  [[nodiscard]] std::string trouble() const;

  // Begins and ends what it does on the timers: refreshing popularity, merging it.
  void start();
  void stop();

 private:
  struct Impl;
  explicit RedisFeatures(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::app
