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

core::Status EmbeddedEvents::open_log() {
  CORE_TRY(log_, embedded::SqliteEventLog::open(options_.log, {.clock = use_.clock, .timers = use_.timers, .pool = use_.pool,
                                                               .metrics = use_.metrics, .log = &use_.log}));
  CORE_TRY(impressions_, embedded::SqliteImpressionLog::open(options_.impressions, use_.pool, use_.metrics));
  if (!impressions_->restarted().empty()) {
    use_.log.warning("impressions begin anew", {{"cause", impressions_->restarted()}});
  }
  return {};
}

core::Status EmbeddedEvents::open_own_features() {
  const embedded::MemoryFeatureStore::Environment environment{.pool = use_.pool, .timers = use_.timers, .clock = use_.clock,
                                                              .metrics = use_.metrics};
  if (log_ != nullptr) {
    CORE_TRY(const auto extent, extent_of(*log_));
    CORE_TRY(features_, open_features({.files = files_, .extent = extent, .options = options_.features, .environment = environment,
                                       .log = use_.log}));
    return {};
  }
  CORE_TRY(lock_, core::FileLock::acquire(files_.folder() / "events.lock"));
  auto opened = embedded::MemoryFeatureStore::open(files_.checkpoint(), options_.features, environment);
  if (!opened && opened.error().code == core::ErrorCode::kDataLoss) {
    CORE_TRY(const auto aside, files_.set_aside(files_.checkpoint(), "damaged", use_.clock.wall_now()));
    use_.log.error("features begin anew from what the log still has: their checkpoint cannot be read",
                   {{"cause", opened.error().message}, {"put_aside", aside.string()}});
    opened = embedded::MemoryFeatureStore::open(files_.checkpoint(), options_.features, environment);
  }
  CORE_TRY(features_, std::move(opened));
  return {};
}

core::Status EmbeddedEvents::build() {
  if (options_.stream != nullptr && options_.features_elsewhere != nullptr) {
    return core::fail(core::ErrorCode::kInvalidArgument, "neither the log nor the features would be in this folder");
  }
  if (options_.stream == nullptr) CORE_CHECK(open_log());
  if (options_.features_elsewhere == nullptr) CORE_CHECK(open_own_features());
  ports::EventStream& stream = options_.stream != nullptr ? *options_.stream : log_->stream();
  ports::FeatureStore& features = options_.features_elsewhere != nullptr ? *options_.features_elsewhere : *features_;
  loop_ = std::make_unique<EventLoop>(EventLoop::Dependencies{.stream = stream, .features = features,
                                                              .timers = use_.timers, .clock = use_.clock,
                                                              .metrics = use_.metrics, .log = use_.log,
                                                              .failed_records = options_.failed_records,
                                                              .observer = options_.observer,
                                                              .tracer = use_.tracer},
                                      options_.loop);
  maintenance_ = std::make_unique<Maintenance>(
      Maintenance::Dependencies{.clock = use_.clock, .metrics = use_.metrics, .log = use_.log}, options_.maintenance, chores());
  return {};
}

std::vector<Chore> EmbeddedEvents::chores() const {
  if (log_ == nullptr) return feature_chores(*features_, *loop_, use_.clock, options_.chores);
  if (features_ == nullptr) {
    return log_chores({.log = *log_, .impressions = *impressions_, .clock = use_.clock, .logger = use_.log}, options_.chores);
  }
  const EmbeddedParts parts{.log = *log_, .features = *features_, .impressions = *impressions_, .loop = *loop_,
                            .clock = use_.clock, .logger = use_.log};
  return embedded_chores(parts, files_, options_.chores);
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
