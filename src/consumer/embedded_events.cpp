#include "consumer/embedded_events.hpp"

#include <utility>

#include "consumer/feature_repair.hpp"

namespace scalestyle::consumer {

namespace embedded = adapters::embedded;

void EmbeddedEvents::Options::use_folder(const std::filesystem::path& folder) {
  log.folder = folder;
  impressions.folder = folder;
}

EmbeddedEvents::EmbeddedEvents(Options options, Services services)
    : options_(std::move(options)), use_(services), files_(options_.log.folder) {}

core::Result<std::unique_ptr<EmbeddedEvents>> EmbeddedEvents::open(Options options, Services services) {
  std::unique_ptr<EmbeddedEvents> events(new EmbeddedEvents(std::move(options), services));
  CORE_CHECK(events->build());
  return events;
}

core::Status EmbeddedEvents::build() {
  CORE_TRY(log_, embedded::SqliteEventLog::open(options_.log, {.clock = use_.clock, .timers = use_.timers, .pool = use_.pool,
                                                               .metrics = use_.metrics, .log = &use_.log}));
  CORE_TRY(impressions_, embedded::SqliteImpressionLog::open(options_.impressions, use_.pool, use_.metrics));
  if (!impressions_->restarted().empty()) {
    use_.log.warning("impressions begin anew", {{"cause", impressions_->restarted()}});
  }
  CORE_TRY(const auto extent, extent_of(*log_));
  CORE_TRY(features_, open_features({.files = files_,
                                     .extent = extent,
                                     .options = options_.features,
                                     .environment = {.pool = use_.pool, .timers = use_.timers, .clock = use_.clock,
                                                     .metrics = use_.metrics},
                                     .log = use_.log}));
  loop_ = std::make_unique<EventLoop>(EventLoop::Dependencies{.stream = log_->stream(), .features = *features_,
                                                              .timers = use_.timers, .clock = use_.clock,
                                                              .metrics = use_.metrics, .log = use_.log,
                                                              .observer = options_.observer},
                                      options_.loop);
  const EmbeddedParts parts{.log = *log_, .features = *features_, .impressions = *impressions_, .loop = *loop_,
                            .clock = use_.clock, .logger = use_.log};
  maintenance_ = std::make_unique<Maintenance>(
      Maintenance::Dependencies{.clock = use_.clock, .metrics = use_.metrics, .log = use_.log}, options_.maintenance,
      embedded_chores(parts, files_, options_.chores));
  return {};
}

core::Status EmbeddedEvents::start(core::Deadline deadline) {
  loop_->start();
  return core::sync_wait(loop_->caught_up(deadline));
}

void EmbeddedEvents::stop_maintenance() {
  loop_->stop();
  maintenance_->stop();
}

}  // namespace scalestyle::consumer
