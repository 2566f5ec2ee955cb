#pragma once
// The event side of a server, wired: what clicks go into and what lists are personalised by.

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>

#include "consumer/embedded_events.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "recommend/live_neighbours.hpp"
#include "recommend/popularity.hpp"
#include "recommend/popularity_loop.hpp"
#include "search/event_service.hpp"
#include "search/experiments.hpp"
#include "search/impression_recorder.hpp"
#include "search/personalizer.hpp"

namespace scalestyle::app {

// What the settings say of events, features and boosts. kInvalidArgument with the setting as field.
[[nodiscard]] core::Result<events::FeatureOptions> feature_options(const core::Settings& settings);
[[nodiscard]] core::Result<search::PersonalizationOptions> personalization_options(const core::Settings& settings);
[[nodiscard]] core::Result<search::EventOptions> event_options(const core::Settings& settings);

// The settings' names, for the commands that take them.
[[nodiscard]] std::vector<std::string> with_feature_settings(std::vector<std::string> names);
[[nodiscard]] std::vector<std::string> with_serving_settings(std::vector<std::string> names);

class EventStack {
 public:
  using Services = consumer::EmbeddedEvents::Services;

  // The ends that are other engines; null: in the data folder. They outlive the stack.
  struct Engines {
    ports::EventLog* log = nullptr;
    ports::ImpressionLog* impressions = nullptr;   // with `log`
    ports::EventStream* stream = nullptr;          // of `log`, for features in the data folder
    consumer::FailedRecordSink* failed_records = nullptr;  // of `log`
    ports::FeatureStore* features = nullptr;

    [[nodiscard]] bool all() const { return log != nullptr && features != nullptr; }
    [[nodiscard]] bool any() const { return log != nullptr || features != nullptr; }
  };

  // Opens what is in the folder `data`, with repair. Blocks: some seconds for a million shoppers. Damaged or unreadable files are
  // no error: then events are refused, lists say that they are not personalised, and the log says why.
  // Errors: kFailedPrecondition (another process serves this folder; other feature settings), kInvalidArgument (settings).
  [[nodiscard]] static core::Result<std::unique_ptr<EventStack>> open(const core::Settings& settings,
                                                                      const std::filesystem::path& data, Engines engines,
                                                                      Services services);
  EventStack(const EventStack&) = delete;
  EventStack& operator=(const EventStack&) = delete;
  ~EventStack();

  // Starts the log's and the maintenance thread, and waits until what the log holds has taken effect, where neither end is
  // another engine, which may be away. What was done together in the last 24 hours is read from an embedded log after that, by a
  // thread of its own.
  [[nodiscard]] core::Status start();

  // Checkpoints, writes what is queued, ends all threads; once. The pool's and the timers' threads must still run.
  void stop();

  [[nodiscard]] ports::EventLog& log() { return *log_; }
  [[nodiscard]] ports::FeatureStore& features() { return *features_; }
  [[nodiscard]] ports::ImpressionLog& impression_log() { return *impression_log_; }
  [[nodiscard]] recommend::Popularity& popularity() { return *popularity_; }
  [[nodiscard]] recommend::LiveNeighbours& live_neighbours() { return live_neighbours_; }
  [[nodiscard]] const search::ImpressionRecorder& impressions() const { return *recorder_; }
  // Why events that this process lets take effect do not; empty while all goes well, or where it does not do that.
  [[nodiscard]] std::string trouble() const { return embedded_ ? embedded_->loop().trouble() : std::string(); }
  [[nodiscard]] const search::Experiments& experiments() const { return experiments_; }

 private:
  EventStack(Services services, Engines engines) : use_(services), engines_(engines), live_neighbours_(services.clock) {}
  void fill_live_neighbours(const std::filesystem::path& folder);
  core::Status open_files(const consumer::EmbeddedEvents::Options& options);

  Services use_;
  const Engines engines_;
  std::filesystem::path folder_;
  recommend::LiveNeighbours live_neighbours_;  // outlives the loop that it is told by
  // Null where both ends are other engines, and when its files cannot be used: then the next three stand in.
  std::unique_ptr<consumer::EmbeddedEvents> embedded_;
  std::unique_ptr<ports::EventLog> no_log_;
  std::unique_ptr<ports::FeatureStore> no_features_;
  std::unique_ptr<ports::ImpressionLog> no_impressions_;
  ports::EventLog* log_ = nullptr;
  ports::FeatureStore* features_ = nullptr;
  ports::ImpressionLog* impression_log_ = nullptr;
  std::unique_ptr<recommend::Popularity> popularity_;
  std::unique_ptr<recommend::PopularityLoop> popularity_loop_;
  std::unique_ptr<search::ImpressionRecorder> recorder_;
  search::Experiments experiments_;
  std::atomic<bool> stop_filling_{false};
  std::thread filler_;
  std::thread writer_;
  std::thread keeper_;
};

}  // namespace scalestyle::app
