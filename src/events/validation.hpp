#pragma once
// What an event may be: of what clients send (EventInput), and of what is read back from a log or a file (Event).
// Thread safety: free functions without state.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "events/event.hpp"
#include "events/impression.hpp"

namespace scalestyle::events {

inline constexpr std::size_t kMaxSubjectCharacters = 100;    // of user_id and session_id; code points
inline constexpr std::size_t kMaxEventIdBytes = 100;         // visible ASCII
inline constexpr std::size_t kMaxRequestIdBytes = 100;       // visible ASCII
inline constexpr std::size_t kMaxEventQueryCharacters = 500; // code points
inline constexpr std::size_t kMaxCategoryCharacters = 1'000;
inline constexpr std::uint32_t kMaxEventPosition = 10'000;
inline constexpr std::size_t kMaxBatchEvents = 500;
inline constexpr double kMaxEventWeight = 1e6;
inline constexpr EpochMs kMaxEpochMs = 253'402'300'799'999;  // the end of year 9999
inline constexpr std::size_t kMaxShownItems = 1'000;         // of one impression
inline constexpr std::size_t kMaxImpressionArms = 32;

// One event as a client sends it: text not yet checked, absent where it sent nothing.
struct EventInput {
  std::string event_type{};  // "click", "view", "impression", "add_to_cart", "purchase"
  std::optional<std::string> user_id{};
  std::optional<std::string> session_id{};
  std::optional<std::string> item_id{};
  std::optional<std::string> source{};      // absent: unknown
  std::optional<std::string> device{};      // absent: api
  std::optional<std::string> query{};
  std::optional<std::int64_t> position{};
  std::optional<std::string> event_id{};
  std::optional<std::string> request_id{};
  std::optional<std::variant<std::int64_t, std::string>> timestamp{};  // epoch milliseconds, or RFC 3339
};

// Times of receipt and how far from it an event's own time may be.
struct ReceiptOptions {
  std::chrono::milliseconds past_bound{std::chrono::hours(24)};
  std::chrono::milliseconds future_bound{std::chrono::minutes(5)};

  // kInvalidArgument with the setting (event_time_past_bound_minutes, event_time_future_bound_minutes) as field.
  [[nodiscard]] core::Status validate() const;
};

// The client's event checked: an event of an item, or one item of an impression.
struct CheckedInput {
  bool impression = false;  // `event` then holds subject, item, times, source, query, position and request_id; its type means nothing
  Event event{};            // without category and weight; event_id empty where the client gave none
};

// `field_prefix` is put before the names of fields: "" or "events[3].". The event's time is the client's, cut to
// received_ms − past_bound … received_ms + future_bound; received_ms without one.
// kInvalidArgument with the field.
[[nodiscard]] core::Result<CheckedInput> check_input(const EventInput& input, EpochMs received_ms, const ReceiptOptions& options,
                                                     std::string_view field_prefix);

// A user or session id: 1 to 100 characters of UTF-8 without control characters, blanks around it not allowed.
[[nodiscard]] core::Status check_subject_id(std::string_view id, std::string_view field);

// A client's idempotency key: 1 to 100 visible ASCII characters, not of the reserved prefix.
[[nodiscard]] core::Status check_client_event_id(std::string_view id, std::string_view field);

// Whether an article's product type can be an event's category.
[[nodiscard]] bool is_category(std::string_view text);

// Whether a whole event is one that the log may hold; anonymous ones too. kInvalidArgument with the field.
[[nodiscard]] core::Status check_event(const Event& event);
[[nodiscard]] core::Status check_impression(const Impression& impression);

}  // namespace scalestyle::events
