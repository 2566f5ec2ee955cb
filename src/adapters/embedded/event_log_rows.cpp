#include "adapters/embedded/event_log_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "core/hash.hpp"
#include "events/event_json.hpp"

namespace scalestyle::adapters::embedded::event_log {

namespace {

constexpr std::size_t kHexHash = 2 * std::tuple_size_v<Hash>;

Hash half(const core::Sha256Digest& digest) {
  Hash hash{};
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  return hash;
}

std::optional<unsigned> hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return static_cast<unsigned>(byte - '0');
  if (byte >= 'a' && byte <= 'f') return static_cast<unsigned>(byte - 'a') + 10;
  return std::nullopt;
}

std::optional<Hash> parse_hash(std::string_view hex) {
  if (hex.size() != kHexHash) return std::nullopt;
  Hash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const auto high = hex_digit(hex[2 * i]);
    const auto low = hex_digit(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return hash;
}

// The two hashes of "scalestyle:forgotten:<id>:<subject>".
std::optional<std::pair<Hash, Hash>> parse_forgotten(std::string_view event_id) {
  if (!event_id.starts_with(kForgottenPrefix)) return std::nullopt;
  event_id.remove_prefix(kForgottenPrefix.size());
  if (event_id.size() != 2 * kHexHash + 1 || event_id[kHexHash] != ':') return std::nullopt;
  const auto id = parse_hash(event_id.substr(0, kHexHash));
  const auto subject = parse_hash(event_id.substr(kHexHash + 1));
  if (!id || !subject) return std::nullopt;
  return std::pair(*id, *subject);
}

}  // namespace

Hash id_hash(std::string_view event_id) {
  if (event_id.starts_with(kAnonymousPrefix)) {
    if (const auto carried = parse_hash(event_id.substr(kAnonymousPrefix.size()))) return *carried;
  }
  if (const auto forgotten = parse_forgotten(event_id)) return forgotten->first;
  return half(core::sha256(event_id));
}

Hash subject_hash(const events::Subject& subject) { return half(core::sha256(subject.key())); }

std::optional<Hash> forgotten_subject(const events::Event& event) {
  if (event.type != events::EventType::kForget || has_subject(event)) return std::nullopt;
  const auto forgotten = parse_forgotten(event.event_id);
  return forgotten ? std::optional(forgotten->second) : std::nullopt;
}

std::int64_t subject_number(const Hash& hash) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | hash[i];
  return static_cast<std::int64_t>(number);
}

bool has_subject(const events::Event& event) {
  return (event.user_id && !event.user_id->empty()) || (event.session_id && !event.session_id->empty());
}

Row make_row(events::Event event) {
  Row row;
  row.id = id_hash(event.event_id);
  if (has_subject(event)) row.subject = subject_hash(event.subject());
  row.body = events::to_json(event);
  row.event = std::move(event);
  return row;
}

void make_anonymous(events::Event& event) {
  const std::string id = core::to_hex(id_hash(event.event_id));
  events::Event kept;
  // What a merge or a preference was about is gone with its subject; the row stays for its id, as a request without effect.
  kept.type = events::concerns_item(event.type) ? event.type : events::EventType::kForget;
  kept.event_time_ms = event.event_time_ms;
  kept.received_time_ms = event.received_time_ms;
  if (event.type == events::EventType::kForget) {
    const Hash subject = has_subject(event) ? subject_hash(event.subject()) : forgotten_subject(event).value_or(Hash{});
    kept.event_id = fmt::format("{}{}:{}", kForgottenPrefix, id, core::to_hex(subject));
  } else {
    kept.event_id = fmt::format("{}{}", kAnonymousPrefix, id);
  }
  if (events::concerns_item(event.type)) {
    kept.item_id = std::move(event.item_id);
    kept.category = std::move(event.category);
    kept.weight = event.weight;
  }
  event = std::move(kept);
}

core::Result<events::Event> decode_row(std::int64_t offset, std::string_view body) {
  auto event = events::parse_event_json(body, fmt::format("events.db, offset {}", offset));
  if (!event) return core::fail(core::ErrorCode::kDataLoss, std::move(event).error().message);
  return event;
}

}  // namespace scalestyle::adapters::embedded::event_log
