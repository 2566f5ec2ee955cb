#include "search/event_metrics.hpp"

#include <string>
#include <string_view>

#include "core/disk_full.hpp"

namespace scalestyle::search {

namespace {

using events::EventType;

constexpr std::array<EventType, 7> kEventTypes{EventType::kClick, EventType::kView,   EventType::kAddToCart, EventType::kPurchase,
                                               EventType::kMerge, EventType::kForget, EventType::kPreferences};
constexpr std::array<std::string_view, kEventRefusalCount> kRefusalNames{
    "invalid", "unknown_item", "capacity", "storage", "log_unavailable", "deadline", "cancelled", "other"};

std::size_t place_of(EventType type) {
  std::size_t place = 0;
  while (place + 1 < kEventTypes.size() && kEventTypes[place] != type) ++place;
  return place;
}

}  // namespace

EventRefusal refusal_of(const core::Error& error) {
  if (core::is_disk_full(error)) return EventRefusal::kStorage;
  switch (error.code) {
    case core::ErrorCode::kInvalidArgument: return EventRefusal::kInvalid;
    case core::ErrorCode::kNotFound: return EventRefusal::kUnknownItem;
    case core::ErrorCode::kResourceExhausted: return EventRefusal::kCapacity;
    case core::ErrorCode::kUnavailable: return EventRefusal::kLogUnavailable;
    case core::ErrorCode::kDeadlineExceeded: return EventRefusal::kDeadline;
    case core::ErrorCode::kCancelled: return EventRefusal::kCancelled;
    default: return EventRefusal::kOther;
  }
}

EventMetrics::EventMetrics(telemetry::Metrics& metrics)
    : ack_seconds_(metrics.histogram(
          {"scalestyle_event_ack_seconds", "From handing events to the log to their durable acknowledgement."})) {
  constexpr std::string_view kAccepted = "scalestyle_events_accepted_total";
  constexpr std::string_view kAcceptedHelp = "Events that were new and are durable, by type; of impressions: taken to be written.";
  static_assert(kEventTypes.size() == kTypes);
  for (std::size_t i = 0; i < kTypes; ++i) {
    const std::string type(to_string(kEventTypes[i]));
    accepted_[i] = metrics.counter({std::string(kAccepted), std::string(kAcceptedHelp), {{"type", type}}});
    duplicates_[i] =
        metrics.counter({"scalestyle_events_duplicate_total", "Events whose id the log held already, by type.", {{"type", type}}});
  }
  impressions_accepted_ = metrics.counter({std::string(kAccepted), std::string(kAcceptedHelp), {{"type", "impression"}}});
  impressions_dropped_ = metrics.counter(
      {"scalestyle_events_dropped_total", "Impressions sent by clients and left out.", {{"type", "impression"}}});
  for (std::size_t i = 0; i < kEventRefusalCount; ++i) {
    refused_[i] = metrics.counter({"scalestyle_events_refused_total", "Events that were not taken, by reason.",
                                   {{"reason", std::string(kRefusalNames[i])}}});
  }
}

void EventMetrics::accepted(events::EventType type, bool duplicate) const {
  (duplicate ? duplicates_ : accepted_)[place_of(type)].add();
}

void EventMetrics::impressions(std::size_t accepted, std::size_t dropped) const {
  if (accepted > 0) impressions_accepted_.add(static_cast<double>(accepted));
  if (dropped > 0) impressions_dropped_.add(static_cast<double>(dropped));
}

void EventMetrics::refused(EventRefusal reason, std::size_t events) const {
  refused_[static_cast<std::size_t>(reason)].add(static_cast<double>(events));
}

void EventMetrics::acknowledged(std::chrono::nanoseconds took) const {
  ack_seconds_.observe(std::chrono::duration<double>(took).count());
}

}  // namespace scalestyle::search
