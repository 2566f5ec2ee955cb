#include "event_stack.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <utility>

#include "adapters/embedded/unavailable_events.hpp"
#include "consumer/newest_events.hpp"

namespace scalestyle::app {

namespace {

constexpr auto kCatchUpLimit = std::chrono::minutes(10);
constexpr auto kFirstRead = std::chrono::seconds(2);  // of an engine that may be away
constexpr std::uint64_t kMegabyte = 1u << 20;

std::chrono::milliseconds days(double count) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(count * 86'400'000.0));
}

std::size_t size(const core::Settings& settings, std::string_view name) { return static_cast<std::size_t>(settings.integer(name)); }

std::vector<std::string> joined(std::vector<std::string> names, std::initializer_list<const char*> more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

}  // namespace

core::Result<events::FeatureOptions> feature_options(const core::Settings& settings) {
  events::FeatureOptions options;
  options.affinity_half_life_seconds = settings.number("affinity_half_life_hours") * 3'600;
  options.global_half_life_seconds = settings.number("popularity_half_life_hours") * 3'600;
  options.session_ttl_seconds = static_cast<std::int64_t>(settings.number("session_ttl_minutes") * 60);
  options.user_ttl_seconds = static_cast<std::int64_t>(settings.number("user_ttl_days") * 86'400);
  options.max_memory_bytes = size(settings, "feature_memory_mb") * kMegabyte;
  CORE_CHECK(options.validate());
  return options;
}

core::Result<search::PersonalizationOptions> personalization_options(const core::Settings& settings) {
  search::PersonalizationOptions options;
  options.boost.recent_click_factor = settings.number("boost_recent_click");
  options.boost.category_weight = settings.number("boost_category");
  options.boost.popularity_weights = {settings.number("boost_popularity_1h"), settings.number("boost_popularity_24h"),
                                      settings.number("boost_popularity_7d")};
  options.boost.popularity_floor = settings.number("boost_popularity_floor");
  options.boost.cap = settings.number("boost_cap");
  options.affinity_half_life_seconds = settings.number("affinity_half_life_hours") * 3'600;
  options.snapshot_budget = std::chrono::milliseconds(settings.integer("snapshot_budget_ms"));
  options.after_budget = std::chrono::milliseconds(settings.integer("after_wait_ms"));
  options.recent_click_max_age = std::chrono::duration_cast<std::chrono::seconds>(days(settings.number("recent_click_days")));
  CORE_CHECK(options.validate());
  return options;
}

core::Result<search::EventOptions> event_options(const core::Settings& settings) {
  search::EventOptions options;
  options.click_weight = settings.number("event_weight_click");
  options.view_weight = settings.number("event_weight_view");
  options.add_to_cart_weight = settings.number("event_weight_add_to_cart");
  options.purchase_weight = settings.number("event_weight_purchase");
  options.receipt.past_bound = std::chrono::minutes(settings.integer("event_time_past_bound_minutes"));
  options.receipt.future_bound = std::chrono::minutes(settings.integer("event_time_future_bound_minutes"));
  options.deadline = std::chrono::milliseconds(settings.integer("event_deadline_ms"));
  options.max_in_progress = size(settings, "max_events_in_progress");
  CORE_CHECK(options.validate());
  return options;
}

std::vector<std::string> with_feature_settings(std::vector<std::string> names) {
  return joined(std::move(names), {"affinity_half_life_hours", "popularity_half_life_hours", "session_ttl_minutes",
                                   "user_ttl_days", "feature_memory_mb"});
}

std::vector<std::string> with_serving_settings(std::vector<std::string> names) {
  return joined(with_feature_settings(std::move(names)),
                {"event_weight_click", "event_weight_view", "event_weight_add_to_cart", "event_weight_purchase", "event_deadline_ms",
                 "max_events_in_progress", "event_time_past_bound_minutes", "event_time_future_bound_minutes",
                 "event_retention_days", "event_retention_mb", "impression_sample", "impression_retention_days",
                 "impression_retention_mb", "checkpoint_interval_ms", "snapshot_budget_ms", "after_wait_ms", "boost_recent_click", "recent_click_days",
                 "boost_category", "boost_popularity_1h", "boost_popularity_24h", "boost_popularity_7d",
                 "boost_popularity_floor", "boost_cap", "experiments", "experiment_salt"});
}

core::Result<std::unique_ptr<EventStack>> EventStack::open(const core::Settings& settings, const std::filesystem::path& data,
                                                           Engines engines, Services services) {
  std::unique_ptr<EventStack> stack(new EventStack(services, engines));
  consumer::EmbeddedEvents::Options options;
  options.use_folder(data);
  options.stream = engines.stream;
  options.failed_records = engines.failed_records;
  options.features_elsewhere = engines.features;
  stack->folder_ = data;
  options.observer = [live = &stack->live_neighbours_](std::span<const events::LoggedEvent> taken) { live->apply(taken); };
  CORE_TRY(options.features, feature_options(settings));
  options.impressions.max_age = days(settings.number("impression_retention_days"));
  options.impressions.max_bytes = size(settings, "impression_retention_mb") * kMegabyte;
  options.chores.event_retention.max_age = days(settings.number("event_retention_days"));
  options.chores.event_retention.max_bytes = size(settings, "event_retention_mb") * kMegabyte;
  options.chores.checkpoint_interval = std::chrono::milliseconds(settings.integer("checkpoint_interval_ms"));
  CORE_TRY(stack->experiments_, search::Experiments::parse(settings.text("experiments"), settings.text("experiment_salt")));
  CORE_CHECK(stack->open_files(options));

  recommend::PopularityBoardOptions board;
  board.purchase_weight = settings.number("event_weight_purchase");
  board.global_half_life_seconds = options.features.global_half_life_seconds;
  CORE_CHECK(board.validate());
  stack->popularity_ = std::make_unique<recommend::Popularity>(stack->features(), services.clock, board);
  stack->popularity_loop_ = std::make_unique<recommend::PopularityLoop>(
      recommend::PopularityLoop::Dependencies{.popularity = *stack->popularity_, .pool = services.pool, .timers = services.timers,
                                              .clock = services.clock, .log = services.log},
      recommend::PopularityLoop::Options{});
  stack->recorder_ = std::make_unique<search::ImpressionRecorder>(stack->impression_log(), settings.number("impression_sample"),
                                                                  services.metrics);
  return stack;
}

core::Status EventStack::open_files(const consumer::EmbeddedEvents::Options& options) {
  namespace embedded = adapters::embedded;
  log_ = engines_.log;
  impression_log_ = engines_.impressions;
  features_ = engines_.features;
  if (engines_.all()) return {};
  auto opened = consumer::EmbeddedEvents::open(options, use_);
  if (opened) {
    embedded_ = std::move(*opened);
    if (engines_.log == nullptr) {
      log_ = &embedded_->log();
      impression_log_ = &embedded_->impressions();
    }
    if (engines_.features == nullptr) features_ = &embedded_->features();
    return {};
  }
  using enum core::ErrorCode;
  const core::Error& error = opened.error();
  if (error.code == kFailedPrecondition || error.code == kInvalidArgument) return std::unexpected(error);
  use_.log.error("events cannot be kept and nothing is personalised until this is put right and the server started again",
                 {{"cause", error.message}});
  const std::string cause = "the server's event files cannot be used; its log says why";
  no_log_ = std::make_unique<embedded::UnavailableEventLog>(cause);
  no_features_ = std::make_unique<embedded::UnavailableFeatureStore>(cause);
  no_impressions_ = std::make_unique<embedded::UnavailableImpressionLog>(cause);
  if (engines_.log == nullptr) {
    log_ = no_log_.get();
    impression_log_ = no_impressions_.get();
  }
  if (engines_.features == nullptr) features_ = no_features_.get();
  return {};
}

EventStack::~EventStack() { stop(); }

core::Status EventStack::start() {
  if (!embedded_ && !engines_.all()) return {};
  if (embedded_ && embedded_->has_log()) writer_ = std::thread([this] { embedded_->write(); });
  if (embedded_) keeper_ = std::thread([this] { embedded_->maintain(); });
  if (engines_.any()) {
    const auto soon = core::Deadline::after(kFirstRead, use_.clock);
    auto begun = embedded_ ? embedded_->start(soon) : core::Status();
    if (begun) begun = core::sync_wait(popularity_->refresh(soon));
    if (!begun) {
      use_.log.warning("answers begin before all events have taken effect; that goes on", {{"cause", begun.error().message}});
    }
  } else {
    CORE_CHECK(embedded_->start(core::Deadline::after(kCatchUpLimit, use_.clock)));
    CORE_CHECK(core::sync_wait(popularity_->refresh(core::Deadline::after(kCatchUpLimit, use_.clock))));
  }
  popularity_loop_->start();
  if (engines_.log != nullptr) return {};
  filler_ = std::thread([this] { fill_live_neighbours(folder_); });
  return {};
}

void EventStack::fill_live_neighbours(const std::filesystem::path& folder) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(use_.clock.wall_now().time_since_epoch());
  const consumer::NewestEvents wanted{.folder = folder, .received_from_ms = (now - std::chrono::hours(24)).count()};
  const auto read = consumer::read_newest_events(wanted, [this](std::span<const events::LoggedEvent> older) {
    live_neighbours_.fill(older);
    return !stop_filling_.load();
  });
  if (!read) {
    use_.log.warning("what was done together before the start is not known", {{"cause", read.error().message}});
    return;
  }
  const auto counts = live_neighbours_.counts();
  use_.log.info("what was done together in the last day was read from the log",
                {{"events", *read}, {"baskets", counts.baskets}, {"items", counts.items}});
}

void EventStack::stop() {
  if (popularity_loop_) popularity_loop_->stop();
  stop_filling_.store(true);
  if (filler_.joinable()) filler_.join();
  if (keeper_.joinable()) {
    embedded_->stop_maintenance();
    keeper_.join();
  }
  if (writer_.joinable()) {
    embedded_->stop_writing();
    writer_.join();
  }
}

}  // namespace scalestyle::app
