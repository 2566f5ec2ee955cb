#pragma once
// Records that could not take effect, as the retry tiers and the dead letters keep them (docs/formats/kafka.md).
// Thread safety: free functions without state.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/kafka/kafka_options.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "events/event.hpp"

namespace scalestyle::adapters::kafka {

// What a retry tier's record adds to the original.
struct RetryNote {
  std::uint32_t count = 1;          // 1 … KafkaTopics::kTiers: the tier
  std::string topic{};
  core::WallTime routed_at{};
  std::string cause{};
  events::EventPosition origin{};   // where the event was accepted
};
// `original`: the bytes of a record that is a JSON object; what an earlier tier added is replaced.
[[nodiscard]] std::string write_retry(std::string_view original, const RetryNote& note);

inline constexpr std::string_view kPermanentFailure = "permanent_failure";
inline constexpr std::string_view kMaxRetriesExceeded = "max_retries_exceeded";

struct DeadLetter {
  std::string id{};                     // the event's id; of what is no event "topic:partition:offset". Its key
  std::string reason{};                 // kPermanentFailure, kMaxRetriesExceeded, or another producer's
  std::string error_message{};          // what that means, for people
  std::string cause{};                  // what went wrong with this record
  events::EventPosition position{};     // where it was read
  events::EventPosition origin{};       // where it was accepted, when that is another place; else empty
  std::string key{};                    // of the original record
  std::string value{};                  // its bytes, as they were
  std::uint32_t retry_count = 0;
  std::string traceparent{};
  std::string tracestate{};
  double time_seconds = 0;              // when it was laid down, Unix time
};
[[nodiscard]] std::string write_dead_letter(const DeadLetter& letter);
// kInvalidArgument: not a dead letter; the message says why.
[[nodiscard]] core::Result<DeadLetter> read_dead_letter(std::string_view json);

// The original bytes as they are sent again: without what the tiers added.
[[nodiscard]] std::string replayed_value(const DeadLetter& letter);

[[nodiscard]] double to_seconds(core::WallTime time);

}  // namespace scalestyle::adapters::kafka
