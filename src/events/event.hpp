#pragma once
// Event: one thing a shopper did, or asked of their own data, as the event log keeps it. The log of events is the truth:
// every feature can be recomputed from it, so an event carries whatever its effect depends on (category and weight are
// those of the moment it was accepted).
//
// Times are UTC milliseconds since the Unix epoch. Plain values: no thread safety needed.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.hpp"
#include "events/event_position.hpp"
#include "events/subject.hpp"

namespace scalestyle::events {

using EpochMs = std::int64_t;

enum class EventType : std::uint8_t {
  // What a shopper did with an item.
  kClick = 1,
  kView = 2,
  kAddToCart = 3,
  kPurchase = 4,
  // What concerns a subject as a whole.
  kMerge = 16,        // the session's features become the user's (login)
  kForget = 17,       // a barrier: nothing of this subject before it counts, or can be read, any more
  kPreferences = 18,  // the subject's own settings
};
[[nodiscard]] std::string_view to_string(EventType type);  // "click", "view", "add_to_cart", "purchase", "merge" …
[[nodiscard]] std::optional<EventType> event_type(std::string_view name);
[[nodiscard]] constexpr bool concerns_item(EventType type) { return type <= EventType::kPurchase; }

enum class EventSource : std::uint8_t { kUnknown = 0, kSearch, kBrowse, kRecommendation, kImageSearch };
[[nodiscard]] std::string_view to_string(EventSource source);  // "search", "browse", "recommendation", "image_search"
[[nodiscard]] std::optional<EventSource> event_source(std::string_view name);

enum class Device : std::uint8_t { kApi = 0, kWeb, kMobile };
[[nodiscard]] std::string_view to_string(Device device);  // "api", "web", "mobile"
[[nodiscard]] std::optional<Device> device(std::string_view name);

struct Event {
  std::string event_id{};  // the client's idempotency key, or a UUID made when the event was accepted
  EventType type = EventType::kClick;
  std::optional<core::UserId> user_id{};        // at least one of the two; a merge has both
  std::optional<core::SessionId> session_id{};
  EpochMs event_time_ms = 0;     // when it happened, clamped to the time of receipt ± a bound
  EpochMs received_time_ms = 0;

  // Of item events.
  std::string item_id{};    // canonical (catalog::ArticleId)
  std::string category{};   // the item's product type when the event was accepted; empty: not known
  double weight = 0;        // how much it counts
  EventSource source = EventSource::kUnknown;
  Device device = Device::kApi;
  std::string query{};
  std::optional<std::uint32_t> position{};  // of the item in the list that was shown
  std::string request_id{};                 // of the answer that showed it

  std::optional<bool> personalize{};  // of kPreferences

  // Whom the event belongs to: the user, else the session. Its key in the log.
  [[nodiscard]] Subject subject() const;

  friend bool operator==(const Event&, const Event&) = default;
};

// What a log that gives an event more than once, or carries more than the event, tells of this time.
struct Delivery {
  std::uint32_t retries = 0;     // times it was put off because it could not take effect
  EventPosition origin{};        // where it was accepted, when it was put off since; else empty: `position` is that place
  std::string traceparent{};     // W3C trace context of the request that brought it
  std::string tracestate{};
  std::shared_ptr<const std::string> bytes{};  // the record as it was read, where a copy of it may be needed; may be null

  friend bool operator==(const Delivery& left, const Delivery& right) {  // bytes are left out: they say the same as the event
    return left.retries == right.retries && left.origin == right.origin && left.traceparent == right.traceparent &&
           left.tracestate == right.tracestate;
  }
};

// An event with its place in the log.
struct LoggedEvent {
  EventPosition position{};
  Event event{};
  Delivery delivery{};

  // The place in the log where it was accepted.
  [[nodiscard]] const EventPosition& origin() const { return delivery.origin.stream.empty() ? position : delivery.origin; }
  friend bool operator==(const LoggedEvent&, const LoggedEvent&) = default;
};

}  // namespace scalestyle::events
