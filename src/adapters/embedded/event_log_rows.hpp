#pragma once
// An event as a row of the log: its id and subject as hashes, its body as JSON, and what of it stays when its subject is
// forgotten. Free functions without state.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "events/event.hpp"
#include "events/subject.hpp"

namespace scalestyle::adapters::embedded::event_log {

using Hash = std::array<std::uint8_t, 16>;  // the first half of a SHA-256

// An anonymous event carries its id's hash as its id, so that an export that is imported again adds nothing:
// "scalestyle:anonymous:<32 hex of the id>", and of a kForget "scalestyle:forgotten:<32 hex of the id>:<32 hex of the subject>".
// No client can send such ids (events::kReservedIdPrefix).
inline constexpr std::string_view kAnonymousPrefix = "scalestyle:anonymous:";
inline constexpr std::string_view kForgottenPrefix = "scalestyle:forgotten:";

// Of an anonymous event's id, the hash that it carries.
[[nodiscard]] Hash id_hash(std::string_view event_id);
[[nodiscard]] Hash subject_hash(const events::Subject& subject);

// The subject that an anonymous kForget was for; nullopt for every other event.
[[nodiscard]] std::optional<Hash> forgotten_subject(const events::Event& event);

// The column `subject`: the hash's first eight bytes. Two subjects can share one: whoever looks up by it compares the
// subjects themselves.
[[nodiscard]] std::int64_t subject_number(const Hash& hash);

[[nodiscard]] bool has_subject(const events::Event& event);

struct Row {
  events::Event event{};
  Hash id{};
  std::optional<Hash> subject{};  // none: anonymous
  std::string body{};
};
[[nodiscard]] Row make_row(events::Event event);

// Keeps of an item event its type, item, category, weight and times, of the others their times: a merge or a preference
// becomes a kForget of nobody. The id's hash stays in the new event_id.
void make_anonymous(events::Event& event);

// kDataLoss, naming the row, when `body` is no event.
[[nodiscard]] core::Result<events::Event> decode_row(std::int64_t offset, std::string_view body);

}  // namespace scalestyle::adapters::embedded::event_log
