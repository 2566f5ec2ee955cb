#pragma once
// Events as records of a topic (docs/formats/kafka.md): the JSON that other producers and consumers of clicks know,
// ClickEventV1, with fields of our own behind it. Writing is exact; reading takes what other producers write.
//
// Read are: fields and headers that are not known (passed over), null for a field that may be absent, timestamps with 0 to 9
// digits of a fraction, a click without category, weight or time of receipt, a click of a session alone, an item id that is
// not canonical. What cannot be an event after that is none, and the problem says why.
// Thread safety: free functions without state.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "adapters/kafka/kafka_options.hpp"
#include "events/event.hpp"
#include "events/validation.hpp"

namespace scalestyle::adapters::kafka {

inline constexpr std::size_t kMaxRecordBytes = 64 * 1024;  // a longer value is no event

struct KafkaReadOptions {
  std::map<events::EventType, double> weights{{events::EventType::kClick, 1.0},      // of a click that says none
                                              {events::EventType::kView, 0.3},
                                              {events::EventType::kAddToCart, 3.0},
                                              {events::EventType::kPurchase, 5.0}};
  events::ReceiptOptions receipt{};  // how far from its receipt a click's time may be, where the record tells no receipt
};

// What a broker keeps beside a record's value.
struct KafkaEnvelope {
  events::EventPosition position{};
  std::int64_t timestamp_ms = -1;  // negative: none
  std::string traceparent{};
  std::string tracestate{};
  std::string retry_count{};       // header x-retry-count
};

// A record of the topic of events or of a tier.
struct KafkaRecord {
  events::LoggedEvent logged{};     // with delivery, but its bytes
  double due_after_seconds = 0;     // Unix time before which a tier's record is not to be given; 0: at once
  double delay_seconds = 0;         // of the tier, 0 to 3,600
};

// The key of the event's record: the user's id, as other producers have it; without a user "s:" and the session's id.
[[nodiscard]] std::string record_key(const events::Event& event);

// read_record(write_record(event)) gives the event, for every event that check_event() accepts and that has a subject.
[[nodiscard]] std::string write_record(const events::Event& event);

// The problem, for people, of what is no event.
[[nodiscard]] std::expected<KafkaRecord, std::string> read_record(std::string_view value, const KafkaEnvelope& envelope,
                                                                 const KafkaReadOptions& options);

// "2026-03-08T10:15:30.123000Z"
[[nodiscard]] std::string to_record_time(events::EpochMs time);

}  // namespace scalestyle::adapters::kafka
