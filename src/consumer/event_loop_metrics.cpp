#include "consumer/event_loop_metrics.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace scalestyle::consumer {

namespace {

// Milliseconds where the log is embedded, a consumer's batch over Kafka, and minutes behind: 1 ms to 15 minutes.
const std::vector<double> kFreshnessBuckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900};

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::string_view to_string(LoopStage stage) {
  constexpr std::array<std::string_view, kLoopStageCount> kNames{"positions", "seek",        "poll",   "pause",
                                                                 "apply",     "dead_letter", "commit", "unexpected"};
  return kNames[static_cast<std::size_t>(stage)];
}

struct EventLoopMetrics::Live {
  Live(const ports::EventStream& events, const core::Clock& time) : stream(&events), clock(time) {}

  std::mutex mutex;
  const ports::EventStream* stream;  // guarded by mutex; null once the loop is gone
  const core::Clock& clock;
  std::atomic<events::EpochMs> newest_received_ms{0};
  telemetry::Gauge lag;
  telemetry::Gauge newest_age_seconds;

  void collect() {
    const std::lock_guard lock(mutex);
    if (stream == nullptr) return;
    lag.set(static_cast<double>(stream->lag()));
    const events::EpochMs newest = newest_received_ms.load(std::memory_order_relaxed);
    if (newest == 0) return;
    const auto age = clock.wall_now() - core::WallTime(std::chrono::milliseconds(newest));
    newest_age_seconds.set(std::chrono::duration<double>(age).count());
  }
};

EventLoopMetrics::EventLoopMetrics(telemetry::Metrics& metrics, const ports::EventStream& stream, const core::Clock& clock,
                                   const std::string& name)
    : applied_(metrics.counter({"events_processed_total", "Events that have taken effect.",
                                {{"result", "applied"}, {"stream", name}}})),
      undecodable_(metrics.counter({"scalestyle_consumer_undecodable_records_total", "Records of the log that are no event.",
                                    {{"stream", name}}})),
      put_off_(metrics.counter({"scalestyle_consumer_put_off_events_total", "Events that could not take effect and are tried again later.",
                                {{"stream", name}}})),
      apply_seconds_(metrics.histogram({"scalestyle_consumer_apply_seconds", "Duration of letting a batch take effect.",
                                        {{"stream", name}}})),
      began_(clock.wall_now()),
      freshness_(metrics.histogram({"scalestyle_event_freshness_seconds", "From an event's receipt to its effect on answers.",
                                    {{"stream", name}}},
                                   kFreshnessBuckets)),
      live_(std::make_shared<Live>(stream, clock)) {
  for (std::size_t i = 0; i < kLoopStageCount; ++i) {
    failures_[i] = metrics.counter({"scalestyle_consumer_failures_total", "Steps of the event loop that failed, by stage.",
                                    {{"stage", std::string(to_string(static_cast<LoopStage>(i)))}, {"stream", name}}});
  }
  live_->lag = metrics.gauge({"scalestyle_consumer_lag_events", "Events of the log that have not reached the feature store.",
                               {{"stream", name}}});
  live_->newest_age_seconds = metrics.gauge(
      {"scalestyle_consumer_newest_applied_age_seconds", "Time since the receipt of the newest event that has taken effect.",
       {{"stream", name}}});
  metrics.on_render([live = live_] { live->collect(); });
}

EventLoopMetrics::~EventLoopMetrics() {
  const std::lock_guard lock(live_->mutex);
  live_->stream = nullptr;
}

void EventLoopMetrics::applied(std::span<const events::LoggedEvent> taken, std::chrono::nanoseconds took, bool durable) {
  applied_.add(static_cast<double>(taken.size()));
  apply_seconds_.observe(seconds(took));
  const core::WallTime now = live_->clock.wall_now();
  events::EpochMs newest_received_ms = 0;
  for (const events::LoggedEvent& event : taken) {
    const core::WallTime received(std::chrono::milliseconds(event.event.received_time_ms));
    newest_received_ms = std::max(newest_received_ms, event.event.received_time_ms);
    // A store in memory is given its tail of the log again at the start: those had taken effect before.
    if (durable || received >= began_) freshness_.observe(std::max(0.0, seconds(now - received)));
  }
  auto newest = live_->newest_received_ms.load(std::memory_order_relaxed);
  while (newest < newest_received_ms &&
         !live_->newest_received_ms.compare_exchange_weak(newest, newest_received_ms, std::memory_order_relaxed)) {
  }
}

}  // namespace scalestyle::consumer
