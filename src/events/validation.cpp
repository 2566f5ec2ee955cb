#include "events/validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalog/article_id.hpp"
#include "events/event_id.hpp"
#include "events/timestamp.hpp"
#include "text/unicode.hpp"

namespace scalestyle::events {

namespace {

std::unexpected<core::Error> invalid(std::string_view field, std::string_view problem) {
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} {}", field, problem), std::string(field));
}

bool is_control(char32_t code_point) { return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0); }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

struct TextRule {
  std::size_t max_characters = 0;
  bool may_have_controls = false;  // NUL is refused all the same
};

// Of text that may be empty.
core::Status check_text(std::string_view text, TextRule rule, std::string_view field) {
  constexpr std::size_t kMaxBytesPerCharacter = 4;
  const auto too_long = [&] { return invalid(field, fmt::format("must have at most {} characters", rule.max_characters)); };
  if (text.size() > rule.max_characters * kMaxBytesPerCharacter) return too_long();
  bool plain = true;  // ASCII without controls, which most texts are: nothing more to look at
  for (const char c : text) plain = plain && c >= ' ' && c < 0x7F;
  if (plain) return text.size() <= rule.max_characters ? core::Status() : too_long();
  if (!text::is_valid_utf8(text)) return invalid(field, "must be UTF-8");
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    const char32_t code_point = text::next_code_point(text, at);
    if (code_point == 0) return invalid(field, "must not contain NUL");
    if (is_control(code_point) && !rule.may_have_controls) return invalid(field, "must not contain control characters");
  }
  return characters <= rule.max_characters ? core::Status() : too_long();
}

core::Status check_visible_ascii(std::string_view text, std::size_t max_bytes, std::string_view field) {
  if (text.empty()) return invalid(field, "must not be empty");
  if (text.size() > max_bytes) return invalid(field, fmt::format("must have at most {} characters", max_bytes));
  if (std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; })) return {};
  return invalid(field, "must have visible ASCII characters only");
}

core::Status check_time(EpochMs time, std::string_view field) {
  if (time >= 0 && time <= kMaxEpochMs) return {};
  return invalid(field, fmt::format("must be milliseconds since 1970 up to the end of year 9999, not {}", time));
}

core::Status check_canonical_item(std::string_view id, std::string_view field) {
  const auto parsed = catalog::ArticleId::parse(id);
  if (!parsed) return invalid(field, fmt::format("is no article id: {}", parsed.error().message));
  if (parsed->text() == id) return {};
  return invalid(field, fmt::format("must be the canonical article id {}", parsed->text()));
}

core::Status check_subject(const Event& event) {
  if (event.user_id) CORE_CHECK(check_subject_id(event.user_id->value(), "user_id"));
  if (event.session_id) CORE_CHECK(check_subject_id(event.session_id->value(), "session_id"));
  if (event.type == EventType::kMerge) {
    if (!event.user_id) return invalid("user_id", "is missing: a merge has a user and a session");
    if (!event.session_id) return invalid("session_id", "is missing: a merge has a user and a session");
  }
  // Without a subject: the event of one who was forgotten.
  const bool may_be_anonymous = concerns_item(event.type) || event.type == EventType::kForget;
  if (event.user_id || event.session_id || may_be_anonymous) return {};
  return invalid("user_id", "or session_id is required");
}

core::Status check_item_fields(const Event& event) {
  if (!std::isfinite(event.weight) || event.weight < 0 || event.weight > kMaxEventWeight) {
    return invalid("weight", fmt::format("must be 0 to {}", kMaxEventWeight));
  }
  CORE_CHECK(check_text(event.query, {.max_characters = kMaxEventQueryCharacters, .may_have_controls = true}, "query"));
  CORE_CHECK(check_text(event.category, {.max_characters = kMaxCategoryCharacters, .may_have_controls = true}, "category"));
  if (event.position && *event.position > kMaxEventPosition) {
    return invalid("position", fmt::format("must be 0 to {}", kMaxEventPosition));
  }
  if (concerns_item(event.type)) return check_canonical_item(event.item_id, "item_id");
  const std::string problem = fmt::format("does not belong to a {} event", to_string(event.type));
  if (!event.item_id.empty()) return invalid("item_id", problem);
  if (!event.category.empty()) return invalid("category", problem);
  if (event.weight != 0) return invalid("weight", problem);
  if (!event.query.empty()) return invalid("query", problem);
  if (event.position) return invalid("position", problem);
  return {};
}

// What a client sent as text, or nothing; the field's own rules come after.
struct FieldNames {
  std::string_view prefix;
  [[nodiscard]] std::string operator()(std::string_view name) const { return fmt::format("{}{}", prefix, name); }
};

core::Status take_type(const EventInput& input, const FieldNames& field, CheckedInput& checked) {
  if (input.event_type == "impression") {
    checked.impression = true;
    return {};
  }
  const auto type = event_type(input.event_type);
  if (!type || !concerns_item(*type)) {
    return invalid(field("event_type"), "must be click, view, impression, add_to_cart or purchase");
  }
  checked.event.type = *type;
  return {};
}

core::Status take_subject(const EventInput& input, const FieldNames& field, Event& event) {
  if (input.user_id) {
    CORE_CHECK(check_subject_id(*input.user_id, field("user_id")));
    event.user_id.emplace(*input.user_id);
  }
  if (input.session_id) {
    CORE_CHECK(check_subject_id(*input.session_id, field("session_id")));
    event.session_id.emplace(*input.session_id);
  }
  if (event.user_id || event.session_id) return {};
  return invalid(field("user_id"), "or session_id is required");
}

core::Status take_item(const EventInput& input, const FieldNames& field, Event& event) {
  const std::string name = field("item_id");
  if (!input.item_id) return invalid(name, "is required");
  auto parsed = catalog::ArticleId::parse(*input.item_id);
  if (!parsed) return invalid(name, fmt::format("is no article id: {}", parsed.error().message));
  event.item_id = parsed->text();
  return {};
}

core::Status take_context(const EventInput& input, const FieldNames& field, Event& event) {
  if (input.source) {
    const auto source = event_source(*input.source);
    if (!source || *source == EventSource::kUnknown) {
      return invalid(field("source"), "must be search, browse, recommendation or image_search");
    }
    event.source = *source;
  }
  if (input.device) {
    const auto found = device(*input.device);
    if (!found) return invalid(field("device"), "must be web, mobile or api");
    event.device = *found;
  }
  if (input.query) {
    CORE_CHECK(check_text(*input.query, {.max_characters = kMaxEventQueryCharacters, .may_have_controls = true}, field("query")));
    event.query = *input.query;
  }
  if (input.position) {
    if (*input.position < 0 || *input.position > kMaxEventPosition) {
      return invalid(field("position"), fmt::format("must be 0 to {}, not {}", kMaxEventPosition, *input.position));
    }
    event.position = static_cast<std::uint32_t>(*input.position);
  }
  return {};
}

core::Status take_ids(const EventInput& input, const FieldNames& field, Event& event) {
  if (input.event_id) {
    CORE_CHECK(check_client_event_id(*input.event_id, field("event_id")));
    event.event_id = *input.event_id;
  }
  if (input.request_id) {
    CORE_CHECK(check_visible_ascii(*input.request_id, kMaxRequestIdBytes, field("request_id")));
    event.request_id = *input.request_id;
  }
  return {};
}

core::Status take_times(const EventInput& input, const FieldNames& field, const ReceiptOptions& options, Event& event) {
  event.event_time_ms = event.received_time_ms;
  if (!input.timestamp) return {};
  if (const auto* text = std::get_if<std::string>(&*input.timestamp)) {
    CORE_TRY(event.event_time_ms, parse_timestamp(*text, field("timestamp")));
  } else {
    event.event_time_ms = std::get<std::int64_t>(*input.timestamp);
  }
  const EpochMs oldest = std::max<EpochMs>(0, event.received_time_ms - options.past_bound.count());
  event.event_time_ms = std::clamp(event.event_time_ms, oldest, event.received_time_ms + options.future_bound.count());
  return {};
}

}  // namespace

core::Status ReceiptOptions::validate() const {
  constexpr std::chrono::hours kMaxBound(24 * 366);
  const auto check = [&](std::chrono::milliseconds bound, std::string_view name) -> core::Status {
    if (bound >= std::chrono::milliseconds(0) && bound <= kMaxBound) return {};
    return invalid(name, "must be 0 to 366 days");
  };
  CORE_CHECK(check(past_bound, "event_time_past_bound_minutes"));
  return check(future_bound, "event_time_future_bound_minutes");
}

core::Status check_subject_id(std::string_view id, std::string_view field) {
  if (id.empty()) return invalid(field, "must not be empty");
  CORE_CHECK(check_text(id, {.max_characters = kMaxSubjectCharacters}, field));
  if (is_blank(id.front()) || is_blank(id.back())) return invalid(field, "must not begin or end with a blank");
  return {};
}

core::Status check_client_event_id(std::string_view id, std::string_view field) {
  CORE_CHECK(check_visible_ascii(id, kMaxEventIdBytes, field));
  if (id.starts_with(kReservedIdPrefix)) return invalid(field, fmt::format("must not begin with {}", kReservedIdPrefix));
  return {};
}

core::Result<CheckedInput> check_input(const EventInput& input, EpochMs received_ms, const ReceiptOptions& options,
                                       std::string_view field_prefix) {
  const FieldNames field{field_prefix};
  CheckedInput checked;
  checked.event.received_time_ms = received_ms;
  CORE_CHECK(take_type(input, field, checked));
  CORE_CHECK(take_subject(input, field, checked.event));
  CORE_CHECK(take_item(input, field, checked.event));
  CORE_CHECK(take_context(input, field, checked.event));
  CORE_CHECK(take_ids(input, field, checked.event));
  CORE_CHECK(take_times(input, field, options, checked.event));
  return checked;
}

bool is_category(std::string_view text) {
  return check_text(text, {.max_characters = kMaxCategoryCharacters, .may_have_controls = true}, "category").has_value();
}

core::Status check_event(const Event& event) {
  CORE_CHECK(check_visible_ascii(event.event_id, kMaxEventIdBytes, "event_id"));
  CORE_CHECK(check_subject(event));
  CORE_CHECK(check_time(event.event_time_ms, "event_time_ms"));
  CORE_CHECK(check_time(event.received_time_ms, "received_time_ms"));
  CORE_CHECK(check_item_fields(event));
  if (!event.request_id.empty()) CORE_CHECK(check_visible_ascii(event.request_id, kMaxRequestIdBytes, "request_id"));
  const bool wanted = event.type == EventType::kPreferences;
  if (event.personalize.has_value() == wanted) return {};
  return invalid("personalize", wanted ? "is required" : fmt::format("does not belong to a {} event", to_string(event.type)));
}

core::Status check_impression(const Impression& impression) {
  constexpr std::size_t kMaxNameCharacters = 100;
  if (!impression.request_id.empty()) CORE_CHECK(check_visible_ascii(impression.request_id, kMaxRequestIdBytes, "request_id"));
  if (impression.user_id) CORE_CHECK(check_subject_id(impression.user_id->value(), "user_id"));
  if (impression.session_id) CORE_CHECK(check_subject_id(impression.session_id->value(), "session_id"));
  CORE_CHECK(check_time(impression.time_ms, "time_ms"));
  CORE_CHECK(check_text(impression.query, {.max_characters = kMaxEventQueryCharacters, .may_have_controls = true}, "query"));
  CORE_CHECK(check_text(impression.generation, {.max_characters = kMaxNameCharacters}, "generation"));
  if (impression.arms.size() > kMaxImpressionArms) return invalid("arms", fmt::format("must be at most {}", kMaxImpressionArms));
  for (const ExperimentArm& arm : impression.arms) {
    CORE_CHECK(check_visible_ascii(arm.experiment, kMaxNameCharacters, "arms"));
    CORE_CHECK(check_visible_ascii(arm.arm, kMaxNameCharacters, "arms"));
  }
  if (impression.items.size() > kMaxShownItems) return invalid("items", fmt::format("must be at most {}", kMaxShownItems));
  for (const ShownItem& item : impression.items) {
    CORE_CHECK(check_canonical_item(item.item_id, "items"));
    if (item.probability && !(*item.probability > 0 && *item.probability <= 1)) return invalid("items", "probability must be above 0, at most 1");
  }
  return {};
}

}  // namespace scalestyle::events
